import { Program } from "./program.ts";

/** Which reverse daemon. */
interface ReverseOptions {
  readonly natsUrl: string;
  /** Whose requests it takes; 127.0.0.1 without. */
  readonly hostname?: string;
  /** Of the server behind it, on this machine. */
  readonly port: number;
}

/** Starts the reverse daemon as a process of its own, and waits until it serves. */
export async function startReverse(
  { natsUrl, hostname = "127.0.0.1", port }: ReverseOptions,
): Promise<Program> {
  await using stack = new AsyncDisposableStack();
  const program = stack.use(
    new Program([
      ...["reverse", "--hostname", hostname, "--nats-url", natsUrl],
      ...["--backend-url", `http://127.0.0.1:${port}`],
    ]),
  );
  await program.logged("serving");
  stack.move();
  return program;
}

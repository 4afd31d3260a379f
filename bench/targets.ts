/**
 * What is measured: the gateway as the real program, a bare server, another gateway.
 *
 * @module
 */
import { freePort } from "../tests/harness/free_port.ts";
import { Child, Unmeasurable } from "./process.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const PEER_TIMEOUT_MS = 15_000;

/** Which of them: the names of the columns. `plain` is the gateway without the flags of the case. */
export type TargetKind = "bare" | "plain" | "h8s" | "peer";

/** A running server under test. */
export interface Target extends AsyncDisposable {
  readonly kind: TargetKind;
  readonly pid: number;
  /** On 127.0.0.1. */
  readonly port: number;
  /** Where the gateway shows its page, if it does. */
  readonly adminPort?: number;
}

/** How to start one. */
export interface TargetOptions {
  readonly natsUrl: string;
  /** Flags for the gateway besides its addresses. */
  readonly flags?: readonly string[];
  /** A configuration file for it. */
  readonly config?: string | undefined;
  /** The command of the other gateway, with `{port}` and `{nats}` in it. */
  readonly peer: string | undefined;
  /** Where it listens, if that cannot be chosen. */
  readonly peerPort: number | undefined;
}

/**
 * Starts a server and waits until it takes requests.
 *
 * @param kind Which one.
 * @param options How.
 * @returns The running server.
 * @throws {Unmeasurable} when it does not come up.
 */
export async function startTarget(kind: TargetKind, options: TargetOptions): Promise<Target> {
  switch (kind) {
    case "bare":
      return await startBare();
    case "plain":
    case "h8s":
      return await startGateway(kind, options);
    case "peer":
      return await startPeer(options);
  }
}

/** The arguments for the runtime that run the gateway. */
export function gatewayArgs(flags: readonly string[]): string[] {
  const config = `${ROOT}deno.json`;
  return ["run", "--no-prompt", "--allow-net", "--config", config, `${ROOT}main.ts`, ...flags];
}

async function startBare(): Promise<Target> {
  const args = ["run", "--allow-net", "--no-config", `${ROOT}bench/load/bare.ts`];
  const child = new Child(Deno.execPath(), args);
  return toTarget("bare", child, Number(await child.nextLine()));
}

async function startGateway(
  kind: TargetKind,
  { natsUrl, flags = [], config }: TargetOptions,
): Promise<Target> {
  const common = ["--listen", "127.0.0.1:0", "--nats-url", natsUrl, "--log-format", "json"];
  if (config !== undefined) common.push("--config", "-");
  const child = new Child(Deno.execPath(), gatewayArgs([...common, ...flags]), {
    output: "stderr",
    input: config,
  });
  const listening = await child.nextLine((line) => line.includes('"listening"'));
  await child.nextLine((line) => line.includes('"nats connected"'));
  const portOf = (name: string) =>
    Number(new RegExp(`"${name}":"[^"]*:(\\d+)"`).exec(listening)?.[1]);
  return { ...toTarget(kind, child, portOf("address")), adminPort: portOf("admin") };
}

async function startPeer({ natsUrl, peer, peerPort }: TargetOptions): Promise<Target> {
  const port = peerPort ?? freePort();
  if (await isTaken(port)) throw new Unmeasurable(`somebody else listens on port ${port}`);
  const command = (peer ?? "").replaceAll("{port}", String(port)).replaceAll("{nats}", natsUrl);
  // The shell becomes the program, so that its id is the one to look at.
  const child = new Child("sh", ["-c", `exec ${command}`], { output: "stderr" });
  const target = toTarget("peer", child, port);
  const deadline = performance.now() + PEER_TIMEOUT_MS;
  while (performance.now() < deadline) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/api/v1/small`, {
        headers: { host: "bench.example.com" },
      });
      await response.body?.cancel();
      return target;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  await target[Symbol.asyncDispose]();
  throw new Unmeasurable(`the peer does not listen on port ${port}; its command was: ${command}`);
}

/** Else its figures would be somebody else's. */
async function isTaken(port: number): Promise<boolean> {
  try {
    using _ = await Deno.connect({ hostname: "127.0.0.1", port });
    return true;
  } catch {
    return false;
  }
}

function toTarget(kind: TargetKind, child: Child, port: number): Target {
  child.ignoreOutput().catch(() => {});
  return { kind, pid: child.pid, port, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
}

/**
 * Finds or makes a nats-server, and runs it on a random port: for the tests, the demo and the
 * benchmarks. `deno run -A tests/harness/nats_server.ts [--pinned]` prints where it is.
 *
 * @module
 */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { killNow } from "./kill.ts";
import { within } from "./waiting.ts";

/** The newest stable release when this was last looked at; CI tests against it. */
export const PINNED_VERSION = "v2.15.2";

const TOOLS = new URL(`../../.tools/nats-server/${PINNED_VERSION}/`, import.meta.url).pathname;
const PINNED_BINARY = `${TOOLS}nats-server`;

/** A nats-server on this machine. */
export interface NatsBinary {
  readonly path: string;
  /** Where it came from, for people to read. */
  readonly source: string;
  /** What it says of itself, e.g. `"v2.15.2"`. */
  readonly version: string;
}

/**
 * Looks for a nats-server: in `PATH`; else `go install` of the pinned release; else Debian's package.
 *
 * @param options `pinned`: only the pinned release will do.
 * @returns The binary.
 * @throws {NoNatsError} with the three usual ways to get one, when none of these works.
 */
export async function findNats({ pinned = false } = {}): Promise<NatsBinary> {
  if (!pinned) {
    const inPath = await describe("nats-server", "found in PATH");
    if (inPath !== undefined) return inPath;
  }
  const built = await describe(PINNED_BINARY, "built earlier with go install") ?? await goInstall();
  if (built !== undefined) return built;
  if (!pinned) {
    const packaged = await aptInstall();
    if (packaged !== undefined) return packaged;
  }
  throw new NoNatsError(
    [
      "Cannot find or make a nats-server. Any one of these gives you one:",
      `  go install github.com/nats-io/nats-server/v2@${PINNED_VERSION}   (and put it into PATH)`,
      "  apt-get install nats-server   or   brew install nats-server",
      "  download it from https://github.com/nats-io/nats-server/releases and put it into PATH",
    ].join("\n"),
  );
}

/** Looked for once, since a test may start many. */
let found: Promise<NatsBinary> | undefined;

/** There is no nats-server, and none could be made; the message says how to get one. */
export class NoNatsError extends Error {
  /** Always `"NoNatsError"`. */
  override readonly name = "NoNatsError";
}

/**
 * Looks for a nats-server and says which one it is; without one, says how to get one and ends the program.
 *
 * @param options As of {@link findNats}.
 * @returns The binary.
 */
export async function announceNats(options: { pinned?: boolean } = {}): Promise<NatsBinary> {
  try {
    const nats = await findNats(options);
    console.error(`nats-server ${nats.version}, ${nats.source}`);
    return nats;
  } catch (error) {
    if (!(error instanceof NoNatsError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}

/** How to run a nats-server. */
export interface NatsOptions {
  /** @default true, with a temporary store */
  readonly jetstream?: boolean;
  /** @default 0: a free one */
  readonly port?: number;
  /** The text of a configuration file. */
  readonly config?: string;
  /** Keep the store here, to start again on it. */
  readonly storeDir?: string;
  /** @default what {@link findNats} finds */
  readonly binary?: string;
}

/** A nats-server that runs until it is disposed of. */
export class NatsServer implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #directory: string;
  readonly #log: Promise<void>;

  /** `nats://127.0.0.1:<port>`. */
  readonly url: string;
  readonly port: number;

  private constructor(
    running: { process: Deno.ChildProcess; directory: string; port: number; log: Promise<void> },
  ) {
    this.#process = running.process;
    this.#directory = running.directory;
    this.#log = running.log;
    this.port = running.port;
    this.url = `nats://127.0.0.1:${running.port}`;
  }

  /** The process id, for signals and for measuring. */
  get pid(): number {
    return this.#process.pid;
  }

  /**
   * Starts a server and waits until it takes connections.
   *
   * @param options How to run it.
   * @returns The running server.
   * @throws {Error} with its last words, when it does not come up.
   */
  static async start(options: NatsOptions = {}): Promise<NatsServer> {
    const directory = await Deno.makeTempDir({ prefix: "h8s-nats-" });
    const args = ["-a", "127.0.0.1", "-p", String(options.port || -1)];
    if (options.jetstream ?? true) {
      args.push("-js", "-sd", options.storeDir ?? `${directory}/store`);
    }
    if (options.config !== undefined) {
      await Deno.writeTextFile(`${directory}/nats.conf`, options.config);
      args.push("-c", `${directory}/nats.conf`);
    }
    const command = options.binary ?? (await (found ??= findNats())).path;
    const process = new Deno.Command(command, { args, stdout: "null", stderr: "piped" }).spawn();
    const ready = Promise.withResolvers<number>();
    const log = followLog(process.stderr, ready);
    return new NatsServer({
      process,
      directory,
      log,
      port: await within(ready.promise, "nats-server"),
    });
  }

  /**
   * Sends a signal.
   *
   * @param signal E.g. `"SIGKILL"`, `"SIGSTOP"`, `"SIGUSR2"` (lame duck).
   */
  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /**
   * Has it take another configuration while it runs.
   *
   * @param config The text of a configuration file; it has to have been started with one.
   */
  async reload(config: string): Promise<void> {
    await Deno.writeTextFile(`${this.#directory}/nats.conf`, config);
    this.kill("SIGHUP");
  }

  /** Resolves when the process has ended. */
  get ended(): Promise<Deno.CommandStatus> {
    return this.#process.status;
  }

  /** Ends the process and removes what it stored, except a store of the caller's own. */
  async [Symbol.asyncDispose](): Promise<void> {
    killNow(this.#process);
    await this.#process.status;
    await this.#log;
    await Deno.remove(this.#directory, { recursive: true }).catch(unlessGone);
  }
}

/**
 * Starts a nats-server; see {@link NatsServer.start}.
 *
 * @param options How to run it.
 * @returns The running server.
 */
export function startNats(options: NatsOptions = {}): Promise<NatsServer> {
  return NatsServer.start(options);
}

function unlessGone(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

/** Reads the log to its end, since a full pipe would stop the server. */
async function followLog(
  stderr: ReadableStream<Uint8Array>,
  ready: PromiseWithResolvers<number>,
): Promise<void> {
  const lastLines: string[] = [];
  let port = 0;
  for await (const line of createInterface({ input: Readable.from(stderr) })) {
    lastLines.push(line);
    if (lastLines.length > 10) lastLines.shift();
    port ||= Number(/Listening for client connections on \S+:(\d+)/.exec(line)?.[1] ?? 0);
    if (line.includes("Server is ready")) ready.resolve(port);
  }
  ready.reject(new Error(`nats-server did not start:\n${lastLines.join("\n")}`));
}

async function describe(path: string, source: string): Promise<NatsBinary | undefined> {
  const output = await run(path, ["--version"]);
  const version = /v\d+\.\d+\.\d+\S*/.exec(output ?? "")?.[0];
  return version === undefined ? undefined : { path, source, version };
}

async function goInstall(): Promise<NatsBinary | undefined> {
  if (await run("go", ["version"]) === undefined) return undefined;
  console.error(`No nats-server in PATH: building ${PINNED_VERSION} with go, once (a minute) …`);
  await Deno.mkdir(TOOLS, { recursive: true });
  const module = `github.com/nats-io/nats-server/v2@${PINNED_VERSION}`;
  if (await run("go", ["install", module], { GOBIN: TOOLS }) === undefined) return undefined;
  return describe(PINNED_BINARY, "built with go install");
}

async function aptInstall(): Promise<NatsBinary | undefined> {
  const isDebian = await run("dpkg", ["--version"]) !== undefined;
  if (!isDebian || Deno.uid() !== 0) return undefined;
  console.error("No nats-server in PATH and no go: installing Debian's package …");
  await run("apt-get", ["update", "-qq"]);
  await run("apt-get", ["install", "-y", "-qq", "nats-server"]);
  return describe("/usr/sbin/nats-server", "installed from Debian's packages");
}

/** The standard output, or undefined when it is not there or fails. */
async function run(
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<string | undefined> {
  try {
    const output = await new Deno.Command(command, { args, env, stderr: "null" }).output();
    return output.success ? new TextDecoder().decode(output.stdout) : undefined;
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  const { path } = await announceNats({ pinned: Deno.args.includes("--pinned") });
  console.log(path);
}

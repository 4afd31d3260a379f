/**
 * Proxies that others write: found, or installed as Debian's package, and run before gateways.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";
import { freePort } from "./free_port.ts";

const START_MS = 10_000;

/** A proxy that can be had. */
interface Kind {
  /** Debian's package; the program's name is the same where `command` does not say. */
  readonly package: string;
  readonly command: string;
  /** Says its version, and ends. */
  readonly version: readonly string[];
  /** What runs it in the foreground; `directory` is its own, and `file` the configuration. */
  start(file: string, directory: string): readonly string[];
  /** Makes a whole configuration of what is to be tried; `port` is where it is to listen. */
  write(text: string, at: { readonly port: number; readonly directory: string }): string;
}

const KINDS = {
  nginx: {
    package: "nginx-light",
    command: "nginx",
    version: ["-v"],
    start: (file) => ["-c", file, "-e", "stderr"],
    write: (text, { port, directory }) => {
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map((name) => `${name}_temp_path ${directory}/${name};`).join("\n");
      const http = text.replace(/listen [^;]*;/, `listen 127.0.0.1:${port};`);
      return `daemon off;\nworker_processes 1;\npid ${directory}/pid;\nerror_log stderr;\n` +
        `events {}\nhttp {\naccess_log off;\n${temporary}\n${http}\n}\n`;
    },
  },
  caddy: {
    package: "caddy",
    command: "caddy",
    version: ["version"],
    start: (file) => ["run", "--adapter", "caddyfile", "--config", file],
    write: (text, { port }) =>
      `{\n\tadmin off\n}\n${text.replace(/^:80 /m, `http://127.0.0.1:${port} `)}`,
  },
  haproxy: {
    package: "haproxy",
    command: "haproxy",
    version: ["-v"],
    start: (file) => ["-db", "-f", file],
    write: (text, { port }) => text.replace("bind :80", `bind 127.0.0.1:${port}`),
  },
} as const satisfies Record<string, Kind>;

/** The name of a proxy that can be had. */
export type ProxyName = keyof typeof KINDS;

/**
 * A test that needs a proxy; ignored, and the reason printed, where there is none.
 *
 * @param proxy Which one.
 * @param name The behaviour.
 * @param fn The test.
 */
export async function proxyTest(
  proxy: ProxyName,
  name: string,
  fn: () => Promise<void>,
): Promise<void> {
  const unavailable = await find(KINDS[proxy]);
  if (unavailable !== undefined) console.warn(`\nSKIPPED: ${name}. ${unavailable}\n`);
  Deno.test({ name: `${proxy}: ${name}`, ignore: unavailable !== undefined, fn });
}

/** A proxy that runs until it is disposed of. */
export class Proxy implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #directory: string;
  readonly #complaints: Promise<string>;
  /** Where it listens, on 127.0.0.1. */
  readonly port: number;

  private constructor(process: Deno.ChildProcess, directory: string, port: number) {
    this.#process = process;
    this.#directory = directory;
    this.#complaints = new Response(process.stderr).text();
    this.port = port;
  }

  /** `http://127.0.0.1:<port>`. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /**
   * Starts it.
   *
   * @param name Which one.
   * @param text Its configuration as a user would write it; the port in it is replaced.
   * @returns The running proxy, once it listens.
   * @throws {Error} when it ends, or does not listen for 10 s.
   */
  static async start(name: ProxyName, text: string): Promise<Proxy> {
    const kind: Kind = KINDS[name];
    const directory = await Deno.makeTempDir({ prefix: `h8s-${name}-` });
    const port = freePort();
    const file = `${directory}/config`;
    await Deno.writeTextFile(file, kind.write(text, { port, directory }));
    const process = new Deno.Command(kind.command, {
      args: [...kind.start(file, directory)],
      // Caddy keeps things at home.
      env: { HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const proxy = new Proxy(process, directory, port);
    await proxy.#untilListening(name);
    return proxy;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await Promise.all([this.#process.status, this.#complaints]);
    await Deno.remove(this.#directory, { recursive: true });
  }

  async #untilListening(name: ProxyName): Promise<void> {
    let hasEnded = false;
    void this.#process.status.then(() => hasEnded = true);
    const deadline = performance.now() + START_MS;
    while (!hasEnded && performance.now() < deadline) {
      try {
        return (await Deno.connect({ hostname: "127.0.0.1", port: this.port })).close();
      } catch (error) {
        if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
        await pause(20);
      }
    }
    if (!hasEnded) this.#process.kill("SIGKILL");
    throw new Error(`Cannot start ${name}: ${await this.#complaints}`);
  }
}

const found = new Map<string, Promise<string | undefined>>();

/** Undefined when it is there, else why it is not. */
function find(kind: Kind): Promise<string | undefined> {
  const known = found.get(kind.command);
  if (known !== undefined) return known;
  const finding = install(kind);
  found.set(kind.command, finding);
  return finding;
}

async function install({ command, version, package: name }: Kind): Promise<string | undefined> {
  if (await succeeds(command, version)) return undefined;
  if (!await succeeds("dpkg", ["--version"]) || Deno.uid() !== 0) {
    return `There is no ${command}; as root on Debian it would be installed, else: apt-get install ${name}`;
  }
  console.warn(`No ${command}: installing Debian's package …`);
  await succeeds("apt-get", ["update", "-qq"]);
  await succeeds("apt-get", ["install", "-y", "-qq", "--no-install-recommends", name]);
  return await succeeds(command, version) ? undefined : `apt-get install ${name} did not work`;
}

async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  try {
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    const quiet = { stdout: "null", stderr: "null" } as const;
    return (await new Deno.Command(command, { args: [...args], env, ...quiet }).output()).success;
  } catch {
    return false;
  }
}

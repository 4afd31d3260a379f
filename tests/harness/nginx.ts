/**
 * Finds nginx, or installs Debian's package, and runs it before gateways.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";
import { freePort } from "./free_port.ts";

const unavailable = await findNginx();
if (unavailable !== undefined) console.warn(`\nSKIPPED: all tests with nginx. ${unavailable}\n`);

/**
 * A test that needs nginx; ignored, and the reason printed, where there is none.
 *
 * @param name The behaviour.
 * @param fn The test.
 */
export function nginxTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: unavailable !== undefined, fn });
}

/** An nginx that runs until it is disposed of. */
export class Nginx implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #directory: string;
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;

  private constructor(process: Deno.ChildProcess, directory: string, port: number) {
    this.#process = process;
    this.#directory = directory;
    this.url = `http://127.0.0.1:${port}`;
  }

  /**
   * Starts it.
   *
   * @param http What stands in the `http` block; `PORT` is where it is to listen.
   * @returns The running server, once it listens.
   */
  static async start(http: string): Promise<Nginx> {
    const directory = await Deno.makeTempDir({ prefix: "h8s-nginx-" });
    const port = freePort();
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${directory}/${name};`).join("\n");
    const config = `daemon off;\nworker_processes 1;\npid ${directory}/pid;\nerror_log stderr;\n` +
      `events {}\nhttp {\naccess_log off;\n${temporary}\n${
        http.replaceAll("PORT", `${port}`)
      }\n}\n`;
    await Deno.writeTextFile(`${directory}/nginx.conf`, config);
    const process = new Deno.Command("nginx", {
      args: ["-c", `${directory}/nginx.conf`, "-e", "stderr"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const nginx = new Nginx(process, directory, port);
    await nginx.#untilListening(port);
    return nginx;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.status;
    await Deno.remove(this.#directory, { recursive: true });
  }

  async #untilListening(port: number): Promise<void> {
    let hasEnded = false;
    void this.#process.status.then(() => hasEnded = true);
    while (!hasEnded) {
      try {
        return (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      } catch (error) {
        if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
        await pause(20);
      }
    }
    throw new Error("nginx did not start");
  }
}

/** Undefined when it is there, else why it is not. */
async function findNginx(): Promise<string | undefined> {
  if (await succeeds("nginx", ["-v"])) return undefined;
  if (!await succeeds("dpkg", ["--version"]) || Deno.uid() !== 0) {
    return "There is no nginx; as root on Debian it would be installed, else: apt-get install nginx";
  }
  console.warn("No nginx: installing Debian's package …");
  await succeeds("apt-get", ["update", "-qq"]);
  await succeeds("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "nginx-light"]);
  return await succeeds("nginx", ["-v"]) ? undefined : "apt-get install nginx-light did not work";
}

async function succeeds(command: string, args: string[]): Promise<boolean> {
  try {
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    const options = { args, env, stdout: "null", stderr: "null" } as const;
    return (await new Deno.Command(command, options).output()).success;
  } catch {
    return false;
  }
}

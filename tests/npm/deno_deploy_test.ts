/**
 * The entry for Deno Deploy, as far as that can be had elsewhere: its version of Deno, no flags but those of
 * deno.json, an address that comes from the environment, proxies before it that say who the client is, NATS by
 * its WebSocket.
 *
 * @module
 */
import assert from "node:assert/strict";
import { connect } from "@nats-io/transport";
import { freePort } from "../harness/free_port.ts";
import { killNow } from "../harness/kill.ts";
import { type NatsServer, startNats } from "../harness/nats_server.ts";
import { natsHeaders } from "../harness/setup.ts";
import { until, within } from "../harness/waiting.ts";
import { Client } from "../harness/websocket.ts";
import { findDeployedDeno, run } from "./runtimes.ts";

const ROOT = new URL("../../", import.meta.url);
const CLIENT = "203.0.113.7";
/** From SIGINT on, until it is killed. */
const TIME_TO_STOP_MS = 5000;

Deno.test("on Deno Deploy, the request that starts an instance is answered, and WebSockets are told its end", async () => {
  await using world = await World.open();
  const port = freePort();
  const process = world.start(`tcp:127.0.0.1:${port}`);
  const first = await ask(`http://127.0.0.1:${port}/`);
  assert.equal(first, `Hello ${CLIENT}`);
  const socket = await Client.connect(`ws://127.0.0.1:${port}/`);
  socket.send("ping");
  assert.equal(await socket.next(), "ping");

  process.kill("SIGINT");
  const { code } = await within(process.status, "its end", TIME_TO_STOP_MS);
  assert.equal(code, 0);
  assert.equal((await socket.closed).code, 1001);
});

Deno.test("on Deno Deploy, what it listens on need not be an address of the internet", async () => {
  await using world = await World.open();
  const path = `${world.folder}/socket`;
  world.start(`unix:${path}`);
  const curl = ["--silent", "--unix-socket", path, "http://127.0.0.1/"];
  await until(() => isThere(path), path);
  assert.match(await run("curl", { args: curl }), /^Hello/);
});

/** NATS with its WebSocket, a workload, and the folder that is deployed. */
class World implements AsyncDisposable {
  readonly folder: string;
  readonly #deno: string;
  readonly #natsUrl: string;
  readonly #stack: AsyncDisposableStack;
  readonly #args: readonly string[];

  private constructor(
    { folder, deno, natsUrl, stack, args }: {
      folder: string;
      deno: string;
      natsUrl: string;
      stack: AsyncDisposableStack;
      args: readonly string[];
    },
  ) {
    this.folder = folder;
    this.#deno = deno;
    this.#natsUrl = natsUrl;
    this.#stack = stack;
    this.#args = args;
  }

  static async open(): Promise<World> {
    await using stack = new AsyncDisposableStack();
    const port = freePort();
    const config = `websocket { listen: "127.0.0.1:${port}", no_tls: true }`;
    const nats = stack.use(await startNats({ jetstream: false, config }));
    const nc = stack.adopt(await work(nats), (nc) => nc.close());
    await nc.flush();
    const folder = await Deno.makeTempDir({ prefix: "h8s-deploy-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    const args = await deploy(folder);
    const deno = await findDeployedDeno();
    return new World({
      folder,
      deno,
      natsUrl: `ws://127.0.0.1:${port}`,
      args,
      stack: stack.move(),
    });
  }

  /** Runs what was deployed. */
  start(address: string): Deno.ChildProcess {
    const process = new Deno.Command(this.#deno, {
      args: ["run", "--allow-all", "--no-check", ...this.#args],
      cwd: this.folder,
      env: {
        DENO_SERVE_ADDRESS: address,
        DENO_TRUST_PROXY_HEADERS: "1",
        H8S_NATS_URL: this.#natsUrl,
        H8S_LOG_LEVEL: "error",
      },
    }).spawn();
    this.#stack.defer(async () => {
      killNow(process);
      await process.status;
    });
    return process;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** Says who asked, and says again what a WebSocket says. */
async function work({ url }: NatsServer) {
  const nc = await connect({ servers: url });
  nc.subscribe("h8s.http.>", {
    callback: (_, message) => {
      const text = `Hello ${message.headers?.get("X-Forwarded-For")}`;
      message.respond(text, { headers: natsHeaders(["Content-Length", String(text.length)]) });
    },
  });
  nc.subscribe("h8s.ws.>", { callback: (_, message) => void message.respond(message.data) });
  return nc;
}

/** Puts what is in deploy/deno-deploy into a folder, with these sources for the package. */
async function deploy(folder: string): Promise<string[]> {
  const read = async (path: string) => JSON.parse(await Deno.readTextFile(new URL(path, ROOT)));
  const [own, config] = [await read("deno.json"), await read("deploy/deno-deploy/deno.json")];
  assert.deepEqual(Object.keys(config.imports), ["@h8s/gateway/main"]);
  const imports = { ...own.imports, "@h8s/gateway/main": new URL("main.ts", ROOT).href };
  await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ ...config, imports }));
  await Deno.copyFile(new URL("deno.lock", ROOT), `${folder}/deno.lock`);
  const { entrypoint, args } = config.deploy.runtime;
  const entry = new URL(`deploy/deno-deploy/${entrypoint}`, ROOT);
  await Deno.copyFile(entry, `${folder}/${entrypoint}`);
  return [entrypoint, ...args];
}

/** The first answer that there is. */
async function ask(url: string): Promise<string> {
  let response: Response | undefined;
  await until(async () => {
    const headers = { "X-Deno-Client-Address": `${CLIENT}:4711` };
    response = await fetch(url, { headers }).catch(() => undefined);
    return response !== undefined;
  }, `an answer at ${url}`);
  return await response!.text();
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

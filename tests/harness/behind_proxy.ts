/**
 * Two gateways behind a proxy, which has the file that stands in deploy/.
 *
 * @module
 */
import assert from "node:assert/strict";
import { freePort } from "./free_port.ts";
import { GatewayProcess } from "./gateway.ts";
import { Proxy, type ProxyName } from "./proxy.ts";
import { until } from "./waiting.ts";

const FILES: Readonly<Record<ProxyName, string>> = {
  nginx: "../../deploy/nginx/h8s.conf",
  haproxy: "../../deploy/haproxy/haproxy.cfg",
  caddy: "../../deploy/caddy/Caddyfile",
};
/** What a proxy sets, as its file says. */
const SET: Readonly<Record<ProxyName, string>> = {
  nginx: "X-Forwarded-For,X-Forwarded-Proto,X-Forwarded-Host",
  haproxy: "X-Forwarded-For,X-Forwarded-Proto",
  caddy: "X-Forwarded-For,X-Forwarded-Proto,X-Forwarded-Host",
};
const HOSTS = ["127.0.0.1", "127.0.0.2"] as const;
const CLIENTS = 8;

/** A proxy and what is behind it. */
export interface BehindProxy extends AsyncDisposable {
  readonly proxy: Proxy;
  /**
   * Restarts one gateway after another, while clients ask without a pause.
   *
   * @param ask A client's next request, the `count`th from 0; returns what is wrong with its answer.
   * @returns How many were asked, and all that went wrong.
   */
  restartUnder(ask: Ask): Promise<{ asked: number; failed: readonly string[] }>;
}

type Ask = (client: number, count: number) => Promise<string | undefined>;

/** The configuration that stands in deploy/, for `gateway-1` and `gateway-2`. */
export function readProxyFile(name: ProxyName): Promise<string> {
  return Deno.readTextFile(new URL(FILES[name], import.meta.url));
}

/**
 * Starts gateways on two addresses with the same ports, and the proxy in front.
 *
 * @param name Which one.
 * @param natsUrl Where the gateways find NATS.
 * @returns When the proxy listens.
 */
export async function startBehindProxy(name: ProxyName, natsUrl: string): Promise<BehindProxy> {
  await using stack = new AsyncDisposableStack();
  const port = freePort();
  const adminPort = freePort();
  const start = (host: string) =>
    GatewayProcess.start([
      ...["--nats-url", natsUrl],
      ...["--listen", `${host}:${port}`, "--admin", `${host}:${adminPort}`],
      ...["--trusted-proxies", "127.0.0.0/8", "--proxy-headers", SET[name]],
      ...["--drain-delay", "2s", "--max-body-size", "32MiB"],
    ]);
  const gateways = await Promise.all(HOSTS.map(start));
  stack.defer(async () => {
    for (const gateway of gateways) await gateway[Symbol.asyncDispose]();
  });
  const file = await readProxyFile(name);
  const text = HOSTS.reduce(
    (text, host, index) => text.replaceAll(`gateway-${index + 1}:8080`, `${host}:${port}`),
    file.replaceAll("8081", `${adminPort}`),
  );
  const proxy = stack.use(await Proxy.start(name, text));
  const own = stack.move();

  const restart = async (index: number) => {
    gateways[index]!.kill("SIGTERM");
    assert.equal((await gateways[index]!.ended).code, 0);
    gateways[index] = await start(HOSTS[index]!);
    // Until the proxy has come back to it, only the other gateway would be left when that restarts.
    const metrics = `http://${HOSTS[index]}:${adminPort}/metrics`;
    const answered = /requests_total\{status="2xx"\} [1-9]/;
    await until(
      async () => answered.test(await (await fetch(metrics)).text()),
      "the proxy has come back",
    );
  };
  return {
    proxy,
    async restartUnder(ask) {
      const load = new Load(ask);
      for (const index of HOSTS.keys()) {
        const before = load.asked;
        await restart(index);
        assert.ok(load.asked > before, "requests were made meanwhile");
      }
      return await load.end();
    },
    [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
  };
}

/** Clients that ask one thing after another. */
class Load {
  readonly #clients: readonly Promise<void>[];
  readonly #failed: string[] = [];
  #isOver = false;
  asked = 0;

  constructor(ask: Ask) {
    this.#clients = Array.from({ length: CLIENTS }, (_, client) => this.#run(client, ask));
  }

  async end(): Promise<{ asked: number; failed: readonly string[] }> {
    this.#isOver = true;
    await Promise.all(this.#clients);
    return { asked: this.asked, failed: this.#failed };
  }

  async #run(client: number, ask: Ask): Promise<void> {
    for (let count = 0; !this.#isOver; count++) {
      const wrong = await ask(client, count).catch(String);
      if (wrong !== undefined) this.#failed.push(wrong);
      this.asked++;
    }
  }
}

/**
 * The proxies of deploy/ in front of two gateways, with the files as they stand there.
 *
 * @module
 */
import { until } from "../harness/waiting.ts";
import assert from "node:assert/strict";
import { get, type IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import { connect } from "@nats-io/transport";
import { serve } from "../../lib/workload/mod.ts";
import { freePort } from "../harness/free_port.ts";
import { GatewayProcess } from "../harness/gateway.ts";
import { startNats } from "../harness/nats_server.ts";
import { runMain } from "../harness/program.ts";
import { Proxy, type ProxyName, proxyTest } from "../harness/proxy.ts";
import { assertShown } from "../harness/troubles.ts";
import { Client } from "../harness/websocket.ts";

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
/** What a proxy passes on again when a gateway stops: Caddy nothing that has a body. */
const RESENT: Readonly<Record<ProxyName, readonly string[]>> = {
  nginx: ["GET", "POST"],
  haproxy: ["GET", "POST"],
  caddy: ["GET"],
};
const CLIENTS = 8;
const UPLOAD_BYTES = 20_000_000;

for (const proxy of Object.keys(FILES) as ProxyName[]) {
  await proxyTest(
    proxy,
    "requests, uploads, event streams, WebSockets and addresses pass",
    async () => {
      await using setup = await setUp(proxy);
      const { url, port } = setup.proxy;

      const seen = await askFrom("127.0.0.9", `${url}/seen/a%2Fb//c?q=%20`, {
        "X-Forwarded-For": "6.6.6.6",
        "X-Real-Ip": "6.6.6.6",
        "Forwarded": "for=6.6.6.6",
        "X-Forwarded-Host": "6.6.6.6",
        "X-Forwarded-User": "6.6.6.6",
        "X-Request-Id": "6.6.6.6",
        "X-Ssl-Client-Verify": "6.6.6.6",
        "Shib-Session": "6.6.6.6",
        "X-Original-URL": "/6.6.6.6",
        "X-Auth-Request-User": "6.6.6.6",
        "CF-Connecting-IP": "6.6.6.6",
      });
      assert.equal(seen["host"], `127.0.0.1:${port}`);
      assert.equal(seen["path"], "/seen/a%2Fb//c?q=%20");
      assert.equal(seen["client"], "127.0.0.9, 127.0.0.1");
      assert.equal(seen["proto"], "http");
      assert.ok(
        !JSON.stringify(seen["headers"]).includes("6.6.6.6"),
        JSON.stringify(seen["headers"]),
      );

      const upload = await fetch(`${url}/length`, { method: "POST", body: pieces(UPLOAD_BYTES) });
      assert.equal(await upload.text(), `${UPLOAD_BYTES}`);

      const events = (await fetch(`${url}/events`)).body!.pipeThrough(new TextDecoderStream());
      const reader = events.getReader();
      // The second one is written when the first one has been asked for: so nothing collected them.
      assert.equal((await reader.read()).value, "data: 1\n\n");
      await (await fetch(`${url}/next`)).text();
      assert.equal((await reader.read()).value, "data: 2\n\n");
      await reader.cancel();

      await using client = await Client.connect(`ws://127.0.0.1:${port}/chat`);
      client.send("hello");
      assert.equal(await client.next(), "127.0.0.1, 127.0.0.1 says hello");
      await client.close(4000, "done");
    },
  );

  await proxyTest(proxy, "gateways restart one after another, and no request is lost", async () => {
    await using setup = await setUp(proxy);
    const { url } = setup.proxy;
    let isOver = false;
    let done = 0;
    const failed: string[] = [];
    const ask = async (client: number) => {
      for (let count = 0; !isOver; count++) {
        const method = RESENT[proxy][count % RESENT[proxy].length]!;
        const body = method === "POST" ? `${client} ${count}` : null;
        const response = await fetch(`${url}/echo`, { method, body })
          .catch((error) => new Response(String(error), { status: 599 }));
        const text = await response.text();
        if (response.status !== 200 || text !== (body ?? "")) {
          failed.push(`${method} ${response.status} ${text}`);
        }
        done++;
      }
    };
    const clients = Array.from({ length: CLIENTS }, (_, client) => ask(client));
    for (const index of [0, 1]) {
      const before = done;
      await setup.restart(index);
      assert.ok(done > before, "requests were made meanwhile");
    }
    isOver = true;
    await Promise.all(clients);
    assert.deepEqual(failed, []);
    console.log(`${proxy}: ${done} requests, none lost`);
  });
}

await proxyTest(
  "nginx",
  "A wrong Host from the proxy is seen as docs/observe.md shows it",
  async () => {
    await using nats = await startNats({ jetstream: false });
    await using gateway = await GatewayProcess.start([
      ...["--nats-url", nats.url, "--access-log", "text"],
    ]);
    const file = await Deno.readTextFile(new URL(FILES.nginx, import.meta.url));
    const text = file.replaceAll(/gateway-\d:8080/g, `127.0.0.1:${gateway.port}`)
      .replace("proxy_set_header Host $http_host;", "");
    await using proxy = await Proxy.start("nginx", text);
    const access = gateway.printed();
    await (await fetch(`${proxy.url}/cart/7`)).body?.cancel();
    const { value: failed } = await access.next();
    const args = ["subject", "http://gateways/cart/7", "--host-filters", "shop.example"];
    assertShown("A wrong Host from the proxy", [failed, (await runMain(args)).stdout]);
  },
);

interface Setup extends AsyncDisposable {
  readonly proxy: Proxy;
  /** Stops a gateway in order, starts it anew, and waits until it has been asked something. */
  restart(index: number): Promise<void>;
}

/** NATS, a workload, two gateways on two addresses with the same ports, and a proxy in front. */
async function setUp(name: ProxyName): Promise<Setup> {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats({ jetstream: false }));
  const nc = await connect({ servers: nats.url });
  stack.defer(() => nc.close());
  await stack.use(startWorkload(nc)).ready;

  const port = freePort();
  const adminPort = freePort();
  const hosts = ["127.0.0.1", "127.0.0.2"];
  const start = async (host: string) => {
    const own = ["--listen", `${host}:${port}`, "--admin", `${host}:${adminPort}`];
    const trust = ["--trusted-proxies", "127.0.0.0/8", "--proxy-headers", SET[name]];
    return await GatewayProcess.start([
      "--nats-url",
      nats.url,
      ...own,
      ...trust,
      ...["--drain-delay", "2s"],
      "--max-body-size",
      "32MiB",
    ]);
  };
  const gateways = await Promise.all(hosts.map(start));
  stack.defer(async () => {
    for (const gateway of gateways) await gateway[Symbol.asyncDispose]();
  });
  const file = await Deno.readTextFile(new URL(FILES[name], import.meta.url));
  const text = hosts.reduce(
    (text, host, index) => text.replaceAll(`gateway-${index + 1}:8080`, `${host}:${port}`),
    file.replaceAll("8081", `${adminPort}`),
  );
  const proxy = stack.use(await Proxy.start(name, text));
  const own = stack.move();
  return {
    proxy,
    restart: async (index) => {
      gateways[index]!.kill("SIGTERM");
      assert.equal((await gateways[index]!.ended).code, 0);
      const gateway = gateways[index] = await start(hosts[index]!);
      // Until the proxy has come back to it, only the other gateway would be left when that restarts.
      const metrics = `http://${hosts[index]}:${adminPort}/metrics`;
      const answered = /requests_total\{status="2xx"\} [1-9]/;
      await until(
        async () => answered.test(await (await fetch(metrics)).text()),
        "the proxy has come back",
      );
      assert.ok(gateway.pid > 0);
    },
    [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
  };
}

function startWorkload(nc: Parameters<typeof serve>[0]): ReturnType<typeof serve> {
  let writeNext = () => {};
  const pages: Record<string, (request: Request) => Response | Promise<Response>> = {
    echo: (request) => new Response(request.body),
    length: async (request) => {
      let bytes = 0;
      for await (const chunk of request.body!) bytes += chunk.length;
      return new Response(`${bytes}`);
    },
    events: () => {
      const { readable, writable } = new TransformStream<string, string>();
      const writer = writable.getWriter();
      const write = (text: string) => void writer.write(text).catch(() => {});
      writeNext = () => write("data: 2\n\n");
      write("data: 1\n\n");
      return new Response(readable.pipeThrough(new TextEncoderStream()), {
        headers: { "Content-Type": "text/event-stream" },
      });
    },
    next: () => {
      writeNext();
      return new Response("ok");
    },
    seen: ({ url, headers }) => {
      const { host, pathname, search } = new URL(url);
      const seen = {
        host: headers.get("X-H8s-Original-Host") ?? host,
        path: pathname + search,
        client: headers.get("X-Forwarded-For"),
        proto: headers.get("X-Forwarded-Proto"),
        headers: [...headers],
      };
      return Response.json(seen);
    },
  };
  return serve(nc, {
    host: "*",
    websocket: {
      "/chat": {
        message: (connection, data) => {
          connection.send(`${connection.request.headers.get("X-Forwarded-For")} says ${data}`);
        },
      },
    },
  }, (request) => {
    const page = new URL(request.url).pathname.split("/")[1] ?? "";
    return pages[page]?.(request) ?? new Response("not here", { status: 404 });
  });
}

/** Asks from an address of its own, as `fetch()` cannot. */
async function askFrom(localAddress: string, url: string, headers: Record<string, string>) {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  get(url, { localAddress, headers, agent: false }, resolve).on("error", reject);
  return await json(await promise) as { [name: string]: unknown };
}

/** A body of unknown length. */
function pieces(bytes: number): ReadableStream<Uint8Array> {
  let left = bytes;
  return new ReadableStream({
    pull(controller) {
      const size = Math.min(left, 65_536);
      controller.enqueue(new Uint8Array(size));
      left -= size;
      if (left === 0) controller.close();
    },
  });
}

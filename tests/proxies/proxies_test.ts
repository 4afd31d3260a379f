/**
 * The proxies of deploy/ in front of two gateways, with the files as they stand there.
 *
 * @module
 */
import assert from "node:assert/strict";
import { connect } from "@nats-io/transport";
import { serve } from "../../lib/workload/mod.ts";
import { type BehindProxy, readProxyFile, startBehindProxy } from "../harness/behind_proxy.ts";
import { startNats } from "../harness/nats_server.ts";
import { askFrom } from "../harness/ask_from.ts";
import { GatewayProcess } from "../harness/gateway.ts";
import { runMain } from "../harness/program.ts";
import { Proxy, type ProxyName, proxyTest } from "../harness/proxy.ts";
import { assertShown } from "../harness/troubles.ts";
import { Client } from "../harness/websocket.ts";

/** What a proxy passes on again when a gateway stops: Caddy nothing that has a body. */
const RESENT: Readonly<Record<ProxyName, readonly string[]>> = {
  nginx: ["GET", "POST"],
  haproxy: ["GET", "POST"],
  caddy: ["GET"],
};
const UPLOAD_BYTES = 20_000_000;

for (const proxy of Object.keys(RESENT) as ProxyName[]) {
  await proxyTest(
    proxy,
    "requests, uploads, event streams, WebSockets and addresses pass",
    async () => {
      await using setup = await setUp(proxy);
      const { url, port } = setup.proxy;

      const seen = JSON.parse(
        await askFrom("127.0.0.9", `${url}/seen/a%2Fb//c?q=%20`, {
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
        }),
      );
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
    const { asked, failed } = await setup.restartUnder(async (client, count) => {
      const method = RESENT[proxy][count % RESENT[proxy].length]!;
      const body = method === "POST" ? `${client} ${count}` : null;
      const response = await fetch(`${setup.proxy.url}/echo`, { method, body });
      const text = await response.text();
      const isRight = response.status === 200 && text === (body ?? "");
      return isRight ? undefined : `${method} ${response.status} ${text}`;
    });
    assert.deepEqual(failed, []);
    console.log(`${proxy}: ${asked} requests, none lost`);
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
    const file = await readProxyFile("nginx");
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

/** NATS, a workload, two gateways, and a proxy in front. */
async function setUp(name: ProxyName): Promise<BehindProxy> {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats({ jetstream: false }));
  const nc = await connect({ servers: nats.url });
  stack.defer(() => nc.close());
  await stack.use(startWorkload(nc)).ready;
  const behind = stack.use(await startBehindProxy(name, nats.url));
  const own = stack.move();
  return { ...behind, [Symbol.asyncDispose]: () => own[Symbol.asyncDispose]() };
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

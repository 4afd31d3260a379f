import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Program } from "../harness/program.ts";
import { startReverse } from "../harness/reverse.ts";
import { open, write } from "../harness/raw_http.ts";
import { listen, setUp } from "../harness/setup.ts";
import { Client } from "../harness/websocket.ts";

const CHUNK = new Uint8Array(64 * 1024).map((_, index) => index * 31);
const HUNDRED_MB = 1600;

interface Backend extends AsyncDisposable {
  readonly port: number;
  /** What its WebSockets saw: the handshake's headers, then how each one ended. */
  readonly handshakes: Headers[];
  readonly closes: Promise<CloseEvent>[];
}

/** A plain local server that knows nothing of NATS. */
function startBackend(): Backend {
  const handshakes: Headers[] = [];
  const closes: Promise<CloseEvent>[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    switch (pathname) {
      case "/large":
        return new Response(ReadableStream.from(chunks()));
      case "/hash":
        return new Response(await hashOf(request.body!));
      case "/redirect":
        return new Response(null, { status: 302, headers: { location: "/elsewhere" } });
      case "/slow":
        await new Promise((resolve) => request.signal.addEventListener("abort", resolve));
        return new Response();
      case "/events":
        return new Response(
          ReadableStream.from(["data: 1\n\n", "data: 2\n\n"]).pipeThrough(new TextEncoderStream()),
          {
            headers: { "content-type": "text/event-stream" },
          },
        );
      case "/ws": {
        handshakes.push(new Headers(request.headers));
        const { socket, response } = Deno.upgradeWebSocket(request, {
          ...(request.headers.has("sec-websocket-protocol") ? { protocol: "chat" } : {}),
        });
        closes.push(new Promise((resolve) => socket.addEventListener("close", resolve)));
        socket.onmessage = ({ data }) => {
          if (data === "close me") socket.close(4002, "as you wish");
          else socket.send(data);
        };
        return response;
      }
    }
    const headers = new Headers([["set-cookie", "a=1"], ["set-cookie", "b=2"]]);
    const seen = { url: pathname + search, method: request.method, headers: [...request.headers] };
    return Response.json(seen, { headers });
  });
  return {
    port: server.addr.port,
    handshakes,
    closes,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("the reverse daemon puts a local HTTP server behind NATS", async (t) => {
  await using setup = await setUp(["--max-body-size", "1GiB"]);
  await using backend = startBackend();
  await using reverse = await startReverse({ natsUrl: setup.nats.url, port: backend.port });
  const { gateway } = setup;

  await t.step("request and response cross as they are", async () => {
    const response = await fetch(`${gateway.url}/a%2Fb//c?d=%20`, {
      method: "PUT",
      body: "x",
      headers: { "x-mine": "1" },
    });
    const seen = await response.json();
    assert.equal(seen.url, "/a%2Fb//c?d=%20");
    assert.equal(seen.method, "PUT");
    const headers = new Map<string, string>(seen.headers);
    assert.equal(headers.get("x-mine"), "1");
    assert.equal(headers.get("x-forwarded-for"), "127.0.0.1");
    assert.equal(headers.get("x-forwarded-host"), `127.0.0.1:${gateway.port}`);
    assert.equal(headers.get("host"), `127.0.0.1:${backend.port}`);
    assert.ok(![...headers.keys()].some((name) => name.startsWith("x-h8s-")));
    assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
  });
  await t.step("redirects are not followed", async () => {
    const response = await fetch(`${gateway.url}/redirect`, { redirect: "manual" });
    assert.equal(response.status, 302);
    assert.equal(response.headers.get("location"), "/elsewhere");
    await response.body?.cancel();
  });
  await t.step("server-sent events", async () => {
    const response = await fetch(`${gateway.url}/events`);
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    assert.equal(await response.text(), "data: 1\n\ndata: 2\n\n");
  });
  await t.step("100 MB down and up, byte for byte, at flat memory", async () => {
    const response = await fetch(`${gateway.url}/large`);
    assert.equal(await hashOf(response.body!), expected());
    const body = ReadableStream.from(chunks());
    const up = await fetch(`${gateway.url}/hash`, { method: "POST", body });
    assert.equal(await up.text(), expected());
    for (
      const { name, pid } of [{ name: "gateway", pid: gateway.pid }, {
        name: "reverse",
        pid: reverse.pid,
      }]
    ) {
      const peak = await peakMemory(pid);
      console.log(`peak memory of the ${name}: ${peak} MiB`);
      assert.ok(peak < 300, `${name}: ${peak} MiB`);
    }
  });
  await t.step("a client that leaves is told to the backend", async () => {
    const requests = await listen(setup.nc, "h8s.control.connection.closed.*");
    const client = await open(gateway.port);
    await write(client, `GET /slow HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    const alive = await fetch(`${gateway.url}/while-it-waits`);
    await alive.body?.cancel();
    client.close();
    let end = await requests.next();
    while (end.string() !== "ctx_done") end = await requests.next();
  });
});

Deno.test("a backend that is down is a 502", async () => {
  await using setup = await setUp();
  await using _reverse = await startReverse({ natsUrl: setup.nats.url, port: 1 });
  const response = await fetch(setup.gateway.url);
  assert.equal(response.status, 502);
  assert.equal((await response.json()).type, "urn:h8s:error:backend_unavailable");
});

Deno.test("the reverse daemon puts a local WebSocket server behind NATS", async (t) => {
  await using setup = await setUp();
  await using backend = startBackend();
  await using _reverse = await startReverse({ natsUrl: setup.nats.url, port: backend.port });
  const url = `ws://127.0.0.1:${setup.gateway.port}/ws`;

  await t.step("messages both ways, what is said at once included", async () => {
    await using client = await Client.connect(`${url}?x=1`, ["chat", "other"]);
    client.send("first");
    client.send(Uint8Array.of(1, 2, 255));
    assert.equal(await client.next(), "first");
    assert.deepEqual(await client.next(), Uint8Array.of(1, 2, 255));
    const handshake = backend.handshakes.at(-1)!;
    assert.equal(handshake.get("sec-websocket-protocol"), "chat, other");
    assert.equal(handshake.get("x-forwarded-for"), "127.0.0.1");
    assert.equal(client.protocol, "chat");
  });
  await t.step("the client's close code reaches the backend", async () => {
    const client = await Client.connect(url);
    client.send("echo");
    await client.next();
    await client.close(4001, "bye");
    const { code, reason } = await backend.closes.at(-1)!;
    assert.deepEqual([code, reason], [4001, "bye"]);
  });
  await t.step("the backend's close code reaches the client", async () => {
    await using client = await Client.connect(url);
    client.send("close me");
    const { code, reason } = await client.closed;
    assert.deepEqual([code, reason], [4002, "as you wish"]);
  });
  await t.step("a path without a WebSocket opens none", async () => {
    const connecting = Client.connect(`ws://127.0.0.1:${setup.gateway.port}/no-websocket`);
    await assert.rejects(connecting, /status code: 502/);
  });
});

Deno.test("several replicas share the work, and each holds the sockets that it opened", async () => {
  await using setup = await setUp();
  await using backend = startBackend();
  await using first = await startReverse({ natsUrl: setup.nats.url, port: backend.port });
  await using _second = await startReverse({ natsUrl: setup.nats.url, port: backend.port });
  const url = `ws://127.0.0.1:${setup.gateway.port}/ws`;
  const clients: Client[] = [];
  for (let index = 0; index < 20; index++) clients.push(await Client.connect(url));
  for (const [index, client] of clients.entries()) {
    client.send(`to ${index}`);
    assert.equal(await client.next(), `to ${index}`);
  }
  assert.equal(backend.handshakes.length, 20, "each socket is opened once");
  first.kill("SIGTERM");
  const outcomes = clients.map((client) => client.closed.then(({ code }) => code));
  assert.equal((await first.ended).code, 0);
  for (const client of clients) client.send("still there?");
  const answers = await Promise.all(
    clients.map((client, index) => Promise.race([client.next(), outcomes[index]!])),
  );
  const restarted = answers.filter((answer) => answer === 1012).length;
  const answered = answers.filter((answer) => answer === "still there?").length;
  assert.equal(restarted + answered, 20);
  assert.ok(restarted > 0 && answered > 0, `${restarted} restarted, ${answered} answered`);
  for (const client of clients) await client[Symbol.asyncDispose]();
});

Deno.test("the reverse daemon names what its command line lacks", async () => {
  await using program = new Program(["reverse", "--hostname", "example.com"]);
  assert.equal((await program.ended).code, 2);
  assert.match(program.noise.join("\n"), /Cannot do without --backend-url/);
});

function* chunks(): Generator<Uint8Array<ArrayBuffer>> {
  for (let index = 0; index < HUNDRED_MB; index++) yield CHUNK;
}

function expected(): string {
  const hash = createHash("sha256");
  for (const chunk of chunks()) hash.update(chunk);
  return hash.digest("hex");
}

async function hashOf(body: ReadableStream<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of body) hash.update(chunk);
  return hash.digest("hex");
}

/** MiB; from the system, so only where it tells. */
async function peakMemory(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
}

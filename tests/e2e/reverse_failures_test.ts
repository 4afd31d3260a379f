import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import {
  type AddressInfo,
  createServer as createNetServer,
  type Server as NetServer,
  type Socket,
} from "node:net";
import { type WebSocket as BackendSocket, WebSocketServer } from "ws";
import { fetchOnce } from "../harness/fetch_once.ts";
import { freePort } from "../harness/free_port.ts";
import type { Program } from "../harness/program.ts";
import { startReverse } from "../harness/reverse.ts";
import { setUp } from "../harness/setup.ts";
import { until } from "../harness/waiting.ts";
import { Client, HANDSHAKE, rawHandshake } from "../harness/websocket.ts";

/** A local server that dies when it is told to, and takes all its connections with it. */
class MortalBackend implements AsyncDisposable {
  /** The targets that were asked for, in order. */
  readonly asked: string[] = [];
  /** How many bytes of bodies came. */
  received = 0;
  /** What its WebSockets heard. */
  readonly heard: string[] = [];
  readonly #sockets = new Set<Socket>();
  #server: Server = this.#create();

  static async start(port = 0): Promise<MortalBackend> {
    const backend = new MortalBackend();
    backend.#server.listen(port, "127.0.0.1");
    await once(backend.#server, "listening");
    return backend;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** As the system would do it for a process that was killed. */
  die(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const isListening = this.#server.listening;
    const closed = isListening ? once(this.#server, "close") : undefined;
    this.die();
    await closed;
  }

  #create(): Server {
    const server = createServer((request, response) => this.#answer(request, response));
    const webSockets = new WebSocketServer({ noServer: true });
    server.on("connection", (socket: Socket) => this.#sockets.add(socket));
    server.on("upgrade", (request, socket, head) => {
      webSockets.handleUpgrade(request, socket, head, (ws: BackendSocket) => {
        ws.on("error", () => {});
        ws.on("message", (data: Uint8Array) => {
          this.heard.push(String(data));
          ws.send("heard");
        });
      });
    });
    return server;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.asked.push(request.url!);
    request.on("error", () => {});
    request.on("data", ({ length }) => this.received += length);
    switch (request.url) {
      case "/never":
      case "/upload":
        return;
      case "/endless":
        response.write("begin");
        return;
      default:
        response.end("fine");
    }
  }
}

function linesOf({ lines }: Program, message: string) {
  return lines.filter((line) => line.message === message);
}

Deno.test("a backend that is down is told once, and when it is back, with the requests that failed", async () => {
  await using setup = await setUp();
  const { gateway, nats } = setup;
  const port = freePort();
  await using reverse = await startReverse({ natsUrl: setup.nats.url, port });
  const { server } = await reverse.logged("nats connected");
  assert.equal(server, `127.0.0.1:${nats.port}`, "which server it is connected to");
  for (let count = 0; count < 5; count++) {
    const response = await fetchOnce(gateway.url);
    assert.equal(response.status, 502);
    assert.equal((await response.json()).type, "urn:h8s:error:backend_unavailable");
  }
  await assert.rejects(Client.connect(gateway.url.replace("http", "ws")), /502/);
  const origin = `http://127.0.0.1:${port}`;
  const { backend, requests, error } = await reverse.logged("the backend does not answer");
  assert.deepEqual([backend, requests], [origin, 1]);
  assert.match(String(error), /refused/i);

  await using _backend = await MortalBackend.start(port);
  assert.equal(await (await fetchOnce(gateway.url)).text(), "fine");
  const again = await reverse.logged("the backend answers again");
  assert.deepEqual([again.backend, again.failed], [origin, 6]);
  assert.equal(linesOf(reverse, "the backend does not answer").length, 1);
});

Deno.test("a backend that dies costs what it had begun, visibly, and nothing is asked twice", async (t) => {
  await using setup = await setUp();
  const { gateway } = setup;
  const port = freePort();
  await using reverse = await startReverse({ natsUrl: setup.nats.url, port });

  await t.step("before it answers: 502", async () => {
    for (const method of ["GET", "POST"]) {
      await using backend = await MortalBackend.start(port);
      const asked = fetchOnce(`${gateway.url}/never`, { method });
      await until(() => backend.asked.length > 0, "the backend is asked");
      backend.die();
      const response = await asked;
      await response.body?.cancel();
      assert.equal(response.status, 502);
      assert.deepEqual(backend.asked, ["/never"]);
    }
  });
  await t.step("in the middle of an upload: 502", async () => {
    await using backend = await MortalBackend.start(port);
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const asked = fetchOnce(`${gateway.url}/upload`, {
      method: "POST",
      headers: { "content-length": "1900000" },
      body: readable,
    });
    const writer = writable.getWriter();
    writer.write(new Uint8Array(1_500_000)).catch(() => {});
    await until(() => backend.received > 0, "the backend reads");
    backend.die();
    const response = await asked;
    await response.body?.cancel();
    assert.equal(response.status, 502);
    assert.deepEqual(backend.asked, ["/upload"]);
    await writer.close().catch(() => {});
  });
  await t.step("in the middle of a response: cut off", async () => {
    await using backend = await MortalBackend.start(port);
    const response = await fetchOnce(`${gateway.url}/endless`);
    const reader = response.body!.getReader();
    assert.equal(new TextDecoder().decode((await reader.read()).value), "begin");
    backend.die();
    await assert.rejects(reader.read());
    assert.deepEqual(backend.asked, ["/endless"]);
  });
  await t.step("in the middle of a WebSocket: 1011", async () => {
    await using backend = await MortalBackend.start(port);
    const client = await Client.connect(gateway.url.replace("http", "ws"));
    client.send("one");
    assert.equal(await client.next(), "heard");
    backend.die();
    assert.equal((await client.closed).code, 1011);
    assert.deepEqual(backend.heard, ["one"]);
  });
  await t.step("another one in its place is asked as if nothing had been", async () => {
    await using _backend = await MortalBackend.start(port);
    assert.equal(await (await fetchOnce(gateway.url)).text(), "fine");
    await using client = await Client.connect(gateway.url.replace("http", "ws"));
    client.send("two");
    assert.equal(await client.next(), "heard");
  });
  assert.equal(linesOf(reverse, "something failed that should not").length, 0);
  assert.deepEqual(reverse.noise, []);
});

/** A backend by hand: answers each head with bytes, and hangs up only when the other side does. */
async function startByHand(answer: (head: string) => string): Promise<NetServer> {
  const server = createNetServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (head) => socket.write(answer(String(head)), "latin1"));
    socket.on("end", () => socket.end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

Deno.test("what is of one hop stays there, and who says goodbye need not hang up", async (t) => {
  const goodbye = "\x88\x06\x0f\xa1late";
  await using server = await startByHand((head) => {
    const hop = "Connection: X-Hop, Upgrade\r\nX-Hop: 1\r\nX-Open: 1\r\n";
    const key = /^sec-websocket-key: (.*)\r$/im.exec(head)?.[1];
    if (key === undefined) return `HTTP/1.1 200 OK\r\n${hop}Content-Length: 2\r\n\r\nok`;
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
    return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n${hop}` +
      `Sec-WebSocket-Accept: ${accept.digest("base64")}\r\n\r\n${goodbye}`;
  });
  const { port } = server.address() as AddressInfo;
  await using setup = await setUp();
  const { gateway } = setup;
  await using _reverse = await startReverse({ natsUrl: setup.nats.url, port });

  await t.step("what a backend's Connection names is not for the client", async () => {
    const { headers, body } = await fetchOnce(gateway.url);
    await body?.cancel();
    assert.deepEqual([headers.get("x-hop"), headers.get("x-open")], [null, "1"]);
    const [line, , ...rest] = HANDSHAKE;
    const { conn, response } = await rawHandshake(gateway.port, [
      line!,
      "Host: 127.0.0.1",
      ...rest,
    ]);
    conn.close();
    assert.match(response, /^HTTP\/1.1 101 [^]*x-open: 1/i);
    assert.doesNotMatch(response, /x-hop/i);
  });
  await t.step("its goodbye reaches the client at once, though it does not hang up", async () => {
    const client = await Client.connect(gateway.url.replace("http", "ws"));
    const { code, reason } = await client.closed;
    assert.deepEqual([code, reason], [4001, "late"]);
  });
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { BusState } from "../../../lib/nats/bus.ts";
import { toLogin } from "../../../lib/nats/client/login.ts";
import { Session } from "../../../lib/nats/client/session.ts";
import { startNats } from "../../harness/nats_server.ts";
import { within } from "../../harness/waiting.ts";
import { UncaughtErrors } from "../uncaught_errors.ts";
import { Received, untilState } from "../waiting.ts";

const ABSURD = "99999999999999";

for (
  const [what, bytes, fastLane] of [
    ["a size that nobody has memory for", `MSG a SID ${ABSURD}\r\n`, true],
    ["what is no message", "NONSENSE\r\n", true],
    ["what is no message, the lane off", "NONSENSE\r\n", false],
  ] as const
) {
  Deno.test(`a connection over which ${what} came is left at once for a new one`, async () => {
    using uncaught = new UncaughtErrors();
    await using server = await OddServer.start(bytes);
    const faults: string[] = [];
    await using session = new Session({
      ...toOptions(server.url),
      fastLane,
      onFault: (stage) => faults.push(stage),
    });
    const received = Received.later(session, "a");
    await untilState(session, "connected");
    const begun = performance.now();
    await received.until(1);
    assert.ok(performance.now() - begun < 4000, "before a question that is not answered tells");
    assert.equal(new TextDecoder().decode(received.all[0]!.data), "hello");
    assert.equal(session.reconnects, 1);
    assert.deepEqual(faults, what.startsWith("a size") ? ["session"] : []);
    assert.deepEqual(uncaught.messages, []);
  });
}

Deno.test("who throws where NATS is back is told once more, over a new connection, and the others as well", async () => {
  await using nats = await startNats({ jetstream: false });
  const faults: unknown[] = [];
  await using session = new Session({
    ...toOptions(nats.url),
    onFault: (...fault) => faults.push(fault),
  });
  const heard: BusState[] = [];
  const error = new Error("not now");
  const { promise: isDone, resolve } = Promise.withResolvers<void>();
  let calls = 0;
  session.onState((state) => {
    if (state === "connected" && ++calls === 1) throw error;
    if (state === "connected") resolve();
  });
  session.onState((state) => heard.push(state));
  await within(isDone, "the second time");
  assert.deepEqual(faults, [["session", error]]);
  assert.deepEqual(heard, ["connected", "disconnected", "connected"]);
  const received = await Received.on(session, "a");
  session.publish("a", new Uint8Array());
  await received.until(1);
});

Deno.test("who throws again and again does not keep a Session from being connected", async () => {
  await using nats = await startNats({ jetstream: false });
  let faults = 0;
  await using session = new Session({ ...toOptions(nats.url), onFault: () => faults++ });
  session.onState((state) => {
    if (state === "connected") throw new Error("never");
  });
  await untilState(session, "connected");
  await untilState(session, "disconnected");
  await untilState(session, "connected");
  const received = await Received.on(session, "a");
  session.publish("a", new Uint8Array());
  await received.until(1);
  assert.deepEqual([faults, session.reconnects, session.state], [2, 1, "connected"]);
});

Deno.test("what a message's taker throws costs nobody else a message", async () => {
  await using nats = await startNats({ jetstream: false });
  const faults: unknown[] = [];
  await using session = new Session({
    ...toOptions(nats.url),
    onFault: (...fault) => faults.push(fault),
  });
  await untilState(session, "connected");
  const error = new Error("odd");
  session.subscribe("a", () => {
    throw error;
  });
  const received = await Received.on(session, "a");
  for (let count = 0; count < 3; count++) session.publish("a", new Uint8Array());
  await received.until(3);
  assert.deepEqual(faults, Array(3).fill(["message", error]));
  assert.equal(session.reconnects, 0);
});

/** Says something odd to whoever subscribes over its first connection, and what is right over all others. */
class OddServer implements AsyncDisposable {
  readonly #server = createServer((socket) => this.#serve(socket));
  readonly #sockets = new Set<Socket>();
  readonly #odd: string;

  private constructor(odd: string) {
    this.#odd = odd;
  }

  static async start(odd: string): Promise<OddServer> {
    const server = new OddServer(odd);
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #serve(socket: Socket): void {
    const isFirst = this.#sockets.size === 0;
    this.#sockets.add(socket);
    const info = { server_id: "odd", version: "2.15.2", max_payload: 1_048_576, headers: true };
    socket.on("error", () => {});
    socket.write(`INFO ${JSON.stringify({ ...info, host: "127.0.0.1", port: this.#port })}\r\n`);
    let text = "";
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      const lines = (text += chunk).split("\r\n");
      text = lines.pop()!;
      for (const line of lines) {
        if (line === "PING") socket.write("PONG\r\n");
        const sid = /^SUB a (\d+)/.exec(line)?.[1];
        if (sid === undefined) continue;
        socket.write(isFirst ? this.#odd.replace("SID", sid) : `MSG a ${sid} 5\r\nhello\r\n`);
      }
    });
  }
}

function toOptions(url: string) {
  return {
    login: toLogin({ natsUrl: [url] }),
    name: "test",
    onRetry: () => {},
    onError: () => {},
  };
}

import assert from "node:assert/strict";
import { freePort } from "../../harness/free_port.ts";
import { toLogin } from "../../../lib/nats/client/login.ts";
import { type NatsSessionOptions, Session } from "../../../lib/nats/client/session.ts";
import { startNats } from "../../harness/nats_server.ts";
import { testBusOverNats } from "../bus_on_the_wire.ts";
import { RestartableNats } from "../restartable_nats.ts";
import { UncaughtErrors } from "../uncaught_errors.ts";
import { within } from "../../harness/waiting.ts";
import { Received, untilState } from "../waiting.ts";

for (const [name, fastLane] of [["Session", true], ["Session, fast lane off", false]] as const) {
  testBusOverNats(name, async (servers) => {
    const session = new Session({ ...toOptions(servers), fastLane });
    await untilState(session, "connected");
    return session;
  });
}

Deno.test("Session tells each attempt that failed, and connects when NATS comes", async () => {
  const port = freePort();
  const attempts: number[] = [];
  const { promise: secondAttempt, resolve } = Promise.withResolvers<void>();
  await using session = new Session({
    ...toOptions([`nats://127.0.0.1:${port}`]),
    onRetry(error, attempt) {
      assert.ok(error instanceof Error);
      attempts.push(attempt);
      if (attempt === 2) resolve();
    },
  });
  const received = Received.later(session, "a");
  const ended = Received.later(session, "a");
  assert.equal(session.publish("a", new Uint8Array()), false);
  await within(secondAttempt, "the second attempt");
  ended.unsubscribe();
  assert.deepEqual([session.state, session.connection], ["connecting", undefined]);
  assert.deepEqual([session.maxPayload, session.reconnects], [1_048_576, 0]);

  await using nats = await startNats({ jetstream: false, port, config: "max_payload: 5000" });
  await untilState(session, "connected");
  assert.equal(attempts.at(-1), attempts.length);
  assert.deepEqual([session.maxPayload, session.reconnects], [5000, 0]);
  assert.equal(session.connection?.getServer(), `127.0.0.1:${nats.port}`);
  assert.equal(session.publish("a", new Uint8Array()), true);
  await session.flush();
  assert.deepEqual([received.all.length, ended.all.length], [1, 0]);
});

Deno.test("Session connects to whichever of its servers is there", async () => {
  await using nats = await startNats({ jetstream: false });
  await using session = new Session(toOptions([`nats://127.0.0.1:${freePort()}`, nats.url]));
  await untilState(session, "connected");
});

Deno.test("Session tells what NATS does not permit", async () => {
  const permissions = `{ publish: { deny: "secret.>" }, subscribe: { deny: "secret.>" } }`;
  const user = `{ user: guest, password: guest, permissions: ${permissions} }`;
  const config = `no_auth_user: guest\nauthorization { users: [${user}] }`;
  await using nats = await startNats({ jetstream: false, config });
  const expected = [/subscription to "secret\.a"/i, /publish to "secret\.b"/i];
  const missing = new Set(expected);
  const { promise: allTold, resolve } = Promise.withResolvers<void>();
  await using session = new Session({
    ...toOptions([nats.url]),
    onError({ message }) {
      for (const part of expected) if (part.test(message)) missing.delete(part);
      if (missing.size === 0) resolve();
    },
  });
  await untilState(session, "connected");
  const received = await Received.on(session, "open");
  session.subscribe("secret.a", () => {});
  session.publish("secret.b", new Uint8Array());
  session.publish("open", new Uint8Array());
  await within(allTold, "both errors");
  await received.until(1);
  assert.equal(session.state, "connected");
});

Deno.test("Session leaves a server that hangs, whatever waits to be sent to it", async () => {
  await using first = await startNats({ jetstream: false });
  await using second = await startNats({ jetstream: false });
  await using session = new Session(toOptions([first.url, second.url]));
  await untilState(session, "connected");
  const isFirst = session.connection?.getServer() === `127.0.0.1:${first.port}`;
  const [hanging, other] = isFirst ? [first, second] : [second, first];
  hanging.kill("SIGSTOP");
  const megabyte = new Uint8Array(1_000_000);
  for (let count = 0; count < 30; count++) session.publish("a", megabyte);
  await untilState(session, "disconnected", 7000);
  // The one that hangs may be tried once more.
  await untilState(session, "connected", 10_000);
  assert.equal(session.connection?.getServer(), `127.0.0.1:${other.port}`);
});

Deno.test("a Session that never connected can be disposed of", async (t) => {
  await t.step("before its first attempt has ended", async () => {
    const session = new Session(toOptions([`nats://127.0.0.1:${freePort()}`]));
    await assertEnds(session);
  });
  await t.step("between attempts", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const session = new Session({
      ...toOptions([`nats://127.0.0.1:${freePort()}`]),
      onRetry: () => resolve(),
    });
    await within(promise, "the first attempt");
    await assertEnds(session);
  });
  await t.step("while it connects", async () => {
    await using nats = await startNats({ jetstream: false });
    await assertEnds(new Session(toOptions([nats.url])));
  });
});

Deno.test("a Session can be disposed of while a server keeps silent", async () => {
  using uncaught = new UncaughtErrors();
  await using silent = new SilentServer();
  const session = new Session(toOptions([`nats://127.0.0.1:${silent.port}`]));
  await silent.connected;
  await assertEnds(session);
  assert.deepEqual(uncaught.messages, []);
});

Deno.test("a Session that reconnects can be disposed of", async (t) => {
  await t.step("while nobody listens", async () => {
    await using nats = await RestartableNats.start();
    const session = new Session(toOptions([nats.url]));
    await untilState(session, "connected");
    await nats.kill();
    await untilState(session, "disconnected");
    await assertEnds(session);
  });
  await t.step("while a server keeps silent", async () => {
    await using nats = await RestartableNats.start();
    const session = new Session(toOptions([nats.url]));
    await untilState(session, "connected");
    await nats.kill();
    await using silent = new SilentServer(nats.port);
    await silent.connected;
    await assertEnds(session);
  });
});

function toOptions(servers: readonly string[]): NatsSessionOptions {
  return {
    login: toLogin({ natsUrl: servers }),
    name: "test",
    onRetry: () => {},
    onError: () => {},
  };
}

async function assertEnds(session: Session): Promise<void> {
  const states: string[] = [];
  session.onState((state) => states.push(state));
  const ending = session[Symbol.asyncDispose]();
  try {
    await within(ending, "the end of the session");
  } finally {
    await ending;
  }
  assert.deepEqual([session.state, states], ["closed", ["closed"]]);
  assert.equal(session.publish("a", new Uint8Array()), false);
}

/** Accepts connections and says nothing, as a server that hangs does. */
class SilentServer implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #connections: Deno.TcpConn[] = [];
  readonly #accepting: Promise<void>;
  readonly #connected = Promise.withResolvers<void>();

  constructor(port = 0) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.#accepting = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Resolves when somebody has connected. */
  get connected(): Promise<void> {
    return this.#connected.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const connection of this.#connections) connection.close();
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      this.#connections.push(connection);
      this.#connected.resolve();
    }
  }
}

import assert from "node:assert/strict";
import { toHeaderBlock, toHeaderLine } from "../../../lib/mapping/headers.ts";
import { connect as connectStock } from "@nats-io/transport";
import type { ConnectionOptions, NatsConnection, TlsOptions } from "@nats-io/nats-core";
import { dial } from "../../../lib/nats/client/dial.ts";
import { FastLane } from "../../../lib/nats/client/fast_lane.ts";
import { toLogin } from "../../../lib/nats/client/login.ts";
import { Session } from "../../../lib/nats/client/session.ts";
import { encodeLatin1 } from "../../../lib/mapping/latin1.ts";
import { subscribeOn } from "../../../lib/nats/client/wire.ts";
import { Certificate } from "../../harness/certificate.ts";
import { startNats } from "../../harness/nats_server.ts";
import { Relay } from "../relay.ts";
import { RestartableNats } from "../restartable_nats.ts";
import { UncaughtErrors } from "../uncaught_errors.ts";
import { within } from "../../harness/waiting.ts";
import { Received, untilState } from "../waiting.ts";

const HEADERS = toHeaderBlock(toHeaderLine("X", "caf\xe9 \xff\x80"));

Deno.test("messages take the lane where it is on, and the client library where it is off", async (t) => {
  await using nats = await startNats({ jetstream: false });
  for (const [fastLane, expected] of [[true, 0], [false, 3]] as const) {
    await t.step(fastLane ? "on" : "off", async () => {
      await using session = await open([nats.url], { fastLane });
      const received = await Received.on(session, "a");
      for (let count = 0; count < 3; count++) session.publish("a", new Uint8Array());
      await received.until(3);
      const { inMsgs, outMsgs } = session.connection!.stats();
      assert.deepEqual([inMsgs, outMsgs], [expected, expected]);
    });
  }
});

Deno.test("a large message is written at once, and small ones together", async () => {
  await using nats = await startNats({ jetstream: false });
  await using session = await open([nats.url]);
  const seen = [1, 100_000].map((size) => {
    session.publish("a", new Uint8Array(size));
    return session.unsentBytes === 0;
  });
  assert.deepEqual(seen, [false, true]);
});

Deno.test("what comes byte by byte arrives whole", async () => {
  await using nats = await startNats({ jetstream: false });
  await using relay = new Relay(nats.port);
  relay.chop(1);
  await using session = await open([relay.url]);
  const received = await Received.on(session, "a.>");
  const foreign = session.connection!.subscribe("b");
  for (let index = 0; index < 20; index++) {
    session.publish(`a.${index}`, new Uint8Array(index), { reply: "to.me", headers: HEADERS });
    session.connection!.publish("b", String(index));
  }
  const messages = await received.until(20);
  for (const [index, { subject, reply, headers, data }] of messages.entries()) {
    assert.deepEqual([subject, reply, headers, data.length], [
      `a.${index}`,
      "to.me",
      HEADERS,
      index,
    ]);
  }
  await session.flush();
  foreign.unsubscribe(20);
  const others = [];
  for await (const message of foreign) others.push(message.string());
  assert.deepEqual(others, Array.from({ length: 20 }, (_, index) => String(index)));
});

Deno.test("headers may be text or bytes, also other than ASCII", async () => {
  await using nats = await startNats({ jetstream: false });
  await using session = await open([nats.url]);
  const received = await Received.on(session, "a");
  session.publish("a", new Uint8Array(3), { headers: HEADERS });
  session.publish("a", new Uint8Array(3), { headers: encodeLatin1(HEADERS) });
  session.publish("a", new Uint8Array(3), { headers: toHeaderBlock(toHeaderLine("X", "plain")) });
  const blocks = (await received.until(3)).map(({ headers }) => headers);
  assert.deepEqual(blocks, [HEADERS, HEADERS, "NATS/1.0\r\nX: plain\r\n\r\n"]);
});

Deno.test("a subscription is at the server before what is published after it", async () => {
  await using nats = await startNats({ jetstream: false });
  await using session = await open([nats.url]);
  const received = Received.later(session, "a");
  session.publish("a", new Uint8Array());
  await received.until(1);
});

Deno.test("what no subject is, and what is too large, is refused", async () => {
  await using nats = await startNats({ jetstream: false, config: "max_payload: 100" });
  await using session = await open([nats.url]);
  for (const subject of ["", "a b", "a\r\nPUB b 0\r\n", "a\tb"]) {
    assert.throws(() => session.publish(subject, new Uint8Array()), /illegal/i, subject);
    if (subject === "") continue;
    assert.throws(() => session.publish("a", new Uint8Array(), { reply: subject }), /illegal/i);
  }
  assert.throws(() => session.publish("a", new Uint8Array(101)), /max_payload/);
  assert.throws(
    () => session.publish("a", new Uint8Array(90), { headers: HEADERS }),
    /max_payload/,
  );
  await session.flush();
  assert.equal(session.state, "connected");
});

Deno.test("a server in lame duck mode is told of, and messages pass meanwhile", async () => {
  const config = "lame_duck_duration: 30s\nlame_duck_grace_period: 5s";
  await using nats = await startNats({ jetstream: false, config });
  await using session = await open([nats.url]);
  const received = await Received.on(session, "a");
  const { promise, resolve } = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const { type } of session.connection!.status()) if (type === "ldm") resolve();
  })();
  nats.kill("SIGUSR2");
  await within(promise, "the word of the server");
  session.publish("a", new Uint8Array());
  await received.until(1);
  await session[Symbol.asyncDispose]();
  await reading;
});

Deno.test("a login that changes keeps it out until it changes back, and ends no process", async () => {
  using uncaught = new UncaughtErrors();
  const allowed = `authorization { user: "ann", password: "secret" }`;
  await using nats = await RestartableNats.start({ config: allowed });
  await using session = await open([nats.url.replace("//", "//ann:secret@")]);
  const received = await Received.on(session, "a");
  const errors: string[] = [];
  const refused = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const status of session.connection!.status()) {
      if (status.type !== "error") continue;
      errors.push(status.error.message);
      if (errors.length === 2) refused.resolve();
    }
  })();
  await nats.restart({ config: allowed.replace("secret", "another") });
  await within(refused.promise, "two refusals");
  assert.equal(session.state, "disconnected");
  assert.equal(session.publish("a", new Uint8Array()), false);
  await nats.restart({ config: allowed });
  await untilState(session, "connected");
  session.publish("a", new Uint8Array());
  await received.until(1);
  await session[Symbol.asyncDispose]();
  await reading;
  assert.deepEqual(uncaught.messages, []);
});

Deno.test("another's connection in the process costs no message, before or after a reconnect", async () => {
  await using nats = await RestartableNats.start();
  await using session = await open([nats.url]);
  const received = await Received.on(session, "a");
  const other = await connectStock({ servers: nats.url, reconnect: false });
  session.publish("a", new Uint8Array(1));
  await received.until(1);
  await other.close();
  // From now on the client library's own transports are the other's.
  await nats.restart();
  await untilState(session, "disconnected");
  await untilState(session, "connected");
  session.publish("a", new Uint8Array(2), { headers: HEADERS });
  assert.deepEqual((await received.until(2)).map(({ data }) => data.length), [1, 2]);
});

Deno.test("the lane speaks TLS", async (t) => {
  await using certificate = await Certificate.create();
  const { certFile, keyFile, ca } = certificate;
  const files = `cert_file: "${certFile}", key_file: "${keyFile}"`;
  const table: [title: string, config: string, tls: TlsOptions][] = [
    ["the server asks for it", `tls { ${files} }`, { ca }],
    ["from the first byte", `tls { ${files}, handshake_first: true }`, {
      ca,
      handshakeFirst: true,
    }],
  ];
  for (const [title, config, tls] of table) {
    await t.step(title, async () => {
      await using nats = await startNats({ jetstream: false, config });
      const servers = `localhost:${nats.port}`;
      await assertMessagesPass({ servers, tls });
      const isRefused = dial({ servers, tls: { ...tls, ca: "" } }, new FastLane({ isOn: true }));
      await assert.rejects(isRefused, /certificate|issuer|CA/i);
    });
  }
  await t.step("not where the server has none", async () => {
    await using nats = await startNats({ jetstream: false });
    const servers = `localhost:${nats.port}`;
    await assert.rejects(dial({ servers, tls: { ca } }, new FastLane({ isOn: true })), /tls/);
  });
});

async function assertMessagesPass(options: ConnectionOptions): Promise<void> {
  const lane = new FastLane({ isOn: true });
  const connection = await dial(options, lane) as NatsConnection;
  try {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const onMessage = ({ headers, data }: { headers: string; data: Uint8Array }) =>
      resolve(`${headers}${data.length}`);
    subscribeOn(connection, {
      subject: "a",
      onMessage,
      onError: reject,
      onFault: (_stage, error) => reject(error),
      lane,
    });
    await connection.flush();
    assert.ok(lane.isOpen);
    const message = { subject: "a", data: new Uint8Array(500_000), options: { headers: HEADERS } };
    assert.equal(lane.publish(message, 1_000_000), true);
    assert.equal(await within(promise, "the message"), `${HEADERS}500000`);
    assert.equal(connection.stats().inMsgs, 0);
  } finally {
    await connection.close();
  }
}

async function open(servers: string[], options: { fastLane?: boolean } = {}): Promise<Session> {
  const callbacks = { onRetry: () => {}, onError: () => {} };
  const session = new Session({
    login: toLogin({ natsUrl: servers }),
    name: "test",
    ...callbacks,
    ...options,
  });
  await untilState(session, "connected");
  return session;
}

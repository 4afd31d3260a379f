import assert from "node:assert/strict";
import { toHeaderBlock, toHeaderLine } from "../../../lib/mapping/headers.ts";
import { type LoginConfig, toLogin } from "../../../lib/nats/client/login.ts";
import { type NatsSessionOptions, Session } from "../../../lib/nats/client/session.ts";
import { Certificate } from "../../harness/certificate.ts";
import { freePort } from "../../harness/free_port.ts";
import { startNats } from "../../harness/nats_server.ts";
import { startCluster } from "../cluster.ts";
import { Relay } from "../relay.ts";
import { RestartableNats } from "../restartable_nats.ts";
import { UncaughtErrors } from "../uncaught_errors.ts";
import { within } from "../../harness/waiting.ts";
import { Received, untilState } from "../waiting.ts";

Deno.test("over WebSocket messages take the lane, both ways, and come back after a restart", async () => {
  const port = freePort();
  const config = `websocket { port: ${port}, no_tls: true }`;
  await using nats = await RestartableNats.start({ config });
  await using session = open({ natsUrl: [`ws://127.0.0.1:${port}/any/path`] });
  await untilState(session, "connected");
  const received = await Received.on(session, "a");
  const sizes = [0, 1, 125, 126, 65_535, 65_536, 700_000];
  for (const size of sizes) {
    const data = Uint8Array.from({ length: size }, (_, index) => index);
    session.publish("a", data, { headers: toHeaderBlock(toHeaderLine("X", "\xff")) });
  }
  for (const [index, { data, headers }] of (await received.until(sizes.length)).entries()) {
    assert.deepEqual([data.length, headers], [sizes[index], "NATS/1.0\r\nX: \xff\r\n\r\n"]);
    assert.ok(data.every((byte, at) => byte === at % 256), `${data.length} bytes`);
  }
  const { inMsgs, outMsgs } = session.connection!.stats();
  assert.deepEqual([inMsgs, outMsgs], [0, 0]);
  assert.deepEqual([await session.takesLine(4000), await session.takesLine(5000)], [true, false]);

  await nats.kill();
  await untilState(session, "disconnected");
  await nats.restart({ config });
  await untilState(session, "connected");
  await session.flush();
  session.publish("a", new Uint8Array(1));
  await received.until(sizes.length + 1);
  assert.equal(session.reconnects, 1);
});

Deno.test("over WebSocket a lame duck is left for a server that only the cluster has named", async () => {
  const ports = [freePort(), freePort()];
  const config = (index: number) => `websocket { port: ${ports[index]}, no_tls: true }`;
  await using cluster = await startCluster(2, { config });
  const { promise: moved, resolve } = Promise.withResolvers<string>();
  await using session = open({ natsUrl: [`ws://127.0.0.1:${ports[0]}`] }, { onMove: resolve });
  await untilState(session, "connected");
  const received = await Received.on(session, "a");
  cluster.servers[0]!.kill("SIGUSR2");
  assert.match(await within(moved, "the move"), new RegExp(`:${ports[1]}$`));
  session.publish("a", new Uint8Array(1));
  await received.until(1);
  assert.equal(await session.takesLine(4000), true);
});

Deno.test("over WebSocket it is known how much NATS has not taken", async () => {
  const port = freePort();
  await using _nats = await startNats({
    jetstream: false,
    config: `websocket { port: ${port}, no_tls: true }`,
  });
  await using relay = new Relay(port);
  await using session = open({ natsUrl: [relay.url.replace("nats:", "ws:")] });
  await untilState(session, "connected");
  const received = await Received.on(session, "a");
  relay.stall();
  for (let count = 0; count < 40; count++) session.publish("a", new Uint8Array(500_000));
  assert.ok(session.unsentBytes > 10_000_000, String(session.unsentBytes));
  relay.resume();
  await received.until(40);
  await session.flush();
  assert.ok(session.unsentBytes < 1_000_000, String(session.unsentBytes));
});

Deno.test("over WebSocket, encrypted, it trusts whom it is told to and shows its own certificate", async (t) => {
  await using certificate = await Certificate.create();
  const { certFile, keyFile, ca } = certificate;
  const own = { natsCert: ca, natsKey: await Deno.readTextFile(keyFile) };
  const files = `cert_file: "${certFile}", key_file: "${keyFile}"`;
  const port = freePort();
  const start = (more = "") =>
    startNats({
      jetstream: false,
      config: `websocket { port: ${port}, tls { ${files} ${more} } }`,
    });
  const both = `, ca_file: "${certFile}", verify: true`;
  const table: [title: string, more: string, login: object, expected: RegExp][] = [
    ["its CA", "", { natsCa: ca }, /^connected/],
    ["nobody told", "", {}, /certificate|issuer/i],
    ["both sides", both, { natsCa: ca, ...own }, /^connected/],
    ["no certificate where one is asked for", both, { natsCa: ca }, /^(?!connected)/],
  ];
  for (const [title, more, login, expected] of table) {
    await t.step(title, async () => {
      using _uncaught = new UncaughtErrors();
      await using _nats = await start(more);
      const { promise, resolve } = Promise.withResolvers<string>();
      const natsUrl = [`wss://localhost:${port}`];
      const onRetry = ({ message }: Error) => resolve(message);
      await using session = open({ natsUrl, ...login }, { onRetry });
      session.onState(resolve);
      assert.match(await within(promise, "an answer"), expected);
    });
  }
});

function open(config: LoginConfig, options: Partial<NatsSessionOptions> = {}): Session {
  const login = toLogin(config);
  return new Session({ login, name: "test", onRetry: () => {}, onError: () => {}, ...options });
}

import assert from "node:assert/strict";
import { type LoginConfig, toLogin } from "../../../lib/nats/client/login.ts";
import { Session } from "../../../lib/nats/client/session.ts";
import { Certificate } from "../../harness/certificate.ts";
import { freePort } from "../../harness/free_port.ts";
import { startNats } from "../../harness/nats_server.ts";
import { Received, untilState } from "../waiting.ts";

/** Linux waits so long before it acknowledges what it may acknowledge together with an answer. */
const ACK_DELAY_MS = 40;
const ROUNDS = 10;

Deno.test("a second message does not wait until the first one has been acknowledged", async (t) => {
  await using certificate = await Certificate.create();
  const { ca: natsCa, certFile, keyFile } = certificate;
  const tls = `tls { cert_file: "${certFile}", key_file: "${keyFile}" }`;
  const port = freePort();
  const config = `websocket { port: ${port}, ${tls} }`;
  await using plain = await startNats({ jetstream: false });
  await using encrypted = await startNats({ jetstream: false, config: `${tls}\n${config}` });
  const table: [title: string, login: LoginConfig][] = [
    ["TCP", { natsUrl: [plain.url] }],
    ["TLS", { natsUrl: [encrypted.url], natsCa }],
    ["WebSocket", { natsUrl: [`wss://127.0.0.1:${port}`], natsCa }],
  ];
  for (const [title, login] of table) {
    await t.step(title, async () => {
      await using speaker = await open(login);
      await using listener = await open(login);
      const received = await Received.on(listener, "a");
      const durations: number[] = [];
      for (let count = 2; count <= 2 * ROUNDS; count += 2) {
        // A server that has just answered acknowledges late.
        await speaker.flush();
        const begin = performance.now();
        speaker.publish("a", new Uint8Array(1));
        await received.until(count - 1);
        speaker.publish("a", new Uint8Array(1));
        await received.until(count);
        durations.push(performance.now() - begin);
      }
      assert.ok(Math.min(...durations) < ACK_DELAY_MS / 2, `${durations} ms`);
    });
  }
});

async function open(config: LoginConfig): Promise<Session> {
  const login = toLogin(config);
  const session = new Session({ login, name: "test", onRetry: () => {}, onError: () => {} });
  await untilState(session, "connected");
  return session;
}

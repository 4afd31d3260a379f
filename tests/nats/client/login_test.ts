import assert from "node:assert/strict";
import { nkeys } from "@nats-io/nats-core";
import { type LoginConfig, toLogin } from "../../../lib/nats/client/login.ts";
import { Session } from "../../../lib/nats/client/session.ts";
import { Certificate } from "../../harness/certificate.ts";
import { createNatsAccount, toSeed } from "../../harness/nats_account.ts";
import { startNats } from "../../harness/nats_server.ts";
import { UncaughtErrors } from "../uncaught_errors.ts";
import { within } from "../../harness/waiting.ts";
import { Received } from "../waiting.ts";

const REFUSED = /authorization violation/i;

Deno.test("toLogin() logs in every way, and with nothing else", async (t) => {
  const [user, stranger] = [nkeys.createUser(), nkeys.createUser()];
  const [account, other] = [createNatsAccount(), createNatsAccount()];
  const authorization = (text: string) => `authorization { ${text} }`;
  const table: [title: string, config: string, right: Way, wrong: Way][] = [
    [
      "user and password",
      authorization(`user: ann, password: "s:/?#@"`),
      { natsUser: "ann", natsPassword: "s:/?#@" },
      { natsUser: "ann" },
    ],
    ["a token", authorization(`token: "t:1"`), { natsToken: "t:1" }, { natsToken: "t" }],
    [
      "an nkey",
      authorization(`users: [{ nkey: ${user.getPublicKey()} }]`),
      { natsNkey: `${toSeed(user)}\n` },
      { natsNkey: toSeed(stranger) },
    ],
    ["credentials", account.config, { natsCreds: account.creds }, { natsCreds: other.creds }],
    [
      "credentials, as Windows saves them",
      account.config,
      { natsCreds: account.creds.replaceAll("\n", "\r\n").trim() },
      {},
    ],
  ];
  for (const [title, config, right, wrong] of table) {
    await t.step(title, async () => {
      using _uncaught = new UncaughtErrors();
      await using nats = await startNats({ jetstream: false, config });
      assert.equal(await tryLogin({ natsUrl: [nats.url], ...right }), "connected");
      assert.match(await tryLogin({ natsUrl: [nats.url], ...wrong }), REFUSED);
    });
  }
});

Deno.test("toLogin() trusts whom it is told to, shows its own certificate, and encrypts", async (t) => {
  await using certificate = await Certificate.create();
  const { certFile, keyFile, ca } = certificate;
  const own = { natsCert: ca, natsKey: await Deno.readTextFile(keyFile) };
  const files = `cert_file: "${certFile}", key_file: "${keyFile}"`;
  const both = `tls { ${files}, ca_file: "${certFile}", verify: true }`;
  const table: [title: string, config: string, login: (port: number) => LoginConfig, RegExp][] = [
    [
      "by name",
      `tls { ${files} }`,
      (port) => to(`localhost:${port}`, { natsCa: ca }),
      /^connected/,
    ],
    ["by address", `tls { ${files} }`, (port) => to(`127.0.0.1:${port}`, { natsCa: ca }), /^conn/],
    [
      "with tls://",
      `tls { ${files} }`,
      (port) => to(`tls://localhost:${port}`, { natsCa: ca }),
      /^connected/,
    ],
    ["nobody told", `tls { ${files} }`, (port) => to(`localhost:${port}`), /certificate|issuer/i],
    ["both sides", both, (port) => to(`localhost:${port}`, { natsCa: ca, ...own }), /^connected/],
    ["no TLS there, tls://", "", (port) => to(`tls://127.0.0.1:${port}`), /tls/i],
    ["no TLS there, natsCa", "", (port) => to(`127.0.0.1:${port}`, { natsCa: ca }), /tls/i],
  ];
  for (const [title, config, login, expected] of table) {
    await t.step(title, async () => {
      using _uncaught = new UncaughtErrors();
      await using nats = await startNats({ jetstream: false, config });
      assert.match(await tryLogin(login(nats.port)), expected);
    });
  }
});

Deno.test("toLogin() refuses what it cannot use, and quotes no secret", async (t) => {
  const seed = toSeed(nkeys.createUser());
  const table: [title: string, way: Way, option: string, reason: RegExp][] = [
    ["two ways", { natsUser: "a", natsToken: "s3cret" }, "natsToken", /there is natsUser, too/],
    ["a URL and a user", { natsUrl: ["b:s3cret@c"], natsUser: "a" }, "natsUser", /natsUrl, too/],
    ["a password alone", { natsPassword: "s3cret" }, "natsPassword", /expected natsUser/],
    ["no seed", { natsNkey: `${seed.slice(0, -1)}!` }, "natsNkey", /the seed of a user's nkey/],
    ["no credentials", { natsCreds: `-----BEGIN\ns3cret` }, "natsCreds", /a \.creds file/],
    ["half a pair", { natsCert: "-----BEGIN" }, "natsCert", /natsCert and natsKey together/],
    ["some over WebSocket", { natsUrl: ["ws://a", "s3cret@b"] }, "natsUrl", /all ws:.*or neither/],
    ["some encrypted", { natsUrl: ["ws://a", "wss://b"] }, "natsUrl", /all ws:\/\/, all wss:/],
    ["trust without TLS", { natsUrl: ["WS://a"], natsCa: "-----BEGIN" }, "natsCa", /wss:\/\//],
    ["the other half", { natsKey: "-----BEGIN s3cret" }, "natsKey", /together/],
  ];
  for (const [title, way, option, reason] of table) {
    await t.step(title, () => {
      assert.throws(() => toLogin({ natsUrl: ["a"], ...way }), (error) => {
        assert.ok(error instanceof Error && error.name === "ConfigError");
        assert.ok(error.message.startsWith(`Cannot use ${option}: `), error.message);
        assert.match(error.message, reason);
        assert.ok(!/s3cret/.test(error.message) && !error.message.includes(seed.slice(0, 20)));
        return true;
      });
    });
  }
});

type Way = Partial<LoginConfig>;

function to(address: string, way: Way = {}): LoginConfig {
  return { natsUrl: [address], ...way };
}

/** What comes of it: `"connected"`, after a message has passed by the fast lane, or the reason why not. */
async function tryLogin(config: LoginConfig): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  await using session = new Session({
    login: toLogin(config),
    name: "test",
    onRetry: ({ message }) => resolve(message),
    onError: () => {},
  });
  session.onState(resolve);
  const outcome = await within(promise, "an answer");
  if (outcome === "connected") {
    const received = await Received.on(session, "a");
    session.publish("a", new Uint8Array(100_000));
    await received.until(1);
    assert.equal(session.connection?.stats().inMsgs, 0);
  }
  return outcome;
}

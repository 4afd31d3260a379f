import assert from "node:assert/strict";
import { type KV, Kvm } from "@nats-io/kv";
import { connect, type NatsConnection } from "@nats-io/transport";
import { freePort } from "../harness/free_port.ts";
import { GatewayProcess } from "../harness/gateway.ts";
import { startNats } from "../harness/nats_server.ts";
import { runMain } from "../harness/program.ts";
import { answer } from "../harness/setup.ts";
import { Client } from "../harness/websocket.ts";

const SOURCE = "nats-kv://edge/h8s.yaml";
const CHANGED = "configuration changed";

Deno.test("a configuration in NATS changes while the gateway runs, and drops nobody", async () => {
  await using setup = await setUpKv("hostFilters: [127.0.0.1]\nrequestTimeout: 5s\n");
  const { gateway, kv, nc } = setup;
  await answer(nc, "h8s.http.>", ({ subject }) => ({ data: subject }));
  await answer(nc, "routed.>", ({ subject }) => ({ data: subject }));
  await using client = await Client.connect(`ws://127.0.0.1:${gateway.port}/`);
  assert.equal(await get(gateway), "h8s.http.GET.127.0.0.1.a");

  await kv.put("h8s.yaml", "routes:\n  - match: { path: /a }\n    subject: routed.a\n");
  const changed = await gateway.logged(CHANGED);
  assert.equal(changed["options"], "requestTimeout,hostFilters,routes");
  assert.equal(await get(gateway), "routed.a");

  await kv.put("h8s.yaml", "rate: 1/h\n");
  await gateway.logged(CHANGED, 2);
  assert.equal(await get(gateway), "h8s.http.GET.127.0.0.1.a");
  assert.match(await get(gateway), /rate_limited/);

  await kv.put("h8s.yaml", "allowedOrigins: [https://a.b]\nhostFilters: [example.com]\n");
  await gateway.logged(CHANGED, 3);
  assert.match(await get(gateway), /host_not_served/);
  assert.equal(await gateway.metric("h8s_websockets_open"), 1);
  await client.close();
});

Deno.test("a bad version, a deletion, and what has to wait: told, and nothing else changes", async () => {
  await using setup = await setUpKv("prefix: one\n", ["--request-timeout", "7s"]);
  const { gateway, kv, nc } = setup;
  await answer(nc, "one.http.>", ({ subject }) => ({ data: subject }));

  await kv.put("h8s.yaml", "prefix: one\nhostFilters:\n  - a b\n");
  const refused = await gateway.logged("the new configuration was refused; the last version stays");
  assert.match(
    String(refused["error"]),
    /^nats-kv:\/\/edge\/h8s\.yaml:3:5: hostFilters\.0: expected/,
  );
  assert.equal(await get(gateway), "one.http.GET.127.0.0.1.a");

  await kv.delete("h8s.yaml");
  await gateway.logged("the configuration was deleted; the last version stays");
  assert.equal(await get(gateway), "one.http.GET.127.0.0.1.a");

  // The flags win over later versions, too.
  await kv.put("h8s.yaml", "prefix: two\nlisten: ':1'\nrequestTimeout: 1s\n");
  assert.equal((await gateway.logged("takes effect at the next start"))["options"], "prefix");
  assert.equal((await gateway.logged(CHANGED))["options"], "none");
  assert.equal(await get(gateway), "one.http.GET.127.0.0.1.a");
});

Deno.test("a configuration in NATS is watched again after nats-server was away", async () => {
  const storeDir = await Deno.makeTempDir();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(storeDir, { recursive: true }));
  const before = await startNats({ storeDir });
  stack.use(before);
  const { port, url } = before;
  await put(url, "hostFilters: [a.b]\n");
  const gateway = stack.use(await start(url));
  await before[Symbol.asyncDispose]();
  await gateway.logged("nats disconnected");
  stack.use(await startNats({ storeDir, port }));
  await put(url, "hostFilters: []\n");
  assert.equal((await gateway.logged(CHANGED))["options"], "hostFilters");
});

Deno.test("a configuration that is not in NATS is one line that says how to put it there, exit 2", async () => {
  await using nats = await startNats();
  const flags = ["--nats-url", nats.url, "--config", SOURCE];
  const noBucket = await runMain(flags);
  assert.equal(noBucket.code, 2);
  assert.match(
    noBucket.stderr,
    /^h8s: Cannot read nats-kv:\/\/edge\/h8s\.yaml: .*`nats kv add edge`\n$/,
  );
  await using client = await open(nats.url);
  assert.match((await runMain(flags)).stderr, /`nats kv put edge h8s\.yaml < h8s\.yaml`\n$/);
  await client.kv.put("h8s.yaml", "listn: ':1'\n");
  const bad = await runMain(flags);
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /h8s\.yaml:1:1: listn: .* did you mean "listen"\?\n$/);
  await client.kv.put("h8s.yaml", "prefix: kv\n");
  assert.match((await runMain(["config", "show", ...flags])).stdout, /^prefix: kv$/m);
});

Deno.test("config show prints what would be in effect, the flags before the file, no secrets", async () => {
  const stdin = "natsUrl: [nats://ann:s3cret@a]\nrequestTimeout: 5s\nprefix: file\n";
  const flags = ["--config", "-", "--prefix", "flag", "--authorization-key", "s3cret"];
  const { code, stdout, stderr } = await runMain(["config", "show", ...flags], { stdin });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^natsUrl:\n {2}- nats:\/\/a\n/);
  assert.match(stdout, /^requestTimeout: 5s$/m);
  assert.match(stdout, /^prefix: flag$/m);
  assert.match(stdout, /^drainTimeout: 10s$/m);
  assert.ok(!stdout.includes("s3cret"));
});

Deno.test("config show refuses what would not run, exit 2", async () => {
  const { code, stdout, stderr } = await runMain(["config", "show", "--auth", "jwt"]);
  assert.deepEqual([code, stdout], [2, ""]);
  assert.match(stderr, /^h8s: Cannot use --auth "jwt": .*\n$/);
});

Deno.test("config check says where a file is wrong, or that it is right", async () => {
  const right = await runMain(["config", "check", "-"], { stdin: "prefix: a\n" });
  assert.deepEqual([right.code, right.stdout], [0, "ok\n"]);
  const missing = await runMain(["config", "check", "/nowhere/h8s.yaml"]);
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /--allow-read=\/nowhere\/h8s\.yaml/);
  const empty = await runMain(["--config", "-"], { stdin: "" });
  assert.deepEqual([empty.code, empty.stdout], [2, ""]);
  assert.equal(empty.stderr, "h8s: standard input:1:1: it is empty; write {} for no options\n");
});

Deno.test("config check finds what start would refuse, all of it, in the same words", async () => {
  const stdin = `requestTimeout: 30
maxBodySize: 1048576
listn: ":80"
admin: 127.0.0.1:8080
listen: 0.0.0.0:8080
tlsCert: /nowhere/cert.pem
natsUser: ann
natsToken: s3cret
authorizationKey: s3cret
natsKey: "-"
routes:
  - match: { path: /a }
    subject: "{nope}"
  - match: { methods: GET }
  - {}
`;
  const check = await runMain(["config", "check", "-"], { stdin });
  assert.deepEqual([check.code, check.stdout], [2, ""]);
  const places = check.stderr.trimEnd().split("\n").map((line) =>
    /^h8s: standard input:(\d+:\d+): ([\w.]+): \w/.exec(line)?.slice(1).join(" ")
  );
  assert.deepEqual(places, [
    "1:17 requestTimeout",
    "2:14 maxBodySize",
    "3:1 listn",
    "4:8 admin",
    "6:10 tlsCert",
    "8:12 natsToken",
    "9:19 authorizationKey",
    "10:10 natsKey",
    "13:14 routes.0.subject",
    "14:23 routes.1.match.methods",
    "15:5 routes.2.match",
  ]);
  assert.match(check.stderr, /write 30s or 30ms$/m);
  assert.match(check.stderr, /run with --allow-read=\/nowhere\/cert\.pem/);
  assert.doesNotMatch(check.stderr, /s3cret|received|invalid/i);
  const start = await runMain(["--config", "-"], { stdin });
  assert.deepEqual(start, check);
});

Deno.test("flags and a file are judged together", async () => {
  const yaml = `routes:
  - match: { path: /in }
    subject: kept.in
    mode: publish
    persist: true
`;
  const alone = await runMain(["config", "check", "-"], { stdin: yaml });
  assert.match(alone.stderr, /^h8s: standard input:5:14: routes\.0\.persist: .*--persist NAME\n$/);
  const both = await runMain(["config", "check", "-", "--persist", "kept"], { stdin: yaml });
  assert.deepEqual(both, { code: 0, stdout: "ok\n", stderr: "" });
  const wrong = await runMain(["config", "check", "-", "--persist", "kept"], {
    stdin: `persist: true\n${yaml}`,
  });
  assert.match(wrong.stderr, /^h8s: standard input:1:10: persist: expected a stream name .*\n$/);
  const admin = await runMain(["config", "check", "-", "--admin", ":8080"], { stdin: "prefix: a" });
  assert.match(admin.stderr, /^h8s: Cannot use --admin ":8080": expected another address.*\n$/);
});

Deno.test("the reverse daemon takes a configuration, and says what is wrong with it", async () => {
  const stdin = "hostname: [api.example.com]\nbackendUrl: http://ann:s3cret@localhost:3000\n";
  const shown = await runMain(["reverse", "config", "show", "--config", "-"], { stdin });
  assert.match(shown.stdout, /^hostname:\n {2}- api\.example\.com$/m);
  assert.match(shown.stdout, /^backendUrl: http:\/\/localhost:3000$/m);
  const check = ["reverse", "config", "check", "-"];
  assert.equal((await runMain(check, { stdin })).stdout, "ok\n");
  const wrong = { stdin: "hostname: api.example.com\nqueueGrup: a\n" };
  const checked = await runMain(check, wrong);
  assert.match(
    checked.stderr,
    /^h8s: .*:1:1: backendUrl: it is missing, .*\nh8s: .*:1:11: hostname: .*list.*\nh8s: .*:2:1: queueGrup: .*queueGroup"\?\n$/,
  );
  assert.deepEqual(await runMain(["reverse", "--config", "-"], wrong), checked);
  const nothing = await runMain(["reverse"]);
  assert.match(
    nothing.stderr,
    /^h8s: Cannot do without --hostname: .*\nh8s: .* --backend-url: .*\n$/,
  );
});

Deno.test("no log line shows a password of a URL", async () => {
  const port = freePort();
  const stdin = `natsUrl: ["nats://ann:s3cret@127.0.0.1:${port}"]
jwt: { jwks: "http://ann:s3cret@127.0.0.1:${port}/k?token=s3cret" }
logLevel: debug
`;
  await using gateway = await GatewayProcess.start(["--config", "-"], { stdin, connected: false });
  await gateway.logged(/cannot reach NATS/);
  const token = ['{"alg":"RS256","kid":"a"}', "{}", "x"].map(btoa).join(".").replaceAll("=", "");
  const response = await fetch(gateway.url, { headers: { authorization: `Bearer ${token}` } });
  assert.match(await response.text(), /identity_unavailable/);
  const { detail } = await gateway.logged("request failed: identity_unavailable");
  assert.equal(detail, "The keys for tokens are out of reach");
  assert.doesNotMatch(JSON.stringify([gateway.lines, gateway.noise]), /s3cret/);
});

async function setUpKv(yaml: string, flags: readonly string[] = []) {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const { nc, kv } = stack.use(await open(nats.url));
  await kv.put("h8s.yaml", yaml);
  const gateway = stack.use(await start(nats.url, flags));
  const all = stack.move();
  return { gateway, kv, nc, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

async function open(
  url: string,
): Promise<{ readonly nc: NatsConnection; readonly kv: KV } & AsyncDisposable> {
  const nc = await connect({ servers: url });
  const kv = await new Kvm(nc).create("edge");
  return { nc, kv, [Symbol.asyncDispose]: () => nc.close() };
}

function start(natsUrl: string, flags: readonly string[] = []): Promise<GatewayProcess> {
  return GatewayProcess.start(["--nats-url", natsUrl, "--config", SOURCE, ...flags]);
}

async function put(url: string, yaml: string): Promise<void> {
  await using client = await open(url);
  await client.kv.put("h8s.yaml", yaml);
}

async function get({ url }: GatewayProcess): Promise<string> {
  return await (await fetch(`${url}/a`)).text();
}

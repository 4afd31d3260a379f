import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import { connect, type NatsConnection } from "@nats-io/transport";
import { GatewayProcess } from "../harness/gateway.ts";
import { startNats } from "../harness/nats_server.ts";
import { answer, natsHeaders } from "../harness/setup.ts";

const KEY = "correct-horse-battery";
const JSON_TYPE = { "content-type": "application/json" };

interface World extends AsyncDisposable {
  readonly nc: NatsConnection;
  readonly gateway: GatewayProcess;
  /** Of the admin address. */
  readonly url: string;
}

async function setUp(flags: readonly string[] = []): Promise<World> {
  const stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats({ jetstream: false }));
  const nc = stack.adopt(await connect({ servers: nats.url }), (nc) => nc.close());
  const gateway = stack.use(await GatewayProcess.start(["--nats-url", nats.url, ...flags]));
  const url = `http://127.0.0.1:${gateway.adminPort}`;
  return { nc, gateway, url, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Status and text of a request whose `Host` no HTTP client would send. */
function askAs(host: string, { port, path = "/", lines = [] }: {
  port: number;
  path?: string;
  lines?: readonly string[];
}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connectTcp({ host: "127.0.0.1", port });
  let text = "";
  socket.on("data", (data) => text += data.toString());
  socket.on("error", reject);
  socket.on("close", () => resolve(text));
  const head = [`GET ${path} HTTP/1.1`, `Host: ${host}`, "Connection: close", ...lines];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  return promise;
}

/** The events of the page's stream, one after another. */
async function* readEvents(
  url: string,
  init: RequestInit = {},
): AsyncGenerator<{ type: string; data: Record<string, unknown> }, void> {
  const response = await fetch(`${url}/events`, init);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
      const [, type = "", data = ""] = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
      text = text.slice(end + 2);
      yield { type, data: JSON.parse(data) };
    }
  }
}

Deno.test("without a key the page is there for this machine alone, health and metrics for all", async () => {
  await using world = await setUp();
  const { gateway: { adminPort: port }, url } = world;
  const page = await fetch(url);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /<h2 id="overview-title">/);
  const policy = page.headers.get("content-security-policy")!;
  assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  for (const path of ["/", "/events", "/connections", "/assets/main.js"]) {
    assert.match(await askAs("evil.example", { port, path }), /^HTTP\/1\.1 403 /, path);
  }
  const proxied = await askAs("localhost", { port, lines: ["X-Forwarded-For: 203.0.113.1"] });
  assert.match(proxied, /^HTTP\/1\.1 403 [^]*--admin-key/);
  for (const path of ["/healthz", "/readyz", "/metrics"]) {
    assert.match(await askAs("evil.example", { port, path }), /^HTTP\/1\.1 200 /, path);
  }
});

Deno.test("with a key the page asks for it, and all that it asks needs it", async () => {
  await using world = await setUp(["--admin-key", KEY]);
  const { url } = world;
  const form = await fetch(url);
  assert.equal(form.status, 401);
  assert.match(await form.text(), /<form method="post" action="\/login">/);
  const paths = ["/events", "/connections", "/subject?url=https://shop.example/", "/session"];
  for (const path of paths) {
    const response = await fetch(`${url}${path}`);
    await response.body?.cancel();
    assert.equal(response.status, 401, path);
  }
  assert.equal((await world.gateway.admin("/readyz")).status, 200);
  const logIn = async (key: string, origin: string | undefined) => {
    const response = await fetch(`${url}/login`, {
      method: "POST",
      body: new URLSearchParams({ key }),
      redirect: "manual",
      ...(origin === undefined ? {} : { headers: { origin } }),
    });
    await response.body?.cancel();
    return response;
  };
  assert.equal((await logIn("something else here", url)).status, 401);
  assert.equal((await logIn(KEY, "http://evil.example")).status, 403);
  const let_in = await logIn(KEY, url);
  assert.deepEqual([let_in.status, let_in.headers.get("location")], [303, "/"]);
  const cookie = let_in.headers.get("set-cookie")!.split(";")[0]!;
  for (const headers of [{ cookie }, { authorization: `Bearer ${KEY}` }]) {
    const page = await fetch(url, { headers });
    assert.equal(page.status, 200);
    assert.match(await page.text(), /<h2 id="overview-title">/);
  }
});

Deno.test("only the page itself closes a connection, and nothing but one", async () => {
  await using world = await setUp(["--admin-key", KEY]);
  const { nc, gateway, url } = world;
  nc.subscribe("h8s.ws.ws.>", { callback: () => {} });
  const client = new WebSocket(`ws://127.0.0.1:${gateway.port}/room`);
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<CloseEvent>();
  client.onopen = () => opened.resolve();
  client.onclose = (event) => closed.resolve(event);
  await opened.promise;
  const bearer = { authorization: `Bearer ${KEY}` };
  const found = await (await fetch(`${url}/connections?path=/room`, { headers: bearer })).json();
  const { inbox, remote } = found.connections[0];
  assert.equal(remote, "127.0.0.1");
  const close = async (headers: Record<string, string>, body: unknown) => {
    const request = { method: "POST", headers, body: JSON.stringify(body) };
    const response = await fetch(`${url}/connections/close`, request);
    return { status: response.status, text: await response.text() };
  };
  const login = await fetch(`${url}/login`, {
    ...{ method: "POST", body: new URLSearchParams({ key: KEY }), redirect: "manual" as const },
    headers: { origin: url },
  });
  await login.body?.cancel();
  const cookie = login.headers.get("set-cookie")!.split(";")[0]!;
  const order = { inbox, code: 4001, reason: "bye" };
  const table: [headers: Record<string, string>, body: unknown, status: number][] = [
    [{ cookie, ...JSON_TYPE }, order, 403],
    [{ cookie, ...JSON_TYPE, origin: "http://evil.example" }, order, 403],
    [{ cookie, origin: url, "content-type": "text/plain" }, order, 415],
    [{ ...JSON_TYPE, origin: url }, order, 401],
    [{ cookie, ...JSON_TYPE, origin: url }, { ...order, inbox: "h8s.http.GET.a" }, 400],
    [{ cookie, ...JSON_TYPE, origin: url }, { ...order, inbox: `${inbox}.>` }, 400],
    [{ cookie, ...JSON_TYPE, origin: url }, { ...order, code: 1006 }, 400],
    [{ cookie, ...JSON_TYPE, origin: url }, { ...order, code: "1000" }, 400],
    [{ cookie, ...JSON_TYPE, origin: url }, [], 400],
    [{ cookie, ...JSON_TYPE, origin: url }, "x".repeat(20_000), 413],
  ];
  for (const [headers, body, status] of table) {
    const given = await close(headers, body);
    assert.equal(given.status, status, `${JSON.stringify({ headers, body })}: ${given.text}`);
  }
  assert.equal(client.readyState, WebSocket.OPEN);
  assert.equal((await close({ cookie, ...JSON_TYPE, origin: url }, order)).status, 200);
  const { code, reason } = await closed.promise;
  assert.deepEqual([code, reason], [4001, "bye"]);
});

Deno.test("one event stream tells what passes, what failed, and who is there", async () => {
  await using world = await setUp(["--admin-tap"]);
  const { nc, gateway, url } = world;
  await answer(nc, "h8s.http.GET.127.0.0.1.cart", () => ({
    data: "ok",
    headers: natsHeaders(["Content-Length", "2"]),
  }));
  await nc.flush();
  const ended = new AbortController();
  const events = readEvents(url, { signal: ended.signal });
  const hello = (await events.next()).value!;
  assert.equal(hello.type, "hello");
  assert.equal(hello.data["isTapAllowed"], true);
  const origin = { ...JSON_TYPE, origin: url };
  const question = { viewer: hello.data["viewer"], url: "http://127.0.0.1/cart" };
  const watched = await fetch(`${url}/tap`, {
    ...{ method: "POST", headers: origin, body: JSON.stringify(question) },
  });
  assert.deepEqual(await watched.json(), { subject: "h8s.http.GET.127.0.0.1.cart" });
  const secret = { authorization: "Bearer s3cret", cookie: "a=s3cret" };
  const served = await fetch(`${gateway.url}/cart?token=s3cret`, { headers: secret });
  assert.equal(await served.text(), "ok");
  const failed = await fetch(`${gateway.url}/nobody`);
  assert.equal(failed.status, 503);
  await failed.body?.cancel();
  const seen: { tap?: string; state?: Record<string, unknown[]> } = {};
  for await (const { type, data } of events) {
    if (type === "tap") seen.tap = JSON.stringify(data);
    if (type === "state") seen.state = data as Record<string, unknown[]>;
    if (
      seen.tap !== undefined && seen.state?.["errors"]?.length && seen.state["gateways"]?.length
    ) {
      break;
    }
  }
  const nobody = { ...question, url: "http://127.0.0.1/nobody" };
  const both = await fetch(`${url}/tap`, {
    ...{ method: "POST", headers: origin, body: JSON.stringify(nobody) },
  });
  await both.body?.cancel();
  // Who watches is nobody who serves it.
  const watchedOne = await fetch(`${gateway.url}/nobody`);
  assert.equal(watchedOne.status, 503);
  await watchedOne.body?.cancel();
  ended.abort();
  assert.match(seen.tap!, /"subject":"h8s\.http\.GET\.127\.0\.0\.1\.cart"/);
  assert.doesNotMatch(seen.tap!, /s3cret/);
  const [error] = seen.state!["errors"] as { code: string; example: { path: string } }[];
  assert.deepEqual([error?.code, error?.example.path], ["no_responders", "/nobody"]);
  const [own] = seen.state!["gateways"] as { isOwn: boolean; listen: string }[];
  assert.equal(own?.isOwn, true);
});

Deno.test("nothing is watched where the tap is not switched on", async () => {
  await using world = await setUp();
  const { url } = world;
  const ended = new AbortController();
  const hello = (await readEvents(url, { signal: ended.signal }).next()).value!;
  assert.equal(hello.data["isTapAllowed"], false);
  const question = { viewer: hello.data["viewer"], url: "http://127.0.0.1/cart" };
  const refused = await fetch(`${url}/tap`, {
    method: "POST",
    headers: { ...JSON_TYPE, origin: url },
    body: JSON.stringify(question),
  });
  ended.abort();
  assert.equal(refused.status, 400);
  assert.match(await refused.text(), /--admin-tap/);
});

Deno.test("thirty-two may look at once; one who leaves makes room", async () => {
  await using world = await setUp();
  const { url } = world;
  const all = Array.from({ length: 32 }, () => {
    const ended = new AbortController();
    return { ended, events: readEvents(url, { signal: ended.signal }) };
  });
  for (const { events } of all) assert.equal((await events.next()).value?.type, "hello");
  const tooMany = await fetch(`${url}/events`);
  await tooMany.body?.cancel();
  assert.equal(tooMany.status, 503);
  all[0]!.ended.abort();
  for (let status = 503; status !== 200;) {
    const again = await fetch(`${url}/events`);
    await again.body?.cancel();
    status = again.status;
  }
  for (const { ended } of all) ended.abort();
});

import assert from "node:assert/strict";
import { freePort } from "./harness/free_port.ts";
import { connect } from "@nats-io/transport";
import { ConfigError, type Gateway, ListenError, startGateway } from "../lib/mod.ts";
import { type NatsServer, startNats } from "./harness/nats_server.ts";
import { answer, listen } from "./harness/setup.ts";

const ANY_PORT = "127.0.0.1:0";

Deno.test("startGateway() in a program: connected resolves, and requests are answered", async () => {
  await using nats = await startNats({ jetstream: false });
  await using client = await openClient(nats);
  await answer(client.nc, "h8s.http.>", ({ subject }) => ({ data: subject }));
  await using gateway = start(nats);
  await gateway.connected;
  assert.equal(gateway.address.hostname, "127.0.0.1");
  assert.ok(gateway.address.port > 0);
  assert.equal(gateway.adminAddress, undefined);
  assert.match(gateway.id, /^\w+$/);
  const response = await fetch(toUrl(gateway, "/a"));
  assert.equal(await response.text(), "h8s.http.GET.127.0.0.1.a");
});

Deno.test("startGateway() answers before NATS is there, and connects when it comes", async () => {
  const port = freePort();
  await using gateway = start({ url: `nats://127.0.0.1:${port}` }, { admin: ANY_PORT });
  assert.equal((await readAdmin(gateway, "/readyz")).status, 503);
  await using _nats = await startNats({ jetstream: false, port });
  await gateway.connected;
  assert.equal((await readAdmin(gateway, "/readyz")).status, 200);
});

Deno.test("with a grace at the start, who comes before NATS waits for it, and then nobody", async () => {
  const port = freePort();
  await using gateway = start({ url: `nats://127.0.0.1:${port}` }, { startGrace: "20s" });
  const early = fetch(toUrl(gateway));
  {
    await using _nats = await startNats({ jetstream: false, port });
    assert.match(await (await early).text(), /no_responders/);
  }
  assert.match(await (await fetch(toUrl(gateway))).text(), /nats_unavailable/);
});

Deno.test("a grace at the start comes to its end without NATS", async () => {
  const url = `nats://127.0.0.1:${freePort()}`;
  await using gateway = start({ url }, { startGrace: "100ms" });
  assert.match(await (await fetch(toUrl(gateway))).text(), /nats_unavailable/);
});

Deno.test("two gateways in one process keep to themselves", async () => {
  await using nats = await startNats({ jetstream: false });
  await using client = await openClient(nats);
  await answer(client.nc, "one.http.>", () => ({ data: "one" }));
  await answer(client.nc, "two.http.>", () => ({ data: "two" }));
  await using one = start(nats, { prefix: "one", admin: ANY_PORT });
  await using two = start(nats, { prefix: "two", admin: ANY_PORT });
  await Promise.all([one.connected, two.connected]);
  assert.notEqual(one.id, two.id);
  assert.notEqual(one.address.port, two.address.port);
  for (const [gateway, text] of [[one, "one"], [two, "two"], [two, "two"]] as const) {
    assert.equal(await (await fetch(toUrl(gateway))).text(), text);
  }
  const series = /^h8s_http_body_bytes_total\{direction="out"\} (\d+)$/m;
  const bytes = await Promise.all([one, two].map((gateway) => readAdmin(gateway, "/metrics")));
  assert.deepEqual(bytes.map(({ text }) => series.exec(text)?.[1]), ["3", "6"]);
  await one.stop();
  assert.equal(await (await fetch(toUrl(two))).text(), "two");
});

Deno.test("stop() lets what is in flight end, and refuses what comes after", async () => {
  await using nats = await startNats({ jetstream: false });
  await using client = await openClient(nats);
  const requests = await listen(client.nc, "h8s.http.>");
  await using gateway = start(nats, { admin: ANY_PORT });
  await gateway.connected;
  const inFlight = fetch(toUrl(gateway));
  const request = await requests.next();
  const stopping = gateway.stop();
  assert.deepEqual(await readAdmin(gateway, "/readyz"), { status: 503, text: "draining\n" });
  assert.equal((await readAdmin(gateway, "/healthz")).status, 200);
  request.respond("finished");
  assert.equal(await (await inFlight).text(), "finished");
  await stopping;
  for (const { port } of [gateway.address, gateway.adminAddress!]) {
    await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port }));
  }
});

Deno.test("stop() twice, or in the end of a block, stops once", async () => {
  await using nats = await startNats({ jetstream: false });
  await using client = await openClient(nats);
  await using gateway = start(nats);
  await gateway.connected;
  await Promise.all([gateway.stop(), gateway.stop(), gateway[Symbol.asyncDispose]()]);
  await gateway.stop();
  await client.nc.flush();
});

Deno.test("stop() ends a gateway that never saw NATS", async () => {
  const gateway = start({ url: `nats://127.0.0.1:${freePort()}` }, { admin: ANY_PORT });
  await gateway.stop();
});

Deno.test("startGateway() refuses an option that cannot be used: its name, what would be right", async (t) => {
  const table: [options: Record<string, unknown>, path: string[], message: RegExp][] = [
    [{ listen: "nowhere" }, ["listen"], /listen.*expected HOST:PORT/],
    [{ requestTimeout: "soon" }, ["requestTimeout"], /requestTimeout.*expected a duration/],
    [{ natsUrl: ["http://a"] }, ["natsUrl", "0"], /natsUrl.*expected a NATS URL/],
    [{ logLevel: "loud" }, ["logLevel"], /logLevel.*expected one of debug, info/],
    [{ listn: ANY_PORT }, ["listn"], /listn.*did you mean "listen"\?$/],
  ];
  for (const [options, path, message] of table) {
    await t.step(path.join("."), () => {
      assert.throws(() => startGateway(options), (error) => {
        assert.ok(error instanceof ConfigError);
        assert.deepEqual([error.name, error.path], ["ConfigError", path]);
        // It ends up in a stack trace, where nothing but the message says which option it was.
        assert.match(error.message, message);
        return true;
      });
    });
  }
});

Deno.test("startGateway() refuses an address in use: which one, and what to do", async (t) => {
  await using nats = await startNats({ jetstream: false });
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${taken.addr.port}`;
  const table: [options: Record<string, string>, flag: string][] = [
    [{ listen: address }, "--listen"],
    [{ listen: ANY_PORT, admin: address }, "--admin"],
    [{ listen: address, admin: ANY_PORT }, "--listen"],
  ];
  for (const [options, flag] of table) {
    await t.step(Object.keys(options).join(" and "), () => {
      assert.throws(() => start(nats, options), (error) => {
        assert.ok(error instanceof ListenError);
        assert.equal(error.name, "ListenError");
        assert.ok(error.cause instanceof Deno.errors.AddrInUse);
        assert.ok(error.message.startsWith(`Cannot listen on ${address}: the port is in use`));
        assert.ok(error.message.includes(flag));
        return true;
      });
    });
  }
});

Deno.test("a start that failed leaves nothing open, with NATS or without", async (t) => {
  await using nats = await startNats({ jetstream: false });
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const listen = `127.0.0.1:${taken.addr.port}`;
  for (const url of [nats.url, `nats://127.0.0.1:${freePort()}`]) {
    // The sanitizers look for the admin server, which had started, for timers and for sockets.
    await t.step(url === nats.url ? "with" : "without", () => {
      assert.throws(() => start({ url }, { listen, admin: ANY_PORT }), ListenError);
    });
  }
});

Deno.test("startGateway() refuses an address that is not this machine's", async (t) => {
  await using nats = await startNats({ jetstream: false });
  // RFC 5737 and RFC 3849: addresses for documentation.
  for (const listen of ["192.0.2.1:0", "[2001:db8::1]:0"]) {
    await t.step(listen, () => {
      assert.throws(() => start(nats, { listen }), (error) => {
        assert.ok(error instanceof ListenError);
        assert.ok(error.message.startsWith(`Cannot listen on ${listen}: `), error.message);
        return true;
      });
    });
  }
});

function start({ url }: { url: string }, options: Record<string, unknown> = {}): Gateway {
  return startGateway({ natsUrl: [url], listen: ANY_PORT, logLevel: "error", ...options });
}

async function openClient(
  { url }: NatsServer,
): Promise<AsyncDisposable & { nc: Awaited<ReturnType<typeof connect>> }> {
  const nc = await connect({ servers: url });
  return { nc, [Symbol.asyncDispose]: () => nc.close() };
}

function toUrl({ address }: Gateway, path = "/"): string {
  return `http://127.0.0.1:${address.port}${path}`;
}

async function readAdmin(
  { adminAddress }: Gateway,
  path: string,
): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://127.0.0.1:${adminAddress?.port}${path}`);
  return { status: response.status, text: await response.text() };
}

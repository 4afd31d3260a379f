import assert from "node:assert/strict";
import { connect as connectStock } from "@nats-io/transport";
import { connect, type ConnectOptions, LinkLostError, serve } from "../../lib/workload/mod.ts";
import { Link } from "../../lib/workload/link.ts";
import { Certificate } from "../harness/certificate.ts";
import { freePort } from "../harness/free_port.ts";
import { startNats } from "../harness/nats_server.ts";
import { Relay } from "../nats/relay.ts";
import { RestartableNats } from "../nats/restartable_nats.ts";
import { within } from "../harness/waiting.ts";

/** What a connection says. */
class Lines {
  readonly #lines: string[] = [];
  #wake = Promise.withResolvers<void>();

  readonly log: NonNullable<ConnectOptions["log"]> = (line) => {
    this.#lines.push(line);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  };

  /** Waits for one that matches. */
  async until(pattern: RegExp): Promise<void> {
    while (!this.#lines.some((line) => pattern.test(line))) {
      await within(this.#wake.promise, String(pattern));
    }
  }
}

Deno.test("connect() waits for a server that is not there yet, and says so", async () => {
  const port = freePort();
  const lines = new Lines();
  const connecting = connect({ servers: `nats://127.0.0.1:${port}`, log: lines.log });
  await lines.until(/^NATS: .*refused/i);
  await using _nats = await startNats({ jetstream: false, port });
  await using nc = await connecting;
  await lines.until(/^connected to NATS at 127\.0\.0\.1:\d+$/);
  await nc.flush();
});

Deno.test("connect() comes back, and says so", async () => {
  await using nats = await RestartableNats.start();
  const lines = new Lines();
  await using nc = await connect({ servers: nats.url, log: lines.log });
  await nats.restart();
  await lines.until(/^NATS is away: .*; trying again$/);
  await lines.until(/^connected to NATS at .* again$/);
  await nc.flush();
});

Deno.test("connect() logs in with what the URL says; a wrong password is called that", async () => {
  const config = `authorization { user: "ann", password: "s@cret" }`;
  await using nats = await startNats({ jetstream: false, config });
  const to = (login: string) => nats.url.replace("//", `//${login}@`);
  const lines = new Lines();
  await using nc = await connect({ servers: to("ann:s%40cret"), log: lines.log });
  await nc.flush();
  const refused = connect({ servers: to("ann:x"), log: lines.log, waitOnFirstConnect: false });
  await assert.rejects(refused, /authorization violation/i);
});

Deno.test("connect() says that a login is refused, and keeps trying", async () => {
  const config = (password: string) => `authorization { user: "ann", password: "${password}" }`;
  await using nats = await RestartableNats.start({ config: config("new") });
  const lines = new Lines();
  const connecting = connect({ servers: nats.url.replace("//", "//ann:old@"), log: lines.log });
  await lines.until(/^NATS refuses the login: /);
  await nats.restart({ config: config("old") });
  await using nc = await connecting;
  await nc.flush();
});

Deno.test("connect() refuses an option that cannot be used at once", async () => {
  const options = { servers: "nats://127.0.0.1:1", port: 2, log: () => {} };
  await assert.rejects(connect(options), /mutually exclusive/);
});

Deno.test("connect() speaks WebSocket where a server's URL says so", async () => {
  const port = freePort();
  const config = `websocket { port: ${port}, no_tls: true }`;
  await using _nats = await startNats({ jetstream: false, config });
  await using nc = await connect({ servers: `ws://127.0.0.1:${port}`, log: () => {} });
  await nc.flush();
});

Deno.test("connect() trusts whom it is told to, over TLS and wss://", async (t) => {
  await using certificate = await Certificate.create();
  const { ca, certFile, keyFile } = certificate;
  const tls = `tls { cert_file: "${certFile}", key_file: "${keyFile}" }`;
  const port = freePort();
  const config = `${tls}\nwebsocket { port: ${port}, ${tls} }`;
  await using nats = await startNats({ jetstream: false, config });
  const options = { waitOnFirstConnect: false, log: () => {} };
  for (const servers of [`tls://localhost:${nats.port}`, `wss://localhost:${port}`]) {
    await t.step(servers.split(":")[0]!, async () => {
      await using nc = await connect({ ...options, servers, tls: { ca } });
      await nc.flush();
      const distrusting = connect({ ...options, servers, tls: {} });
      await assert.rejects(distrusting, /certificate|issuer/i);
    });
  }
});

Deno.test("what is served over a connection of connect() goes past the NATS client", async () => {
  await using nats = await startNats({ jetstream: false });
  await using nc = await connect({ servers: nats.url, log() {} });
  await using asking = await connectStock({ servers: nats.url });
  await using _service = serve(nc, { host: "example.com" }, async (request) => {
    nc.publish("seen", "before");
    return new Response(await request.bytes());
  });
  await nc.flush();
  const seen = asking.subscribe("seen", { max: 1 });
  await asking.flush();
  const body = crypto.getRandomValues(new Uint8Array(50_000));
  const order: string[] = [];
  const { data } = await asking.request("h8s.http.POST.com.example", body, { timeout: 5000 })
    .finally(() => order.push(`reply after ${seen.getReceived()}`));
  assert.deepEqual(new Uint8Array(data), body);
  assert.deepEqual(order, ["reply after 1"], "in the order in which both were published");
  assert.deepEqual([nc.stats().inMsgs, nc.stats().outMsgs], [0, 1]);
});

Deno.test("over a connection of connect() bytes may be used again, however slow the server is", async () => {
  await using nats = await startNats({ jetstream: false });
  await using relay = new Relay(nats.port);
  await using nc = await connect({ servers: relay.url, log() {} });
  using link = new Link(nc, (error) => assert.fail(String(error)));
  const seen: Uint8Array[] = [];
  link.subscribe("a", ({ data }) => void seen.push(data));
  await nc.flush();
  relay.stall();
  const bytes = new Uint8Array(500_000);
  const count = 32;
  for (let index = 0; index < count; index++) link.publish("a", bytes.fill(index));
  relay.resume();
  await within(nc.flush(), "all are back");
  assert.equal(seen.length, count);
  assert.ok(seen.every((data, index) => data.every((byte) => byte === index)));
});

Deno.test("serve(): finished rejects when the connection ends for good, with the cause", async () => {
  await using nats = await RestartableNats.start();
  const nc = await connectStock({
    servers: nats.url,
    maxReconnectAttempts: 1,
    reconnectTimeWait: 1,
  });
  const told: unknown[] = [];
  const service = serve(nc, { host: "example.com", onError: (error) => told.push(error) }, () => {
    return new Response("hello");
  });
  await service.ready;
  await nats.kill();
  await assert.rejects(within(service.finished, "the end"), (error) => {
    assert.ok(error instanceof LinkLostError && error.cause instanceof Error);
    assert.ok(told.includes(error));
    return true;
  });
});

Deno.test("serve(): finished resolves when its owner closes the connection", async () => {
  await using nats = await startNats({ jetstream: false });
  const nc = await connect({ servers: nats.url, log: () => {} });
  const service = serve(nc, { host: "example.com" }, () => new Response("hello"));
  await service.ready;
  await nc.close();
  await service.finished;
});

import { until } from "../harness/waiting.ts";
import assert from "node:assert/strict";
import { freePort } from "../harness/free_port.ts";
import { connect } from "@nats-io/transport";
import { GatewayProcess } from "../harness/gateway.ts";
import { startNats } from "../harness/nats_server.ts";
import { Relay } from "../nats/relay.ts";
import { runMain } from "../harness/program.ts";
import { open, parseResponse, readUntil, write } from "../harness/raw_http.ts";
import { answer, listen, natsHeaders, setUp } from "../harness/setup.ts";
import { Client, rawHandshake } from "../harness/websocket.ts";

Deno.test("the program asks for no permission but net", async () => {
  await using setup = await setUp();
  await answer(setup.nc, "h8s.http.>", () => ({ data: "hello" }));
  assert.equal(await (await fetch(setup.gateway.url)).text(), "hello");
  const client = await Client.connect(`ws://127.0.0.1:${setup.gateway.port}/`);
  await client.close();
  setup.gateway.kill("SIGTERM");
  assert.equal((await setup.gateway.ended).code, 0);
  assert.deepEqual(setup.gateway.noise, []);
});

Deno.test("--help and --version answer and end", async () => {
  const help = await runMain(["--help"]);
  assert.equal(help.code, 0);
  for (
    const flag of ["--nats-url", "--listen", "--prefix", "--request-timeout", "--max-body-size"]
  ) {
    assert.ok(help.stdout.includes(flag), flag);
  }
  assert.match((await runMain(["--version"])).stdout, /^h8s \d+\.\d+\.\d+\n$/);
});

Deno.test("a command line that cannot be used is one line that says what would be right, exit 2", async (t) => {
  const table: [args: string[], expected: RegExp][] = [
    [["--listn", "x"], /--listn.*--listen/],
    [["--listen", "nowhere"], /--listen "nowhere".*HOST:PORT/],
    [["--request-timeout", "soon"], /--request-timeout "soon".*500ms/],
    [["--max-body-size", "2XB"], /--max-body-size "2XB".*2MiB/],
    [["--control-subjects", "all"], /--control-subjects "all".*flat, host, both/],
    [["extra"], /"extra"/],
  ];
  for (const [args, expected] of table) {
    await t.step(args.join(" "), async () => {
      const { code, stderr } = await runMain(args);
      assert.equal(code, 2);
      assert.match(stderr, expected);
      assert.equal(stderr.trim().split("\n").length, 1);
    });
  }
});

Deno.test("a port in use is one line that says so, exit 1", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { code, stderr } = await runMain(["--listen", `127.0.0.1:${listener.addr.port}`]);
  assert.equal(code, 1);
  assert.match(stderr, /port is in use/);
});

Deno.test("without NATS it says how to start one, answers 503, and recovers when it comes", async () => {
  const port = freePort();
  await using gateway = await GatewayProcess.start(["--nats-url", `nats://127.0.0.1:${port}`], {
    connected: false,
  });
  await gateway.logged(
    "cannot reach NATS; start one with `nats-server`, or name it with --nats-url",
  );
  const refused = await fetch(gateway.url);
  assert.equal((await refused.json()).type, "urn:h8s:error:nats_unavailable");
  assert.equal(refused.status, 503);
  assert.ok(Number(refused.headers.get("retry-after")) > 0);
  assert.equal((await gateway.admin("/readyz")).status, 503);
  assert.equal((await gateway.admin("/healthz")).status, 200);

  await using nats = await startNats({ port, jetstream: false });
  await gateway.logged("nats connected");
  const nc = await connect({ servers: nats.url });
  await answer(nc, "h8s.http.>", () => ({ data: "back" }));
  assert.equal(await (await fetch(gateway.url)).text(), "back");
  assert.equal((await gateway.admin("/readyz")).status, 200);
  await nc.close();
});

Deno.test("when NATS is lost, requests in flight fail at once, sockets live on, nothing is lost", async () => {
  const port = freePort();
  const nats = await startNats({ port, jetstream: false });
  await using relay = new Relay(port);
  await using gateway = await GatewayProcess.start(["--nats-url", relay.url]);
  const nc = await connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 20 });
  const requests = await listen(nc, "h8s.http.>");
  const established = await listen(nc, "h8s.control.ws.conn.established");
  const messages = await listen(nc, "h8s.ws.ws.>");
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  await using client = await Client.connect(`ws://127.0.0.1:${gateway.port}/lives`);
  const { reply } = await established.next();
  await using leaver = await Client.connect(`ws://127.0.0.1:${gateway.port}/leaves`);
  const left = (await established.next()).reply;

  const waiting = fetch(`${gateway.url}/waiting`);
  await requests.next();
  using streaming = await open(gateway.port);
  await write(streaming, "GET /streaming HTTP/1.1\r\nHost: e.com\r\n\r\n");
  (await requests.next()).respond("begin", { headers: natsHeaders(["Status", "200"]) });
  await readUntil(streaming, (text) => text.includes("begin"));

  relay.hold();
  await nats[Symbol.asyncDispose]();
  const lost = await waiting;
  assert.equal(lost.status, 503);
  await lost.body?.cancel();
  assert.ok(!(await readUntil(streaming)).endsWith("0\r\n\r\n"), "a clean end would be a lie");
  client.send("said while NATS was away");
  await leaver.close(4000);
  const refused = await fetch(gateway.url);
  assert.equal(refused.status, 503);
  await refused.body?.cancel();
  await assert.rejects(Client.connect(`ws://127.0.0.1:${gateway.port}/refused`));

  await using again = await startNats({ port, jetstream: false });
  // NATS keeps nothing for who is not there yet: so the workload comes back first.
  await until(() => nc.flush().then(() => true, () => false), "the workload is back");
  relay.release();
  assert.equal((await messages.next()).string(), "said while NATS was away");
  const end = await closed.next();
  assert.equal(end.reply, left);
  assert.equal(end.headers?.get("X-H8s-Close-Code"), "4000");
  nc.publish(reply!, "welcome back");
  assert.equal(await client.next(), "welcome back");
  assert.equal(await gateway.metric("h8s_nats_reconnects_total"), 1);
  assert.equal(again.port, port);
  await nc.close();
});

Deno.test("sockets are closed 1013 when NATS stays away longer than the grace", async () => {
  const nats = await startNats({ jetstream: false });
  await using gateway = await GatewayProcess.start([
    "--nats-url",
    nats.url,
    "--nats-grace",
    "200ms",
  ]);
  await using client = await Client.connect(`ws://127.0.0.1:${gateway.port}/`);
  await nats[Symbol.asyncDispose]();
  assert.equal((await client.closed).code, 1013);
});

Deno.test("an end that is larger than what NATS takes by now is told in short, and costs nobody else", async () => {
  await using setup = await setUp([], { config: "max_payload: 65536" });
  const { gateway, nats, nc } = setup;
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  const query = "q".repeat(4000);
  await using large = await Client.connect(`ws://127.0.0.1:${gateway.port}/?${query}`);
  await using small = await Client.connect(`ws://127.0.0.1:${gateway.port}/`);
  await nats.reload("max_payload: 3000");
  const isTooLong = async () => {
    const response = await fetch(`${gateway.url}/?${query}`);
    await response.body?.cancel();
    return response.status === 431;
  };
  await until(isTooLong, "the gateway knows the smaller max_payload");
  await large.close(4000);
  assert.equal((await closed.next()).headers?.get("X-H8s-Close-Code"), "4000");
  await small.close(4001);
  assert.equal((await closed.next()).headers?.get("X-H8s-Close-Code"), "4001");
});

Deno.test("a client that says too much while NATS is away is closed, not lost in silence", async () => {
  const nats = await startNats({ jetstream: false });
  await using gateway = await GatewayProcess.start([
    ...["--nats-url", nats.url, "--ws-receive-buffer", "10kB"],
  ]);
  await using client = await Client.connect(`ws://127.0.0.1:${gateway.port}/`);
  await nats[Symbol.asyncDispose]();
  await gateway.logged("nats disconnected");
  for (let index = 0; index < 20; index++) client.send("x".repeat(1000));
  assert.equal((await client.closed).code, 1013);
});

Deno.test("SIGTERM: requests end, 20 sockets get 1001 and one closed event each, exit 0", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const established = await listen(nc, "h8s.control.ws.conn.established");
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  const requests = await listen(nc, "h8s.http.>");
  const clients: Client[] = [];
  for (let index = 0; index < 20; index++) {
    clients.push(await Client.connect(`ws://127.0.0.1:${gateway.port}/${index}`));
  }
  // One that never answers the close frame.
  const { conn: silent } = await rawHandshake(gateway.port);
  for (let index = 0; index < 21; index++) await established.next();
  const inFlight = fetch(`${gateway.url}/in-flight`);
  const request = await requests.next();

  gateway.kill("SIGTERM");
  await gateway.logged("draining");
  assert.equal((await gateway.admin("/readyz")).status, 503);
  const refused = await fetch(gateway.url);
  assert.equal((await refused.json()).type, "urn:h8s:error:draining");
  for (const client of clients) {
    const { code, reason } = await client.closed;
    assert.deepEqual([code, reason], [1001, "gateway is draining"]);
  }
  request.respond("finished");
  assert.equal(await (await inFlight).text(), "finished");
  assert.equal((await gateway.ended).code, 0);
  silent.close();
  await nc.flush();
  const codes = closed.all.map((message) => message.headers?.get("X-H8s-Close-Code"));
  assert.deepEqual(codes, Array.from({ length: 21 }, () => "1001"));
  assert.equal(new Set(closed.all.map(({ reply }) => reply)).size, 21);
});

Deno.test("a client that talks without pause still learns why it is closed", async () => {
  await using setup = await setUp();
  await listen(setup.nc, "h8s.ws.ws.>");
  const clients = await Promise.all(
    Array.from({ length: 20 }, () => Client.connect(`ws://127.0.0.1:${setup.gateway.port}/`)),
  );
  const timer = setInterval(() => {
    for (const client of clients) {
      for (let count = 0; count < 50; count++) client.send("and another");
    }
  });
  setup.gateway.kill("SIGTERM");
  for (const client of clients) assert.equal((await client.closed).code, 1001);
  clearInterval(timer);
  assert.equal((await setup.gateway.ended).code, 0);
});

Deno.test("what is still in flight after the drain timeout is aborted and told so", async () => {
  await using setup = await setUp(["--drain-timeout", "300ms"]);
  const { nc, gateway } = setup;
  const requests = await listen(nc, "h8s.http.>");
  const ends = await listen(nc, "h8s.control.connection.closed.>");
  const pending = fetch(`${gateway.url}/stuck`);
  await requests.next();
  gateway.kill("SIGTERM");
  const response = await pending;
  assert.equal(response.status, 503);
  assert.equal((await response.json()).type, "urn:h8s:error:draining");
  assert.equal((await ends.next()).string(), "draining");
  assert.equal((await gateway.ended).code, 0);
});

Deno.test("a body that has not come by the drain timeout is no fault of its client's", async () => {
  await using setup = await setUp(["--drain-timeout", "300ms"]);
  await answer(setup.nc, "h8s.http.GET.>", () => ({ data: "first" }));
  using client = await open(setup.gateway.port);
  const half = "POST /b HTTP/1.1\r\nHost: e.com\r\nContent-Length: 9\r\n\r\nha";
  await write(client, `GET /a HTTP/1.1\r\nHost: e.com\r\n\r\n${half}`);
  await readUntil(client, (text) => text.endsWith("first"));
  setup.gateway.kill("SIGTERM");
  const { status, body } = parseResponse(await readUntil(client));
  assert.deepEqual([status, JSON.parse(body).type], [503, "urn:h8s:error:draining"]);
  assert.equal((await setup.gateway.ended).code, 0);
});

Deno.test("a client that does not read cannot hold up the end", async () => {
  await using setup = await setUp(["--drain-timeout", "300ms"]);
  const requests = await listen(setup.nc, "h8s.http.>");
  using client = await open(setup.gateway.port);
  await write(client, "GET /large HTTP/1.1\r\nHost: e.com\r\n\r\n");
  const { reply } = await requests.next();
  const chunk = new Uint8Array(512 * 1024);
  setup.nc.publish(reply!, chunk, { headers: natsHeaders(["Status", "200"]) });
  for (let sent = 0; sent < 14; sent++) setup.nc.publish(reply!, chunk);
  setup.nc.publish(reply!, "");
  await setup.nc.flush();
  setup.gateway.kill("SIGTERM");
  const { code } = await setup.gateway.ended;
  assert.deepEqual([code, setup.gateway.noise], [0, []]);
});

Deno.test("a second signal ends it at once", async () => {
  await using setup = await setUp();
  const requests = await listen(setup.nc, "h8s.http.>");
  const pending = fetch(`${setup.gateway.url}/stuck`).catch(() => undefined);
  await requests.next();
  setup.gateway.kill("SIGINT");
  await setup.gateway.logged("draining");
  setup.gateway.kill("SIGINT");
  assert.equal((await setup.gateway.ended).code, 1);
  await pending;
});

Deno.test("/metrics tells requests, sockets, messages and bytes", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  await answer(nc, "h8s.http.POST.>", () => ({ data: "four" }));
  const messages = await listen(nc, "h8s.ws.ws.>");
  const response = await fetch(gateway.url, { method: "POST", body: "seven77" });
  await response.text();
  const client = await Client.connect(`ws://127.0.0.1:${gateway.port}/`);
  client.send("abc");
  nc.publish((await messages.next()).reply!, "defgh");
  await client.next();
  const expected: [series: string, value: number][] = [
    ['h8s_http_requests_total{status="2xx"}', 1],
    ["h8s_http_requests_in_flight", 0],
    ['h8s_http_body_bytes_total{direction="in"}', 7],
    ['h8s_http_body_bytes_total{direction="out"}', 4],
    ["h8s_websockets_open", 1],
    ['h8s_websocket_messages_total{direction="in"}', 1],
    ['h8s_websocket_messages_total{direction="out"}', 1],
    ['h8s_websocket_bytes_total{direction="in"}', 3],
    ['h8s_websocket_bytes_total{direction="out"}', 5],
    ["h8s_nats_connected", 1],
  ];
  for (const [series, value] of expected) assert.equal(await gateway.metric(series), value, series);
  await client.close();
  await nc.flush();
});

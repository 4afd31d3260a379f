import assert from "node:assert/strict";
import { connect } from "@nats-io/transport";
import { GatewayProcess } from "../harness/gateway.ts";
import { answer, listen } from "../harness/setup.ts";
import { Client, HANDSHAKE, rawHandshake } from "../harness/websocket.ts";
import { RestartableNats } from "../nats/restartable_nats.ts";

const ROUTES = `
routes:
  - match: { path: "/rooms/:room", upgrade: websocket }
    publish: "{prefix}.said"
    subscribe: ["{prefix}.{room}.push"]
`;
const LARGE = new Uint8Array(200_000);

Deno.test("a server that comes back with a smaller max_payload costs nobody else anything", async (t) => {
  await using nats = await RestartableNats.start({ config: "max_payload: 1048576" });
  await using gateway = await GatewayProcess.start(["--nats-url", nats.url]);
  const url = `ws://127.0.0.1:${gateway.port}`;
  await using sender = await Client.connect(`${url}/sender`);
  await using holder = await Client.connect(`${url}/holder`);
  await using other = await Client.connect(`${url}/other`);
  await nats.kill();
  await gateway.logged("nats disconnected");
  holder.send(LARGE);
  other.send("held");
  // The gateway has both when it has answered what came after them.
  for (let held = 0; held < 2;) {
    held = await gateway.metric('h8s_websocket_messages_total{direction="in"}');
  }
  await nats.restart({ config: "max_payload: 65536" });
  await gateway.logged("nats connected", 2);
  const nc = await connect({ servers: nats.url });
  const heard = await listen(nc, "h8s.ws.ws.>");
  await answer(nc, "h8s.http.>", ({ data }) => ({ data: String(data.length) }));

  await t.step("what was held and does not fit: its client is told", async () => {
    const { code, reason } = await holder.closed;
    assert.equal(code, 1009);
    assert.match(reason, /^message larger than 6\d{4} bytes$/);
  });
  await t.step("a message that is too large now: 1009", async () => {
    sender.send(LARGE);
    assert.equal((await sender.closed).code, 1009);
  });
  await t.step("a body that is too large now: 413, and one that fits passes", async () => {
    const post = (body: Uint8Array<ArrayBuffer>) => fetch(gateway.url, { method: "POST", body });
    const refused = await post(LARGE);
    assert.equal(refused.status, 413);
    await refused.body?.cancel();
    assert.equal(await (await post(LARGE.subarray(0, 50_000))).text(), "50000");
  });
  await t.step("another client is heard as before", async () => {
    other.send("hello");
    let text = "";
    while (text !== "hello") text = (await heard.next()).string();
  });
  await nc.close();
  assert.deepEqual(gateway.noise, []);
});

Deno.test("an end is told in a shorter form where the client's own headers do not fit any more", async () => {
  await using nats = await RestartableNats.start();
  await using gateway = await GatewayProcess.start(["--nats-url", nats.url]);
  const lines = [...HANDSHAKE, `X-Large: ${"x".repeat(9000)}`];
  const { conn, response } = await rawHandshake(gateway.port, lines);
  assert.match(response, /^HTTP\/1.1 101/);
  await nats.restart({ config: "max_payload: 8000" });
  await gateway.logged("nats connected", 2);
  const nc = await connect({ servers: nats.url });
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  conn.close();
  const { headers } = await closed.next();
  assert.equal(headers?.get("X-H8s-Close-Code"), "1006");
  assert.match(headers?.get("X-H8s-Connection-Id"), /./);
  assert.equal(headers?.has("X-Large"), false);
  await nc.close();
});

Deno.test("a path that is too long for the server costs nobody the connection", async (t) => {
  await using nats = await RestartableNats.start({ config: "max_control_line: 1024" });
  await using gateway = await GatewayProcess.start([
    ...["--nats-url", nats.url, "--config", "-"],
  ], { stdin: ROUTES });
  const nc = await connect({ servers: nats.url });
  const requests = await listen(nc, "h8s.http.GET.*.*.*.*.slow");
  await answer(nc, "h8s.http.GET.*.*.*.*.a.>", () => ({ data: "a" }));
  const innocent = fetch(`${gateway.url}/slow`);
  const request = await requests.next();
  const long = "a".repeat(1500);

  await t.step("HTTP: 414", async () => {
    for (const path of [`/${long}`, `/a/${"b/".repeat(700)}`, `/${long}?again`]) {
      const response = await fetch(gateway.url + path);
      assert.equal(response.status, 414, path);
      await response.body?.cancel();
    }
  });
  await t.step("a body that is streamed: 414", async () => {
    const body = ReadableStream.from(["x"]).pipeThrough(new TextEncoderStream());
    const response = await fetch(`${gateway.url}/${long}`, { method: "POST", body });
    assert.equal(response.status, 414);
    await response.body?.cancel();
  });
  await t.step("a WebSocket, and what a route subscribes to for one: 414", async () => {
    for (const path of [`/${long}`, `/rooms/${long}`]) {
      const [first = "", ...lines] = HANDSHAKE;
      const { conn, response } = await rawHandshake(gateway.port, [
        first.replace("/raw", path),
        ...lines,
      ]);
      conn.close();
      assert.match(response, /^HTTP\/1.1 414/, path);
    }
  });
  await t.step("what fits passes", async () => {
    assert.equal(await (await fetch(`${gateway.url}/a/${"b".repeat(700)}`)).text(), "a");
  });
  request.respond("innocent");
  assert.equal(await (await innocent).text(), "innocent");
  assert.equal(gateway.lines.some(({ message }) => message === "nats disconnected"), false);
  await t.step("after a restart with another limit, that one counts", async () => {
    await nc.close();
    await nats.restart();
    await gateway.logged("nats connected", 2);
    const response = await fetch(`${gateway.url}/${long}`);
    assert.equal(response.status, 503, "nobody is there, but NATS was asked");
    await response.body?.cancel();
  });
});

Deno.test("a wrong password is called that, in the log and by /readyz", async () => {
  const login = (password: string) => `authorization { user: "ann", password: "${password}" }`;
  await using nats = await RestartableNats.start({ config: login("new") });
  const flags = ["--nats-url", nats.url.replace("//", "//ann:old@")];
  await using gateway = await GatewayProcess.start(flags, { connected: false });
  await gateway.logged("NATS refuses the login");
  assert.deepEqual(await gateway.admin("/readyz"), {
    status: 503,
    text: "NATS refuses the login\n",
  });
  await nats.restart({ config: login("old") });
  await gateway.logged("nats connected");
  assert.equal((await gateway.admin("/readyz")).status, 200);
  await nats.restart({ config: login("newer") });
  await gateway.logged("NATS refuses the login", 2);
  assert.equal((await gateway.admin("/readyz")).text, "NATS refuses the login\n");
  await nats.kill();
});

Deno.test("a gateway is not ready where its server lacks what it needs, until the next one has it", async (t) => {
  const table: [config: string, lack: string][] = [
    ["no_header_support: true", "NATS takes no headers"],
    ["max_subscriptions: 3", "NATS takes no more subscriptions"],
  ];
  for (const [config, lack] of table) {
    await t.step(lack, async () => {
      await using nats = await RestartableNats.start({ config });
      await using gateway = await GatewayProcess.start(["--nats-url", nats.url], {
        connected: false,
      });
      await gateway.logged(lack);
      assert.deepEqual(await gateway.admin("/readyz"), { status: 503, text: `${lack}\n` });
      await nats.kill();
      await nats.restart({ config: "debug: false" });
      await gateway.ready();
    });
  }
});

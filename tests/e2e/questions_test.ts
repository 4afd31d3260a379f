import assert from "node:assert/strict";
import { pause } from "../../lib/time/within.ts";
import { runMain } from "../harness/program.ts";
import { listen, setUp } from "../harness/setup.ts";
import { Client } from "../harness/websocket.ts";

const CONFIG = `
hostFilters: [shop.example]
routes:
  - match: { path: "/cart/:id", methods: [GET] }
    subject: "carts.{id}"
    auth: key
authorizationKey: [k]
auth: none
`;

Deno.test("h8s subject says what becomes of a request, without NATS", async () => {
  const ask = (...args: string[]) =>
    runMain(["subject", ...args, "--config", "-"], { stdin: CONFIG });
  const taken = await ask("https://shop.example/cart/7");
  assert.deepEqual([taken.code, taken.stderr], [0, ""]);
  assert.match(taken.stdout, /^subject +carts\.7$/m);
  assert.match(taken.stdout, /^route +#0 GET,HEAD \*\/cart\/:id$/m);
  assert.match(taken.stdout, /^identity +asks +a key: /m);
  const refused = await ask("https://localhost:8080/cart/7");
  assert.equal(refused.code, 1);
  assert.match(refused.stdout, /^host +refused +403: This host is not served here$/m);
  const socket = JSON.parse((await ask("shop.example/chat", "--upgrade", "--json")).stdout);
  assert.equal(socket.subject, "h8s.ws.ws.example.shop.chat");
  const told = await ask("ws://shop.example/chat");
  assert.match(told.stdout, /^mode +each message is published$/m);
  const unknown = await ask("shop.example", "--upgrde");
  assert.deepEqual([unknown.code, unknown.stdout], [2, ""]);
  assert.match(unknown.stderr, /did you mean --upgrade\?/);
  const none = await runMain(["subject"]);
  assert.deepEqual([none.code, none.stderr], [
    2,
    "h8s: Cannot tell what to do: expected subject URL\n",
  ]);
});

Deno.test("h8s gateways, workloads, connections and tap say over NATS who is there", async (t) => {
  await using setup = await setUp();
  const { nats, nc, gateway } = setup;
  const ask = (...args: string[]) => runMain([...args, "--nats-url", nats.url]);
  const established = await listen(nc, "h8s.control.ws.conn.established");
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  await using _one = await Client.connect(`ws://127.0.0.1:${gateway.port}/room/1?token=hush`);
  await established.next();
  await using _two = await Client.connect(`ws://127.0.0.1:${gateway.port}/lobby`);
  await established.next();

  await t.step("gateways", async () => {
    const { code, stdout } = await ask("gateways");
    assert.equal(code, 0);
    const [head = "", row = "", ...more] = stdout.trimEnd().split("\n");
    assert.match(head, /^GATEWAY +VERSION +LISTENS ON +UP FOR +WEBSOCKETS$/);
    assert.match(row, /^\w+ +0\.1\.0 +127\.0\.0\.1:0 +\d+s +2$/);
    assert.deepEqual(more, []);
    const none = await ask("gateways", "--prefix", "other");
    assert.deepEqual([none.code, none.stdout], [1, ""]);
    assert.match(none.stderr, /no gateway answers under the prefix other/);
  });

  await t.step("workloads", async () => {
    const announced = setInterval(() =>
      nc.publish(
        "h8s.control.interest.register.example.shop",
        '{"host":"shop.example","path":"/cart","method":"GET","match":"prefix"}',
      ), 50);
    const { code, stdout } = await ask("workloads", "--wait", "1s");
    assert.equal(code, 0);
    assert.match(stdout, /^GET +shop\.example +\/cart\/\*/m);
    const heard = await ask("subject", "shop.example/cart/7", "--workloads", "--wait", "1s");
    assert.match(heard.stdout, /^listens +{"host":"shop.example"/m);
    clearInterval(announced);
  });

  await t.step("connections, and their end", async () => {
    const { stdout, code } = await ask("connections", "--path", "/room");
    assert.equal(code, 0);
    assert.match(stdout, /\/room\/1\?token=•••/);
    assert.doesNotMatch(stdout, /lobby|hush/);
    const ended = await ask("connections", "--path", "/room", "--close", "4000", "moved", "away");
    assert.equal(ended.code, 0);
    const { headers } = await closed.next();
    assert.equal(headers?.get("X-H8s-Close-Code"), "4000");
    assert.equal(headers?.get("X-H8s-Close-Reason"), "moved away");
    const none = await ask("connections", "--path", "/room", "--json");
    assert.deepEqual([none.code, JSON.parse(none.stdout).connections], [1, []]);
    const bad = await ask("connections", "moved");
    assert.equal(bad.code, 2);
  });

  await t.step("tap", async () => {
    const headers = { authorization: "Bearer hush", accept: "text/plain" };
    const asked = ask("tap", "GET 127.0.0.1/cart", "--count", "2", "--headers");
    let isOver = false;
    void asked.finally(() => isOver = true);
    while (!isOver) {
      for (const path of ["cart?token=hush", "other"]) {
        const response = await fetch(`${gateway.url}/${path}`, { headers });
        // Who watches is nobody who serves it.
        assert.equal(response.status, 503);
        await response.body?.cancel();
      }
      await pause(50);
    }
    const { code, stdout, stderr } = await asked;
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, / h8s\.http\.GET\.127\.0\.0\.1\.cart 127\.0\.0\.1:\d+\/cart\?token=••• /);
    assert.match(stdout, /^ {4}Authorization: •••$/m);
    assert.match(stdout, /^ {4}Accept: text\/plain$/m);
    assert.doesNotMatch(stdout, /hush|other/);
    const quiet = await ask("tap", "ws nowhere.example", "--seconds", "1");
    assert.equal(quiet.code, 1);
    const none = await ask("tap", "--prefix", "other");
    assert.equal(none.code, 1);
    assert.match(none.stderr, /no gateway answers under the prefix other/);
  });
});

Deno.test("a question that NATS does not let one ask says so, and what to do", async () => {
  await using setup = await setUp();
  const { nats } = setup;
  const url = nats.url.replace("//", "//h8s:change%20me@");
  const refused = await runMain(["tap", "--nats-url", url, "--prefix", "other"]);
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /^h8s: NATS does not permit this user to publish to other\.control\.tap/m,
  );
  const wrong = await runMain(["gateways", "--nats-url", url.replace("change", "x")]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /refuses the login/);
  const away = await runMain(["gateways", "--nats-url", "nats://127.0.0.1:1"]);
  assert.equal(away.code, 1);
  assert.match(away.stderr, /^h8s: Cannot reach NATS at .*\nh8s: start one with /m);
});

Deno.test("each question has its own help", async () => {
  const { code, stdout } = await runMain(["tap", "--help"]);
  assert.equal(code, 0);
  assert.match(stdout, /Usage: .* tap \[PATTERN\] \[FLAGS\]/);
  assert.match(stdout, /Exit codes: 0: .*; 130: Ctrl-C/);
});

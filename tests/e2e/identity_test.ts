import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { KeyServer } from "../harness/key_server.ts";
import { Program } from "../harness/program.ts";
import { rawRequest } from "../harness/raw_http.ts";
import { answer, listen, natsHeaders, type Setup, setUp } from "../harness/setup.ts";
import { Client, HANDSHAKE, rawHandshake } from "../harness/websocket.ts";

const KEYS = ["first-secret-key", "second-secret-key"];
const KEY_FLAGS = KEYS.flatMap((key) => ["--authorization-key", key]);

/** With debug logs, to see that no secret is in them. */
function start(flags: readonly string[], yaml?: string): Promise<Setup> {
  const config = yaml === undefined ? [] : ["--config", "-"];
  return setUp([...flags, ...config, "--log-level", "debug"], {}, yaml);
}

function toJwtYaml({ url }: KeyServer, more = ""): string {
  return `jwt:
  issuer: id
  audience: shop
  jwks: ${url}
  jwksCooldown: 0s
  clockTolerance: 0s
  cookie: token
  query: access_token
${more}`;
}

async function assertNowhere(secrets: readonly string[], { gateway }: Setup): Promise<void> {
  const { text } = await gateway.admin("/metrics");
  const all = text + JSON.stringify(gateway.lines) + gateway.noise.join("\n");
  for (const secret of secrets) assert.ok(!all.includes(secret), all);
}

Deno.test("--authorization-key: whoever has none stays outside, and workloads never see it", async (t) => {
  await using setup = await start(KEY_FLAGS);
  const { gateway, nc } = setup;
  const requests = await listen(nc, "h8s.>");
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  await answer(nc, "h8s.http.>", () => ({ data: "ok" }));
  for (const key of KEYS) {
    await t.step(key, async () => {
      const headers = { authorization: `Bearer ${key}` };
      assert.equal(await (await fetch(gateway.url, { headers })).text(), "ok");
      const url = `ws://127.0.0.1:${gateway.port}/`;
      const client = await Client.connect(url, ["chat", `bearer.${key}`]);
      assert.equal(client.protocol, "chat");
      await client.close();
      await closed.next();
    });
  }
  const before = requests.all.length;
  for (const value of ["Bearer wrong", "Basic first-secret-key", ""]) {
    await t.step(`refused: ${value}`, async () => {
      const response = await fetch(gateway.url, { headers: { authorization: value } });
      assert.equal(response.status, 401);
      assert.equal(response.headers.get("www-authenticate"), "Bearer");
      const text = await response.text();
      assert.ok(!KEYS.some((key) => text.includes(key)));
      const { conn, response: head } = await rawHandshake(gateway.port, [
        ...HANDSHAKE,
        `Authorization: ${value}`,
      ]);
      conn.close();
      assert.match(head, /^HTTP\/1.1 401 /);
    });
  }
  assert.equal(await gateway.metric('h8s_requests_refused_total{code="unauthorized"}'), 6);
  await nc.flush();
  const crossed = requests.all.map((message) => String(message.headers)).join();
  assert.ok(!KEYS.some((key) => crossed.includes(key)), crossed);
  const after = requests.all.slice(before).map(({ subject }) => subject);
  assert.deepEqual(after.filter((subject) => /http|established/.test(subject)), []);
  await assertNowhere(KEYS, setup);
});

Deno.test("--authorization-key-file: keys come by standard input, and need no permission", async () => {
  const flags = ["--authorization-key-file", "-", "--log-level", "debug"];
  await using setup = await setUp(flags, {}, `\n${KEYS[0]}\r\n\n  ${KEYS[1]}\n`);
  await answer(setup.nc, "h8s.http.>", () => ({ data: "ok" }));
  for (const [key, status] of [[KEYS[0], 200], [KEYS[1], 200], ["other", 401]] as const) {
    const headers = { authorization: `Bearer ${key}` };
    const response = await fetch(setup.gateway.url, { headers });
    await response.body?.cancel();
    assert.equal(response.status, status);
  }
  await assertNowhere(KEYS, setup);
});

Deno.test("--authorization-key-file: what cannot be read lets nobody start", async (t) => {
  const table: [path: string, stdin: string, expected: RegExp][] = [
    ["-", "\n", /there is no key in standard input/],
    ["-", `good-key\n${KEYS[0]},x\n`, /cannot use key 2 of standard input/],
    ["/no/such/file", "", /run with --allow-read=\/no\/such\/file, or pipe it in/],
  ];
  for (const [path, stdin, expected] of table) {
    await t.step(`${path} ${JSON.stringify(stdin)}`, async () => {
      const flags = ["--listen", "127.0.0.1:0", "--authorization-key-file", path];
      await using program = new Program(flags, stdin);
      assert.equal((await program.ended).code, 2);
      const text = program.noise.join("\n");
      assert.match(text, expected);
      assert.ok(!text.includes(KEYS[0]!), text);
    });
  }
});

Deno.test("--forward-credentials: a workload that asks for it sees the key", async () => {
  await using setup = await start([...KEY_FLAGS, "--forward-credentials"]);
  const requests = await listen(setup.nc, "h8s.http.>");
  const response = fetch(setup.gateway.url, { headers: { authorization: `Bearer ${KEYS[0]}` } });
  const message = await requests.next();
  message.respond("ok");
  await (await response).text();
  assert.equal(message.headers?.get("Authorization"), `Bearer ${KEYS[0]}`);
});

Deno.test("a route may ask for nothing, or for something else", async () => {
  await using setup = await start(
    KEY_FLAGS,
    "routes: [{ match: { path: /open }, auth: none }, { match: { path: /asked }, auth: authorize }]",
  );
  const { gateway, nc } = setup;
  await answer(nc, "h8s.http.>", () => ({ data: "ok" }));
  await answer(nc, "h8s.control.http.authorize.>", ({ headers }) => ({
    headers: natsHeaders([
      "Status-Code",
      headers?.get("Authorization") === "Basic x" ? "200" : "403",
    ]),
  }));
  const get = async (path: string, authorization = "") => {
    const response = await fetch(gateway.url + path, { headers: { authorization } });
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await get("/"), 401);
  assert.equal(await get("/open"), 200);
  assert.equal(await get("/asked"), 403);
  assert.equal(await get("/asked", "Basic x"), 200);
});

Deno.test("JWT: workloads learn who asks, and never see the token", async (t) => {
  await using keys = await KeyServer.start();
  await using setup = await start([], toJwtYaml(keys));
  const { gateway, nc } = setup;
  const requests = await listen(nc, "h8s.http.>");
  const token = await keys.sign({ role: "admin" });
  const forged = (await keys.sign()).replace(/.{8}$/, "AAAAAAAA");
  const table: [name: string, path: string, headers: Record<string, string>][] = [
    ["header", "/?a=1", { authorization: `Bearer ${token}`, cookie: "a=1" }],
    ["query", `/?access_token=${token}&a=1`, { cookie: `token=${token}; a=1` }],
    ["page that was opened with it", "/?a=1", {
      ...{ authorization: `Bearer ${token}`, cookie: "a=1" },
      referer: `${gateway.url}/?access_token=${token}`,
    }],
  ];
  for (const [name, path, headers] of table) {
    await t.step(name, async () => {
      const response = fetch(gateway.url + path, {
        headers: { ...headers, "x-h8s-subject": "root", "x-h8s-claims": "e30" },
      });
      const message = await requests.next();
      message.respond("ok");
      assert.equal(await (await response).text(), "ok");
      assert.deepEqual(message.headers?.values("X-H8s-Subject"), ["ann"]);
      const [claims = ""] = message.headers?.values("X-H8s-Claims") ?? [];
      assert.equal(JSON.parse(Buffer.from(claims, "base64url").toString()).role, "admin");
      assert.equal(message.headers?.get("X-H8s-Original-Query"), "a=1");
      assert.equal(message.headers?.get("Cookie"), "a=1");
      assert.ok(!String(message.headers).includes(token));
      assert.equal(message.headers?.get("Authorization"), "");
    });
  }
  for (const [name, value] of [["forged", forged], ["expired", await keys.sign({}, -1000)]]) {
    await t.step(name!, async () => {
      const response = await fetch(gateway.url, { headers: { authorization: `Bearer ${value}` } });
      assert.equal(response.status, 401);
      assert.ok(!(await response.text()).includes(value!));
    });
  }
  await t.step("a cookie is no proof for HTTP", async () => {
    const response = await fetch(gateway.url, { headers: { cookie: `token=${token}` } });
    await response.body?.cancel();
    assert.equal(response.status, 401);
  });
  assert.equal(keys.requests, 1);
  await assertNowhere([token, forged], setup);
});

Deno.test("JWT: new keys are taken, and old ones do while the key server is away", async () => {
  const keys = await KeyServer.start();
  await using setup = await start([], toJwtYaml(keys, "  jwksMaxAge: 1ms"));
  const { gateway, nc } = setup;
  await answer(nc, "h8s.http.>", () => ({ data: "ok" }));
  const get = async (token: string) => {
    const response = await fetch(gateway.url, { headers: { authorization: `Bearer ${token}` } });
    await response.body?.cancel();
    return response.status;
  };
  const old = await keys.sign();
  assert.equal(await get(old), 200);
  await keys.rotate();
  const current = await keys.sign();
  assert.equal(await get(current), 200);
  assert.equal(await get(old), 401);
  await keys[Symbol.asyncDispose]();
  assert.equal(await get(current), 200);
  await gateway.logged("the keys for tokens cannot be fetched again");
  assert.equal(await get(current), 200);
  await keys.rotate();
  assert.equal(await get(await keys.sign()), 503);
});

Deno.test("JWT: with no keys yet and the key server away, nobody gets in", async () => {
  const keys = await KeyServer.start();
  const token = await keys.sign();
  await keys[Symbol.asyncDispose]();
  await using setup = await start([], toJwtYaml(keys));
  const response = await fetch(setup.gateway.url, {
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(response.status, 503);
  assert.equal(response.headers.get("retry-after"), "1");
  assert.equal((await response.json()).type, "urn:h8s:error:identity_unavailable");
});

Deno.test("JWT: a WebSocket is closed 4401 when its token expires", async (t) => {
  await using keys = await KeyServer.start();
  await using setup = await start([], toJwtYaml(keys));
  const { gateway, nc } = setup;
  const established = await listen(nc, "h8s.control.ws.conn.established");
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  await t.step("by the subprotocol", async () => {
    const lifeMs = 1500;
    const begun = Date.now();
    const token = await keys.sign({}, lifeMs);
    const url = `ws://127.0.0.1:${gateway.port}/`;
    const client = await Client.connect(url, ["chat", `bearer.${token}`]);
    assert.equal(client.protocol, "chat");
    const event = await established.next();
    assert.equal(event.headers?.get("X-H8s-Subject"), "ann");
    assert.equal(event.headers?.get("Sec-Websocket-Protocol"), "chat");
    assert.ok(!String(event.headers).includes(token));
    const { code, reason } = await client.closed;
    assert.deepEqual([code, reason], [4401, "the token has expired"]);
    assert.ok(Date.now() - begun >= lifeMs);
    assert.equal((await closed.next()).headers?.get("X-H8s-Close-Code"), "4401");
  });
  await t.step("by the cookie", async () => {
    const token = await keys.sign();
    const { conn, response } = await rawHandshake(gateway.port, [
      ...HANDSHAKE,
      `Cookie: token=${token}; a=1`,
    ]);
    assert.match(response, /^HTTP\/1.1 101 /);
    const event = await established.next();
    assert.equal(event.headers?.get("Cookie"), "a=1");
    conn.close();
    await closed.next();
  });
  await t.step("without one", async () => {
    const { conn, response } = await rawHandshake(gateway.port);
    assert.match(response, /^HTTP\/1.1 401 /);
    conn.close();
  });
});

Deno.test("authorize: a workload lets in, and says what as", async () => {
  await using setup = await start(["--auth", "authorize"]);
  const { gateway, nc } = setup;
  const established = await listen(nc, "h8s.control.ws.conn.established");
  const questions = await listen(nc, "h8s.control.ws.authorize.>");
  const lines = [
    ...HANDSHAKE,
    "Sec-WebSocket-Protocol: chat,game, bearer.secret-token",
    "Cookie: a=1",
  ];
  const shaking = rawHandshake(gateway.port, lines);
  const question = await questions.next();
  assert.equal(question.subject, "h8s.control.ws.authorize.com.example.chat");
  assert.equal(question.headers?.get("Authorization"), "Bearer secret-token");
  assert.equal(question.headers?.get("Sec-Websocket-Protocol"), "chat, game");
  assert.equal(question.headers?.get("X-H8s-Original-Path"), "/raw");
  assert.equal(question.headers?.get("Cookie"), "a=1");
  question.respond("", {
    headers: natsHeaders(
      ["Status-Code", "101"],
      ["Sec-WebSocket-Protocol", "game"],
      ["Set-Cookie", "seat=1"],
      ["Set-Cookie", "row=2"],
      ["X-H8s-Session", "ann"],
      ["X-H8s-Subject", "Ann"],
    ),
  });
  const { conn, response } = await shaking;
  assert.match(response, /^HTTP\/1.1 101 /);
  assert.match(response, /^sec-websocket-protocol: game\r$/im);
  assert.deepEqual(response.match(/^set-cookie: .*(?=\r$)/gim), [
    "set-cookie: seat=1",
    "set-cookie: row=2",
  ]);
  const event = await established.next();
  assert.equal(event.headers?.get("Client-Id"), "ann");
  assert.equal(event.headers?.get("X-H8s-Subject"), "Ann");
  assert.ok(!String(event.headers).includes("secret-token"));
  nc.publish("h8s.ann.push", "hello");
  const buffer = new Uint8Array(100);
  const length = await conn.read(buffer) ?? 0;
  assert.ok(new TextDecoder().decode(buffer.subarray(0, length)).endsWith("hello"));
  conn.close();
  await assertNowhere(["secret-token"], setup);
});

Deno.test("authorize: whatever is no clear yes keeps the client out", async (t) => {
  await using setup = await start(["--auth", "authorize", "--authorize-timeout", "200ms"]);
  const { gateway, nc } = setup;
  const established = await listen(nc, "h8s.control.ws.conn.established");
  const shake = async () => {
    const { conn, response } = await rawHandshake(gateway.port, [
      ...HANDSHAKE,
      "Sec-WebSocket-Protocol: chat",
    ]);
    conn.close();
    return response;
  };
  await t.step("nobody answers", async () => {
    const response = await shake();
    assert.match(response, /^HTTP\/1.1 503 /);
    assert.match(response, /identity_unavailable/);
  });
  const table: [headers: [string, string][], body: string, expected: RegExp][] = [
    [
      [["Status-Code", "403"], ["X-Why", "banned"]],
      "go away",
      /^HTTP\/1.1 403 [^]*x-why: banned[^]*/i,
    ],
    [[["Status-Code", "302"], ["Location", "/login"]], "", /^HTTP\/1.1 302 [^]*location: \/login/i],
    [[["Nats-Service-Error-Code", "429"], ["Nats-Service-Error", "x"]], "", /^HTTP\/1.1 429 /],
    [[], '{"stream":"S","seq":1}', /^HTTP\/1.1 504 /],
    [[["Status-Code", "101"], ["Sec-WebSocket-Protocol", "other"]], "", /^HTTP\/1.1 502 /],
    [[["Status-Code", "101"], ["X-H8s-Session", "a.>"]], "", /^HTTP\/1.1 502 /],
  ];
  for (const [headers, body, expected] of table) {
    await t.step(JSON.stringify(headers), async () => {
      const subscription = nc.subscribe("h8s.control.ws.authorize.>", {
        callback: (_error, message) =>
          void message.respond(
            body,
            headers.length === 0 ? {} : { headers: natsHeaders(...headers) },
          ),
      });
      await nc.flush();
      assert.match(await shake(), expected);
      subscription.unsubscribe();
    });
  }
  await t.step("too late", async () => {
    const questions = await listen(nc, "h8s.control.ws.authorize.>");
    const response = await shake();
    assert.match(response, /^HTTP\/1.1 504 /);
    (await questions.next()).respond("", { headers: natsHeaders(["Status-Code", "101"]) });
  });
  await nc.flush();
  assert.deepEqual(established.all, []);
});

Deno.test("a secret in the query, the cookie or a header is in no error, log or metric", async () => {
  await using setup = await start(KEY_FLAGS);
  const secret = "another-secret-value";
  const heads = [
    `GET /?key=${secret} HTTP/1.1\r\nHost: a.example\r\nCookie: c=${secret}`,
    `GET /x%zz HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer ${secret}`,
    `GET / HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer ${secret}`,
    `GET / HTTP/1.1\r\nHost: b.example\r\nX-Key: ${secret}\r\nAuthorization: ${secret}`,
  ];
  for (const head of heads) {
    const { raw } = await rawRequest(setup.gateway.port, head);
    assert.ok(!raw.includes(secret), raw);
  }
  await assertNowhere([...KEYS, secret], setup);
});

Deno.test("signed sessions: a forged cookie gets a new session, and no key is told", async () => {
  const key = "a session secret of at least 32 characters";
  await using setup = await start(
    ["--trusted-proxies", "127.0.0.1"],
    `session: { keys: ["${key}"] }`,
  );
  const { gateway, nc } = setup;
  await answer(nc, "h8s.http.>", ({ headers }) => ({ data: headers?.get("Client-Id") ?? "" }));
  const get = async (cookie: string) => {
    const head = "GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-Proto: https";
    const { body, headers } = await rawRequest(gateway.port, `${head}\r\nCookie: ${cookie}`);
    return { id: body, setCookie: headers.find(([name]) => name === "set-cookie")?.[1] };
  };
  const first = await get("a=1");
  assert.match(first.setCookie ?? "", /^__Host-clientId=.*; HttpOnly; Secure; SameSite=Lax$/);
  const pair = first.setCookie!.split(";")[0]!;
  assert.deepEqual(await get(pair), { id: first.id, setCookie: undefined });
  const forged = await get(pair.replace(first.id, "f".repeat(32)));
  assert.match(forged.id, /^[0-9a-f]{32}$/);
  assert.notEqual(forged.id, "f".repeat(32));
  assert.ok(forged.setCookie?.includes(forged.id));
  await assertNowhere([key, pair.split(".")[1]!], setup);
});

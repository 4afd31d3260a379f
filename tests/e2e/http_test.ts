import { pause } from "../../lib/time/within.ts";
import assert from "node:assert/strict";
import { open, rawRequest, readUntil, write } from "../harness/raw_http.ts";
import { answer, headerEntries, listen, natsHeaders, rawHeaders, setUp } from "../harness/setup.ts";

Deno.test("an HTTP request becomes a NATS request on the subject of its host and path", async (t) => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  await answer(nc, "h8s.http.>", (message) => ({ data: message.subject }));
  const table: [target: string, host: string, subject: string][] = [
    ["/", "example.com", "com.example"],
    ["/users/42", "foo.bar.example.com:8080", "com.example.bar.foo.users.42"],
    ["/a", "EXAMPLE.com.", "com.example.a"],
    ["/a", "127.0.0.1:80", "127.0.0.1.a"],
    ["/a", "[2001:db8::1]:443", "2001_db8__1.a"],
    ["//a///b/", "e.com", "com.e.a.b"],
    ["/.oidc/_callback", "e.com", "com.e.%2Eoidc._callback"],
    ["/stuff%2Eduff/resize", "e.com", "com.e.stuff%2Eduff.resize"],
    ["/a%2Fb", "e.com", "com.e.a%2Fb"],
    ["/a*b/>", "e.com", "com.e.a%2Ab.%3E"],
    ["/a/../b/./c", "e.com", "com.e.b.c"],
    ["/%2e%2e/a", "e.com", "com.e.a"],
    ["/a\xc3\xa9", "e.com", "com.e.a%C3%A9"],
    ["/%E9/%ff", "e.com", "com.e.%E9.%FF"],
    ["//a/", "e.com", "com.e.a"],
    ["/\\a", "e.com", "com.e.a"],
    ["/.//%61", "e.com", "com.e.a"],
    ["http://e.com/abs", "e.com", "com.e.abs"],
    ["/?q=a.b*>", "e.com", "com.e"],
  ];
  for (const [target, host, subject] of table) {
    await t.step(`${host} ${target}`, async () => {
      const { status, body } = await rawRequest(
        gateway.port,
        `GET ${target} HTTP/1.1\r\nHost: ${host}`,
      );
      assert.deepEqual({ status, body }, { status: 200, body: `h8s.http.GET.${subject}` });
    });
  }
  await t.step("HTTP/1.0 without a Host", async () => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: gateway.port });
    await write(conn, "GET /up HTTP/1.0\r\n\r\n");
    assert.match(
      await new Response(conn.readable).text(),
      /^HTTP\/1\.0 200 [^]*\.GET\.127\.0\.0\.1\.up$/,
    );
  });
  await t.step("OPTIONS * is nobody's", async () => {
    const { status } = await rawRequest(gateway.port, "OPTIONS * HTTP/1.1\r\nHost: e.com");
    assert.equal(status, 204);
  });
  await t.step("a method of WebDAV", async () => {
    const { body } = await rawRequest(gateway.port, "PROPFIND /x HTTP/1.1\r\nHost: e.com");
    assert.equal(body, "h8s.http.PROPFIND.com.e.x");
  });
});

Deno.test("a malformed request is a 400 and never a message", async (t) => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const seen = await listen(nc, "h8s.http.>");
  const table: [head: string, status: number][] = [
    ["GET / HTTP/1.1\r\nHost: a.b>c.*", 400],
    ["GET / HTTP/1.1\r\nHost: a b", 400],
    ["GET / HTTP/1.1\r\nHost: ", 400],
    ["GET / HTTP/1.1\r\nHost: user@e.com", 400],
    ["GET http://other.com/ HTTP/1.1\r\nHost: e.com", 400],
    ["GET.* / HTTP/1.1\r\nHost: e.com", 400],
    ["get / HTTP/1.1\r\nHost: e.com", 400],
    ["GET /%zz HTTP/1.1\r\nHost: e.com", 400],
    ["GET /%4 HTTP/1.1\r\nHost: e.com", 400],
    ["GET ftp://e.com/ HTTP/1.1\r\nHost: e.com", 400],
    ["POST / HTTP/1.1\r\nHost: e.com\r\nTransfer-Encoding: gzip, chunked", 501],
    ["CONNECT e.com:443 HTTP/1.1\r\nHost: e.com:443", 405],
    ["TRACE / HTTP/1.1\r\nHost: e.com", 405],
    [`GET /${"a".repeat(5000)} HTTP/1.1\r\nHost: e.com`, 414],
  ];
  for (const [head, status] of table) {
    await t.step(head.slice(0, 60), async () => {
      const response = await rawRequest(gateway.port, head);
      assert.equal(response.status, status);
      const problem = JSON.parse(response.body);
      assert.equal(problem.status, status);
      assert.match(problem.type, /^urn:h8s:error:/);
      assert.match(problem.requestId, /^[0-9a-f]{32}$/);
      assert.ok(problem.title.length > 0 && problem.detail.length > 0);
      assert.ok(
        response.headers.some(([n, v]) => n === "content-type" && v === "application/problem+json"),
      );
    });
  }
  await nc.flush();
  assert.deepEqual(seen.all.map((message) => message.subject), []);
});

Deno.test("the message carries the request's headers, canonical, and the gateway's", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  await answer(nc, "h8s.http.>", () => ({}));
  const seen = await listen(nc, "h8s.http.>");
  await rawRequest(
    gateway.port,
    [
      "GET /some//path?x=1&y=%20 HTTP/1.1",
      "Host: shop.example.com:8080",
      "content-TYPE: text/plain",
      "x-custom-thing: b\xe9ta",
      "accept: a",
      "accept: b",
      "cookie: s=1",
      "cookie: t=2",
      "nats-rollup: all",
      "X-H8S-PublishSubject: forged",
      "x-forwarded-for: 6.6.6.6",
      "x-request-id: forged",
      "traceparent: 00-11111111111111111111111111111111-1111111111111111-01",
      "te: trailers",
      "keep-alive: timeout=5",
      "proxy-authorization: secret",
      "connection: x-hop",
      "x-hop: 1",
    ].join("\r\n"),
  );
  const message = await seen.next();
  const raw = new Map(headerEntries(message));
  assert.equal(raw.get("Content-Type"), "text/plain");
  assert.equal(raw.get("Accept"), "a, b");
  assert.equal(raw.get("Cookie"), "s=1; t=2");
  assert.equal(raw.has("Host"), false);
  assert.equal(raw.get("X-H8s-Original-Host"), "shop.example.com:8080");
  assert.equal(raw.get("X-H8s-PublishSubject"), message.subject);
  assert.equal(raw.get("X-H8s-Original-Query"), "x=1&y=%20");
  assert.equal(raw.get("X-H8s-Original-Path"), "/some//path");
  assert.equal(raw.get("X-H8s-ReplySubject"), message.reply);
  assert.match(
    raw.get("X-H8s-Connection-Close-Subject") ?? "",
    /^h8s\.control\.connection\.closed\.[\w-]+$/,
  );
  assert.match(message.reply ?? "", /^_INBOX\.h8s\.\w+\.[\w-]+$/);
  assert.equal(raw.get("X-Forwarded-For"), "127.0.0.1");
  assert.equal(raw.get("X-Forwarded-Proto"), "http");
  assert.equal(raw.get("X-Forwarded-Host"), "shop.example.com:8080");
  assert.match(raw.get("X-Request-Id") ?? "", /^[0-9a-f]{32}$/);
  assert.match(raw.get("Traceparent") ?? "", /^00-(?!1{32})[0-9a-f]{32}-[0-9a-f]{16}-0\d$/);
  const names = [...raw.keys()].map((name) => name.toLowerCase());
  for (
    const name of ["nats-rollup", "te", "keep-alive", "proxy-authorization", "connection", "x-hop"]
  ) {
    assert.ok(!names.includes(name), `${name} must not cross`);
  }
  assert.equal(names.filter((name) => name === "x-h8s-publishsubject").length, 1);
});

Deno.test("header values are bytes in both directions", async () => {
  await using setup = await setUp();
  const { nc, gateway, nats } = setup;
  // Plain NATS protocol, since the client library would read the bytes as UTF-8.
  using workload = await Deno.connect({ hostname: "127.0.0.1", port: nats.port });
  await write(workload, 'CONNECT {"headers":true,"verbose":false}\r\nSUB h8s.http.> 1\r\nPING\r\n');
  await readUntil(workload, (text) => text.includes("PONG"));
  using client = await open(gateway.port);
  await write(
    client,
    "GET / HTTP/1.1\r\nHost: e.com\r\nX-Bytes: \xe9\xc3\xa9\xff\r\nConnection: close\r\n\r\n",
  );
  const request = await readUntil(
    workload,
    (text) => text.includes("HMSG") && text.includes("\r\n\r\n\r\n"),
  );
  assert.ok(request.includes("X-Bytes: \xe9\xc3\xa9\xff\r\n"));
  const reply = /HMSG \S+ \d+ (\S+) /.exec(request)![1];
  const block = "NATS/1.0\r\nContent-Length: 0\r\nX-Back: \xe9\xc3\xa9\xff\r\n\r\n";
  await write(workload, `HPUB ${reply} ${block.length} ${block.length}\r\n${block}\r\n`);
  const response = await readUntil(client);
  assert.ok(response.includes("X-Back: \xe9\xc3\xa9\xff\r\n"), response);
  await nc.flush();
});

Deno.test("bodies are binary both ways", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  await answer(nc, "h8s.http.POST.>", (message) => ({
    data: message.data.toReversed(),
    headers: natsHeaders(["Content-Length", String(message.data.length)]),
  }));
  const response = await fetch(`${gateway.url}/echo`, { method: "POST", body: bytes });
  assert.deepEqual(new Uint8Array(await response.arrayBuffer()), bytes.toReversed());
});

Deno.test("a large reply is what the workload sent, whether it is text or not", async (t) => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const ascii = new Uint8Array(100_000).fill(0x61);
  const binary = ascii.map((_, index) => index % 256);
  const table: [title: string, data: Uint8Array<ArrayBuffer>, type: string | null][] = [
    ["text without a type", ascii, null],
    ["text of a type", ascii, "application/json"],
    ["anything else", binary, null],
    ["one byte that is no ASCII", ascii.with(99_999, 0xe9), "text/plain"],
  ];
  for (const [index, [title, data, type]] of table.entries()) {
    const headers = type === null ? [] : [["Content-Type", type] as [string, string]];
    const length: [string, string] = ["Content-Length", String(data.length)];
    await answer(nc, `h8s.http.GET.127.0.0.1.${index}`, () => ({
      data,
      headers: natsHeaders(length, ...headers),
    }));
    await t.step(title, async () => {
      const response = await fetch(`${gateway.url}/${index}`);
      assert.equal(response.headers.get("content-type"), type);
      assert.deepEqual(await response.bytes(), data);
    });
  }
});

Deno.test("each kind of reply becomes the response that it means", async (t) => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  interface Row {
    readonly name: string;
    readonly headers?: [string, string][];
    readonly data?: string;
    readonly status: number;
    readonly body?: string;
  }
  const table: Row[] = [
    { name: "plain", data: "hello", status: 200, body: "hello" },
    { name: "plain, empty", status: 200, body: "" },
    {
      name: "plain with headers",
      headers: [["X-A", "1"]],
      data: "hello",
      status: 200,
      body: "hello",
    },
    {
      name: "single",
      headers: [["Content-Length", "5"]],
      data: "hello",
      status: 200,
      body: "hello",
    },
    {
      name: "Status-Code wins over Status",
      headers: [["Status", "500"], ["Status-Code", "201"], ["Content-Length", "2"]],
      data: "ok",
      status: 201,
      body: "ok",
    },
    {
      name: "Status with words",
      headers: [["Status", "404 Not Found"], ["Content-Length", "2"]],
      data: "no",
      status: 404,
      body: "no",
    },
    { name: "204", headers: [["Status", "204"], ["Content-Length", "0"]], status: 204, body: "" },
    {
      name: "204 that has a body all the same",
      headers: [["Status", "204"], ["Content-Length", "2"]],
      data: "xx",
      status: 204,
      body: "",
    },
    { name: "empty stream", headers: [["Status", "202"]], status: 202, body: "" },
    {
      name: "service error",
      headers: [["Nats-Service-Error", "gone"], ["Nats-Service-Error-Code", "410"]],
      data: "x",
      status: 410,
    },
    {
      name: "service error outside HTTP",
      headers: [["Nats-Service-Error-Code", "7"]],
      status: 500,
    },
    { name: "status too low", headers: [["Status", "99"], ["Content-Length", "0"]], status: 502 },
    { name: "status too high", headers: [["Status", "600"], ["Content-Length", "0"]], status: 502 },
    {
      name: "status of no number",
      headers: [["Status", "fine"], ["Content-Length", "0"]],
      status: 502,
    },
    {
      name: "informational status",
      headers: [["Status", "101"], ["Content-Length", "0"]],
      status: 502,
    },
    { name: "header name that HTTP cannot carry", headers: [["X A", "1"]], status: 502 },
    { name: "header value that HTTP cannot carry", headers: [["X-A", "a\x00b"]], status: 502 },
  ];
  await answer(nc, "h8s.http.GET.>", (message) => {
    const row = table[Number(message.subject.split(".").at(-1))]!;
    return {
      data: row.data ?? "",
      ...(row.headers === undefined ? {} : { headers: rawHeaders(toBlock(row.headers)) }),
    };
  });
  for (const [index, { name, status, body }] of table.entries()) {
    await t.step(name, async () => {
      const response = await fetch(`${gateway.url}/${index}`);
      const text = await response.text();
      assert.equal(response.status, status);
      if (body !== undefined) assert.equal(text, body);
    });
  }
});

Deno.test("reply headers reach the client, several of one name stay several, control ones do not", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  await answer(nc, "h8s.http.>", () => ({
    data: "hello",
    headers: natsHeaders(
      ["Content-Length", "5"],
      ["Status-Code", "200"],
      ["Content-Type", "text/x"],
      ["Set-Cookie", "a=1; Path=/"],
      ["Set-Cookie", "b=2, c"],
      ["Vary", "x"],
      ["Vary", "y"],
      ["X-H8s-Secret", "1"],
      ["Nats-Msg-Id", "1"],
      ["Connection", "x-hop"],
      ["X-Hop", "1"],
      ["Keep-Alive", "1"],
      ["Status-Text", "OK"],
    ),
  }));
  const { headers, body } = await rawRequest(gateway.port, "GET / HTTP/1.1\r\nHost: e.com");
  assert.equal(body, "hello");
  const values = (name: string) =>
    headers.filter(([key]) => key === name).map(([, value]) => value);
  assert.deepEqual(values("set-cookie"), ["a=1; Path=/", "b=2, c"]);
  assert.deepEqual(values("vary").join(", "), "x, y");
  assert.deepEqual(values("content-type"), ["text/x"]);
  assert.deepEqual(values("content-length"), ["5"]);
  for (
    const name of [
      "x-h8s-secret",
      "nats-msg-id",
      "x-hop",
      "keep-alive",
      "status-text",
      "status-code",
    ]
  ) {
    assert.deepEqual(values(name), [], `${name} must not cross`);
  }
});

Deno.test("HEAD has the length of the body and no body", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  await answer(nc, "h8s.http.HEAD.>", () => ({ headers: natsHeaders(["Content-Length", "1234"]) }));
  const { status, headers, body } = await rawRequest(
    gateway.port,
    "HEAD / HTTP/1.1\r\nHost: e.com",
  );
  assert.deepEqual({ status, body }, { status: 200, body: "" });
  assert.ok(headers.some(([name, value]) => name === "content-length" && value === "1234"));
});

Deno.test("nobody listening is a 503 at once, with Retry-After", async () => {
  await using setup = await setUp(["--request-timeout", "30s"]);
  const begun = performance.now();
  const response = await fetch(`${setup.gateway.url}/nobody`);
  const problem = await response.json();
  assert.equal(response.status, 503);
  assert.ok(Number(response.headers.get("retry-after")) > 0);
  assert.equal(problem.type, "urn:h8s:error:no_responders");
  assert.ok(performance.now() - begun < 2000);
});

Deno.test("no reply in time is a 504, and the workload is told", async () => {
  await using setup = await setUp(["--request-timeout", "300ms"]);
  const { nc, gateway } = setup;
  const closed = await listen(nc, "h8s.control.connection.closed.>");
  const requests = await listen(nc, "h8s.http.>");
  const response = await fetch(`${gateway.url}/slow`);
  assert.equal(response.status, 504);
  assert.equal((await response.json()).type, "urn:h8s:error:reply_timeout");
  const end = await closed.next();
  assert.equal(end.string(), "timeout");
  assert.equal(end.subject, (await requests.next()).headers?.get("X-H8s-Connection-Close-Subject"));
});

Deno.test("a late reply reaches nobody", async () => {
  await using setup = await setUp(["--request-timeout", "200ms"]);
  const { nc, gateway } = setup;
  const requests = await listen(nc, "h8s.http.GET.>");
  assert.equal((await drop(fetch(`${gateway.url}/first`))).status, 504);
  const second = fetch(`${gateway.url}/second`);
  const [late, current] = [await requests.next(), await requests.next()];
  late.respond("late");
  await nc.flush();
  current.respond("current");
  assert.equal(await (await second).text(), "current");
});

Deno.test("a body over the limit is a 413, whether it is announced or not", async (t) => {
  await using setup = await setUp(["--max-body-size", "1000B"]);
  const { nc, gateway } = setup;
  await answer(nc, "h8s.http.POST.>", (message) => ({ data: String(message.data.length) }));
  await t.step("announced", async () => {
    const { status } = await rawRequest(
      gateway.port,
      "POST / HTTP/1.1\r\nHost: e.com\r\nContent-Length: 1001",
    );
    assert.equal(status, 413);
  });
  await t.step("chunked", async () => {
    const chunk = `${(600).toString(16)}\r\n${"x".repeat(600)}\r\n`;
    const { status } = await rawRequest(
      gateway.port,
      "POST / HTTP/1.1\r\nHost: e.com\r\nTransfer-Encoding: chunked",
      `${chunk}${chunk}0\r\n\r\n`,
    );
    assert.equal(status, 413);
  });
  await t.step("just within", async () => {
    const response = await fetch(gateway.url, { method: "POST", body: "x".repeat(1000) });
    assert.equal(await response.text(), "1000");
  });
});

Deno.test("what does not fit into one NATS message is a 413 or a 431", async () => {
  await using setup = await setUp([], { config: "max_payload: 4096" });
  const { nc, gateway } = setup;
  await answer(nc, "h8s.http.>", () => ({}));
  const large = await drop(fetch(gateway.url, { method: "POST", body: "x".repeat(4000) }));
  assert.equal(large.status, 413);
  const long = await drop(fetch(gateway.url, { headers: { "x-long": "x".repeat(4096) } }));
  assert.equal(long.status, 431);
});

Deno.test("a stream flows chunk by chunk, past the request timeout, until it ends", async (t) => {
  await using setup = await setUp(["--request-timeout", "400ms"]);
  const { nc, gateway } = setup;
  const table = [["an empty message", "", "completed"], [
    "0 CRLF CRLF",
    "0\r\n\r\n",
    "termination_chunk",
  ]];
  for (const [name, terminator, reason] of table) {
    await t.step(`by ${name}`, async () => {
      const requests = await listen(nc, "h8s.http.GET.>");
      const closed = await listen(nc, "h8s.control.connection.closed.>");
      const pending = fetch(`${gateway.url}/events`);
      const { reply } = await requests.next();
      nc.publish(reply!, "data: 0\n\n", {
        headers: natsHeaders(["Content-Type", "text/event-stream"], ["Status", "200"]),
      });
      const response = await pending;
      assert.equal(response.headers.get("content-type"), "text/event-stream");
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      assert.equal((await reader.read()).value, "data: 0\n\n");
      // Each event is sent only after the one before has been seen: nothing is buffered on the way.
      for (let index = 1; index <= 4; index++) {
        await pause(200);
        nc.publish(reply!, `data: ${index}\n\n`);
        assert.equal((await reader.read()).value, `data: ${index}\n\n`);
      }
      nc.publish(reply!, terminator);
      assert.equal((await reader.read()).done, true);
      assert.equal((await closed.next()).string(), reason);
    });
  }
});

Deno.test("a stream that falls silent is cut off so that the client can tell", async () => {
  await using setup = await setUp(["--request-timeout", "300ms"]);
  const { nc, gateway } = setup;
  const requests = await listen(nc, "h8s.http.GET.>");
  const closed = await listen(nc, "h8s.control.connection.closed.>");
  using client = await open(gateway.port);
  await write(client, "GET /half HTTP/1.1\r\nHost: e.com\r\n\r\n");
  (await requests.next()).respond("half", { headers: natsHeaders(["Status", "200"]) });
  const raw = await readUntil(client);
  assert.ok(raw.includes("half"));
  assert.ok(!raw.endsWith("0\r\n\r\n"), "a clean end would be a lie");
  assert.equal((await closed.next()).string(), "timeout");
  assert.equal(await gateway.metric('h8s_http_responses_aborted_total{reason="timeout"}'), 1);
});

Deno.test("a client too slow for a plain stream gets a broken transfer, and it is told and counted", async () => {
  await using setup = await setUp(["--response-buffer", "256KiB"]);
  const { nc, gateway } = setup;
  const requests = await listen(nc, "h8s.http.GET.>");
  const closed = await listen(nc, "h8s.control.connection.closed.>");
  using client = await open(gateway.port);
  await write(client, "GET /flood HTTP/1.1\r\nHost: e.com\r\n\r\n");
  const { reply } = await requests.next();
  const chunk = new Uint8Array(64 * 1024);
  nc.publish(reply!, chunk, { headers: natsHeaders(["Status", "200"]) });
  let reason: string | undefined;
  closed.next().then((message) => reason = message.string());
  for (let sent = 0; reason === undefined && sent < 4000; sent++) {
    nc.publish(reply!, chunk);
    await nc.flush();
  }
  assert.equal(reason, "overflow");
  const raw = await readUntil(client);
  assert.ok(!raw.endsWith("0\r\n\r\n"), "a clean end would be a lie");
  assert.equal(await gateway.metric('h8s_http_responses_aborted_total{reason="overflow"}'), 1);
});

Deno.test("a client that leaves is told to the workload", async (t) => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  for (const phase of ["before the reply", "in the middle of a stream"]) {
    await t.step(phase, async () => {
      const requests = await listen(nc, "h8s.http.GET.>");
      const closed = await listen(nc, "h8s.control.connection.closed.>");
      const client = await open(gateway.port);
      await write(client, "GET /leave HTTP/1.1\r\nHost: e.com\r\n\r\n");
      const request = await requests.next();
      if (phase !== "before the reply") {
        request.respond("begin", { headers: natsHeaders(["Status", "200"]) });
        await readUntil(client, (text) => text.includes("begin"));
      }
      client.close();
      assert.equal((await closed.next()).string(), "ctx_done");
    });
  }
});

Deno.test("a whole reply is told as completed", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const closed = await listen(nc, "h8s.control.connection.closed.>");
  await answer(nc, "h8s.http.>", () => ({ data: "hello" }));
  await drop(fetch(gateway.url));
  assert.equal((await closed.next()).string(), "completed");
});

Deno.test("--publish-only answers 200 and waits for nobody", async () => {
  await using setup = await setUp(["--publish-only"]);
  const { nc, gateway } = setup;
  const requests = await listen(nc, "h8s.http.POST.>");
  const response = await drop(fetch(`${gateway.url}/fire`, { method: "POST", body: "forget" }));
  assert.equal(response.status, 200);
  const message = await requests.next();
  assert.equal(message.string(), "forget");
  assert.equal(message.reply ?? "", "");
});

Deno.test("--prefix changes every subject", async () => {
  await using setup = await setUp(["--prefix", "acme.edge"]);
  const { nc, gateway } = setup;
  const closed = await listen(nc, "acme.edge.control.connection.closed.>");
  await answer(nc, "acme.edge.http.GET.127.0.0.1.a", () => ({ data: "hello" }));
  assert.equal(await (await fetch(`${gateway.url}/a`)).text(), "hello");
  await closed.next();
});

Deno.test("many requests at once each get their own reply", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  await answer(
    nc,
    "h8s.http.GET.127.0.0.1.*",
    (message) => ({ data: message.subject.split(".").at(-1)! }),
  );
  const indexes = Array.from({ length: 500 }, (_, index) => String(index));
  const bodies = await Promise.all(
    indexes.map(async (index) => await (await fetch(`${gateway.url}/${index}`)).text()),
  );
  assert.deepEqual(bodies, indexes);
});

function toBlock(entries: readonly [string, string][]): string {
  return `NATS/1.0\r\n${entries.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

/** Reads a response to its end, for its status. */
async function drop(pending: Promise<Response>): Promise<Response> {
  const response = await pending;
  await response.arrayBuffer();
  return response;
}

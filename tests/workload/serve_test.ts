import assert from "node:assert/strict";
import { open, rawRequest, readUntil, write } from "../harness/raw_http.ts";
import { setUp } from "../harness/setup.ts";
import { serve, type ServeHandler, type Service } from "../../lib/workload/mod.ts";
import { collectFailures, type Failures } from "./serve_fixture.ts";
import { Events } from "../harness/waiting.ts";

Deno.test("serve() gives a fetch handler the whole request", async (t) => {
  await using run = await start(async (request, info) =>
    Response.json({
      method: request.method,
      url: request.url,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
      aside: info.body && await new Response(info.body).text(),
      remote: info.remoteAddr.hostname,
      subject: info.subject,
    })
  );
  async function ask(head: string, body = ""): Promise<Seen> {
    return JSON.parse((await rawRequest(run.port, head, body)).body);
  }
  await t.step("URL as the client sent it", async () => {
    const seen = await ask("GET /a//b%2Fc/?q=1&r=%20 HTTP/1.1\r\nHost: example.com:8080");
    assert.equal(seen.url, "http://example.com:8080/a//b%2Fc/?q=1&r=%20");
    assert.equal(seen.method, "GET");
    assert.equal(seen.remote, "127.0.0.1");
    assert.equal(seen.subject, "h8s.http.GET.com.example.a.b%2Fc");
  });
  await t.step("headers, without those that are for h8s", async () => {
    const { headers } = await ask(
      "GET / HTTP/1.1\r\nHost: example.com\r\nX-Mine: 1\r\nCookie: a=1\r\nCookie: b=2",
    );
    assert.equal(headers["x-mine"], "1");
    assert.equal(headers["cookie"], "a=1; b=2");
    assert.equal(headers["host"], "example.com");
    assert.ok(headers["x-request-id"]);
    assert.ok(headers["traceparent"]);
    const names = Object.keys(headers).filter((name) => /^(x-h8s-|nats-)/.test(name));
    assert.deepEqual(names, []);
  });
  await t.step("body", async () => {
    const head = "POST /b HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5";
    assert.equal((await ask(head, "hello")).body, "hello");
  });
  await t.step("the body of a GET, which no Request can hold, beside it", async () => {
    for (const framing of ["Content-Length: 5", "Transfer-Encoding: chunked"]) {
      const sent = framing.startsWith("C") ? "hello" : "5\r\nhello\r\n0\r\n\r\n";
      const seen = await ask(`GET /b HTTP/1.1\r\nHost: example.com\r\n${framing}`, sent);
      assert.deepEqual([seen.body, seen.aside], ["", "hello"]);
      assert.equal(seen.headers["content-length"], undefined);
      assert.equal(seen.headers["transfer-encoding"], undefined);
    }
    const { aside } = await ask(
      "DELETE / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5",
      "hello",
    );
    assert.equal(aside, null);
  });
  await t.step("a method that nobody has heard of", async () => {
    assert.equal((await ask("PROPFIND / HTTP/1.1\r\nHost: example.com")).method, "PROPFIND");
  });
  await t.step("text that is no ASCII", async () => {
    const { url } = await ask("GET /\xc3\xa9?\xc3\xa9 HTTP/1.1\r\nHost: example.com");
    assert.equal(url, "http://example.com/%C3%A9?%C3%A9");
  });
});

Deno.test("serve() sends any response as it is", async (t) => {
  const bytes = Uint8Array.from({ length: 3_000_000 }, (_, index) => index * 31 % 251);
  interface Row {
    readonly name: string;
    readonly respond: () => Response;
    readonly method?: string;
    readonly status?: number;
    readonly body?: Uint8Array | string;
    readonly headers?: Record<string, string | null>;
  }
  const table: Row[] = [
    { name: "text", respond: () => new Response("hello"), body: "hello" },
    { name: "empty", respond: () => new Response(""), headers: { "content-length": "0" } },
    { name: "nothing", respond: () => new Response(null, { status: 404 }), status: 404 },
    { name: "204", respond: () => new Response(null, { status: 204 }), status: 204 },
    {
      name: "304 with a length",
      respond: () => new Response(null, { status: 304, headers: { etag: '"1"' } }),
      status: 304,
      headers: { etag: '"1"' },
    },
    {
      name: "JSON",
      respond: () => Response.json({ a: 1 }, { status: 201 }),
      status: 201,
      body: '{"a":1}',
      headers: { "content-type": "application/json", "content-length": "7" },
    },
    {
      name: "bytes",
      respond: () => new Response(bytes.slice(0, 5000)),
      body: bytes.slice(0, 5000),
    },
    { name: "bytes over one message", respond: () => new Response(bytes), body: bytes },
    {
      name: "a redirect",
      respond: () => Response.redirect("http://example.com/x", 307),
      status: 307,
      headers: { location: "http://example.com/x" },
    },
    {
      name: "a stream with empty chunks and a chunk that looks like the end",
      respond: () => new Response(stream(["a", "", "0\r\n\r\n", "", "b"])),
      body: "a0\r\n\r\nb",
    },
    {
      name: "a body that looks like the end",
      respond: () => new Response("0\r\n\r\n"),
      body: "0\r\n\r\n",
    },
    {
      name: "a slow stream that begins so",
      respond: () => new Response(slowStream(["0\r\n\r\n", "b"])),
      body: "0\r\n\r\nb",
    },
    { name: "a slow stream", respond: () => new Response(slowStream(["a", "b"])), body: "ab" },
    {
      name: "HEAD of a text",
      method: "HEAD",
      respond: () => new Response("hello"),
      headers: { "content-length": "5" },
    },
    {
      name: "HEAD with a length of its own",
      method: "HEAD",
      respond: () => new Response(null, { headers: { "content-length": "1234" } }),
      headers: { "content-length": "1234" },
    },
    {
      name: "HEAD of a stream that never gives anything",
      method: "HEAD",
      respond: () => new Response(new ReadableStream()),
    },
    {
      name: "a header that only NATS would understand",
      respond: () =>
        new Response("x", { headers: { "nats-service-error-code": "503", status: "1" } }),
      body: "x",
      headers: { "nats-service-error-code": null, status: null },
    },
  ];
  let respond = () => new Response();
  await using run = await start(() => respond());
  for (const row of table) {
    await t.step(row.name, async () => {
      respond = row.respond;
      const { method = "GET", status = 200, body = "", headers = {} } = row;
      const response = await fetch(`http://127.0.0.1:${run.port}/`, { method, redirect: "manual" });
      assert.equal(response.status, status);
      const received = new Uint8Array(await response.arrayBuffer());
      const expected = typeof body === "string" ? new TextEncoder().encode(body) : body;
      assert.equal(received.length, expected.length);
      assert.ok(received.every((byte, index) => byte === expected[index]));
      for (const [name, value] of Object.entries(headers)) {
        assert.equal(response.headers.get(name), value, name);
      }
    });
  }
  assert.deepEqual(run.failures.all, []);
});

Deno.test("serve() keeps several cookies several, and header values bytes", async () => {
  await using run = await start(({ headers: sent }) => {
    const headers = new Headers({ "x-back": sent.get("x-there") ?? "" });
    headers.append("set-cookie", "a=1; Path=/");
    headers.append("set-cookie", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT");
    return new Response("ok", { headers });
  });
  const head = "GET / HTTP/1.1\r\nHost: example.com\r\nX-There: \xe9\xc3\xa9\xff";
  const { headers } = await rawRequest(run.port, head);
  assert.deepEqual(headers.filter(([name]) => name === "set-cookie").map(([, value]) => value), [
    "a=1; Path=/",
    "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
  ]);
  assert.equal(headers.find(([name]) => name === "x-back")?.[1], "\xe9\xc3\xa9\xff");
});

Deno.test("serve() sends server-sent events one by one, as they happen", async () => {
  const source = Promise.withResolvers<ReadableStreamDefaultController<Uint8Array>>();
  await using run = await start(() => {
    const body = new ReadableStream<Uint8Array>({ start: (given) => source.resolve(given) });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  });
  const waiting = fetch(`http://127.0.0.1:${run.port}/`);
  const controller = await source.promise;
  controller.enqueue(new TextEncoder().encode("data: 0\n\n"));
  const response = await waiting;
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader.read()).value, "data: 0\n\n");
  for (let index = 1; index < 5; index++) {
    controller.enqueue(new TextEncoder().encode(`data: ${index}\n\n`));
    assert.equal((await reader.read()).value, `data: ${index}\n\n`);
  }
  controller.close();
  assert.equal((await reader.read()).done, true);
});

Deno.test("serve() tells the handler when the client goes, before and during the response", async (t) => {
  const aborted = new Events<unknown>();
  const begun = new Events<string>();
  const cancelled = new Events<unknown>();
  await using run = await start((request) => {
    const { pathname } = new URL(request.url);
    request.signal.addEventListener("abort", () => aborted.add(request.signal.reason));
    begun.add(pathname);
    if (pathname === "/never") {
      return new Promise((_resolve, reject) => {
        request.signal.addEventListener("abort", () => reject(request.signal.reason));
      });
    }
    return new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode("begin")),
        cancel: (reason) => cancelled.add(reason),
      }),
    );
  });
  for (const path of ["/never", "/stream"]) {
    await t.step(path, async () => {
      const leave = new AbortController();
      const waiting = fetch(`http://127.0.0.1:${run.port}${path}`, { signal: leave.signal });
      await begun.next();
      if (path === "/stream") await (await waiting).body!.getReader().read();
      leave.abort();
      await waiting.catch(() => {});
      const reason = await aborted.next();
      assert.ok(reason instanceof DOMException && reason.name === "AbortError");
      if (path === "/stream") assert.equal(await cancelled.next(), reason);
    });
  }
  assert.deepEqual(run.failures.all, []);
});

Deno.test("serve() answers 500 without a word of the error when the handler throws", async (t) => {
  const table: [name: string, handler: ServeHandler][] = [
    ["throws", () => {
      throw new Error("secret");
    }],
    ["rejects", () => Promise.reject(new Error("secret"))],
    ["throws what has no text", () => {
      throw Object.create(null);
    }],
    ["throws what cannot be looked at", () => {
      throw new Proxy({}, {
        get() {
          throw new Error("secret");
        },
      });
    }],
    ["returns a status that is no number", () => toForeign({ status: NaN })],
    ["returns a broken status", () => toForeign({ status: 200.5 })],
    [
      "returns a header with a line break",
      () => toForeign({ headers: [["x-a", "a\r\nset-cookie: secret"]] as unknown as Headers }),
    ],
    ["returns nothing", () => undefined as unknown as Response],
    ["returns Response.error()", () => Response.error()],
    ["returns a used response", async () => {
      const response = new Response("secret");
      await response.text();
      return response;
    }],
    [
      "returns a stream that fails at once",
      () =>
        new Response(
          new ReadableStream({ start: (controller) => controller.error(new Error("secret")) }),
        ),
    ],
    [
      "returns headers that nobody can carry",
      () => new Response("", { headers: { "x-large": "secret".repeat(200_000) } }),
    ],
  ];
  let handler: ServeHandler = () => new Response();
  await using run = await start((request, info) => handler(request, info));
  for (const [name, given] of table) {
    await t.step(name, async () => {
      handler = given;
      const head = "GET / HTTP/1.1\r\nHost: example.com";
      const { status, body, headers, raw } = await rawRequest(run.port, head);
      assert.equal(status, 500);
      assert.ok(!raw.includes("secret"));
      const { type, requestId } = JSON.parse(body);
      assert.equal(type, "urn:h8s:error:internal");
      assert.match(requestId, /^[0-9a-f]{32}$/);
      const contentType = headers.find(([name]) => name === "content-type");
      assert.equal(contentType?.[1], "application/problem+json");
      await run.failures.next();
    });
  }
  assert.equal(run.failures.all.length, table.length);
});

Deno.test("serve() never ends a body in order that failed midway", async () => {
  await using run = await start(
    () =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode("begin")),
          pull: async (controller) => {
            await read.promise;
            controller.error(new Error("disk on fire"));
          },
        }),
      ),
    ["--request-timeout", "300ms"],
  );
  const read = Promise.withResolvers<void>();
  using conn = await open(run.port);
  await write(conn, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n");
  await readUntil(conn, (text) => text.includes("begin"));
  read.resolve();
  const { error, stage } = await run.failures.next();
  assert.deepEqual([String(error), stage], ["Error: disk on fire", "body"]);
  const rest = await readUntil(conn);
  assert.ok(!rest.endsWith("0\r\n\r\n"), "a clean end would be a lie");
});

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly aside: string | null;
  readonly remote: string;
  readonly subject: string;
}

/** A server with a gateway and a workload for all hosts. */
interface Run extends AsyncDisposable {
  readonly port: number;
  readonly failures: Failures;
  readonly service: Service;
}

async function start(handler: ServeHandler, flags: readonly string[] = []): Promise<Run> {
  await using stack = new AsyncDisposableStack();
  const { nc, gateway } = stack.use(await setUp(flags));
  const failures = collectFailures();
  const options = { host: "*", onError: failures.onError };
  const service = stack.use(serve(nc, options, handler));
  await service.ready;
  const all = stack.move();
  const { port } = gateway;
  return { port, failures, service, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

function stream(chunks: readonly string[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks.map((chunk) => new TextEncoder().encode(chunk)));
}

/** Gives the event loop a turn between two chunks, so that the beginning is not the whole. */
function slowStream(chunks: readonly string[]): ReadableStream<Uint8Array> {
  const rest = chunks.map((chunk) => new TextEncoder().encode(chunk));
  return new ReadableStream({
    pull: async (controller) => {
      await new Promise((resolve) => setTimeout(resolve, 0));
      await new Promise((resolve) => setTimeout(resolve, 0));
      const chunk = rest.shift();
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
  }, { highWaterMark: 0 });
}

/** A response that no constructor has checked. */
function toForeign(parts: Partial<Response>): Response {
  return { status: 200, headers: new Headers(), body: null, ...parts } as Response;
}

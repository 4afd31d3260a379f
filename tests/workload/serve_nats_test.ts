import assert from "node:assert/strict";
import { createInbox, type Msg } from "@nats-io/nats-core";
import { headerEntries, listen, natsHeaders } from "../harness/setup.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { serve, type ServeOptions } from "../../lib/workload/mod.ts";
import { ask, assertProblem, collectFailures, openPair, settle } from "./serve_fixture.ts";
import { Events } from "../harness/waiting.ts";

Deno.test("a body that is known and fits is one message with its length", async () => {
  await using pair = await openPair();
  await using service = serve(pair.nc, { host: "example.com" }, ({ url }) => {
    const headers = { "content-type": "text/plain", "x-mine": "1" };
    return new Response(url, { status: 201, headers });
  });
  await service.ready;
  const exchange = await ask(pair.edge, {
    subject: "h8s.http.GET.com.example.a%20b",
    headers: [["X-H8s-Original-Query", "c=1"], ["X-Forwarded-Proto", "https"]],
  });
  const reply = await exchange.next();
  assert.deepEqual(headerEntries(reply), [
    ["Status-Code", "201"],
    ["Content-Length", "29"],
    ["Content-Type", "text/plain"],
    ["X-Mine", "1"],
  ]);
  assert.equal(reply.string(), "https://example.com/a%20b?c=1");
  await settle(pair.nc, pair.edge);
  assert.equal(exchange.all.length, 1);
});

Deno.test("any other body is a stream: no length, chunks below max_payload, an empty message", async () => {
  await using pair = await openPair("max_payload: 1024");
  await using service = serve(
    pair.nc,
    { host: "example.com" },
    () => new Response("x".repeat(3000)),
  );
  await service.ready;
  const exchange = await ask(pair.edge, { subject: "h8s.http.GET.com.example" });
  const sizes: number[] = [];
  for (let message = await exchange.next(); message.data.length > 0;) {
    sizes.push(message.data.length);
    message = await exchange.next();
  }
  const [first, ...rest] = exchange.all;
  assert.deepEqual(headerEntries(first!), [
    ["Status-Code", "200"],
    ["Content-Type", "text/plain;charset=UTF-8"],
  ]);
  assert.ok(rest.every((message) => message.headers === undefined));
  assert.equal(sizes.reduce((sum, size) => sum + size), 3000);
  assert.ok(sizes[0]! < 1024 && sizes[1] === 1024);
});

Deno.test("no message in the middle of a stream looks like its end", async () => {
  await using pair = await openPair();
  const chunks = ["0\r\n\r\n", "", "a", "0\r\n\r\n", "b"];
  await using service = serve(pair.nc, { host: "example.com" }, () => {
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        await pair.nc.flush();
        const chunk = chunks.shift();
        if (chunk === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(chunk));
      },
    }, { highWaterMark: 0 });
    return new Response(body);
  });
  await service.ready;
  const exchange = await ask(pair.edge, { subject: "h8s.http.GET.com.example" });
  const texts: string[] = [];
  for (let message = await exchange.next(); message.data.length > 0;) {
    texts.push(message.string());
    message = await exchange.next();
  }
  assert.deepEqual(texts, ["0", "\r\n\r\n", "a", "0", "\r\n\r\n", "b"]);
});

Deno.test("two replicas share the requests of their group", async () => {
  await using pair = await openPair();
  const counts = [0, 0];
  const replica = (index: number) =>
    serve(pair.nc, { host: "example.com" }, () => {
      counts[index]!++;
      return new Response(String(index));
    });
  await using first = replica(0);
  await using second = replica(1);
  await Promise.all([first.ready, second.ready]);
  const exchanges = await Promise.all(
    Array.from({ length: 60 }, () => ask(pair.edge, { subject: "h8s.http.GET.com.example" })),
  );
  for (const exchange of exchanges) await exchange.next();
  await settle(pair.nc, pair.edge);
  assert.ok(exchanges.every(({ all }) => all.length === 1));
  assert.equal(counts[0]! + counts[1]!, 60);
  assert.ok(counts[0]! > 0 && counts[1]! > 0);
});

Deno.test("a workload answers for its hosts, path and methods, and for nobody else's", async (t) => {
  interface Row {
    readonly name: string;
    readonly options: ServeOptions;
    readonly subject: string;
    readonly host?: string;
    readonly isOurs: boolean;
  }
  const host = "example.com";
  const table: Row[] = [
    { name: "root", options: { host }, subject: "GET.com.example", isOurs: true },
    { name: "a path", options: { host }, subject: "GET.com.example.foo", isOurs: true },
    {
      name: "a subdomain with the same subject",
      options: { host },
      subject: "GET.com.example.foo",
      host: "foo.example.com",
      isOurs: false,
    },
    {
      name: "a path with a subdomain's subject",
      options: { host: "foo.example.com" },
      subject: "GET.com.example.foo",
      isOurs: false,
    },
    {
      name: "a port",
      options: { host },
      subject: "GET.com.example",
      host: "EXAMPLE.com:81",
      isOurs: true,
    },
    { name: "no host", options: { host }, subject: "GET.com.example.a", host: "", isOurs: false },
    {
      name: "another host",
      options: { host },
      subject: "GET.com.other",
      host: "other.com",
      isOurs: false,
    },
    {
      name: "one of several",
      options: { host: ["a.com", host] },
      subject: "GET.com.example",
      isOurs: true,
    },
    {
      name: "any",
      options: { host: "*" },
      subject: "GET.127.0.0.1.x",
      host: "127.0.0.1:80",
      isOurs: true,
    },
    {
      name: "below the path",
      options: { host, path: "/api" },
      subject: "GET.com.example.api.x",
      isOurs: true,
    },
    {
      name: "the path",
      options: { host, path: "/api" },
      subject: "GET.com.example.api",
      isOurs: true,
    },
    {
      name: "beside the path",
      options: { host, path: "/api" },
      subject: "GET.com.example.apis",
      isOurs: false,
    },
    {
      name: "exact",
      options: { host, path: "/a", match: "exact" },
      subject: "GET.com.example.a",
      isOurs: true,
    },
    {
      name: "below exact",
      options: { host, path: "/a", match: "exact" },
      subject: "GET.com.example.a.b",
      isOurs: false,
    },
    {
      name: "any host, path",
      options: { host: "*", path: "/a" },
      subject: "GET.com.example.a.b",
      isOurs: true,
    },
    {
      name: "any host, other path",
      options: { host: "*", path: "/a" },
      subject: "GET.com.example.b",
      isOurs: false,
    },
    {
      name: "a method",
      options: { host, methods: ["POST", "PUT"] },
      subject: "PUT.com.example",
      isOurs: true,
    },
    {
      name: "another method",
      options: { host, methods: ["POST"] },
      subject: "GET.com.example",
      isOurs: false,
    },
    {
      name: "no method",
      options: { host, methods: [] },
      subject: "GET.com.example",
      isOurs: false,
    },
    {
      name: "IPv6",
      options: { host: "[::1]:80" },
      subject: "GET.__1.a",
      host: "[::1]",
      isOurs: true,
    },
  ];
  await using pair = await openPair();
  for (const { name, options, subject, host = "example.com", isOurs } of table) {
    await t.step(name, async () => {
      await using service = serve(pair.nc, options, () => new Response("ours"));
      await service.ready;
      const exchange = await ask(pair.edge, {
        subject: `h8s.http.${subject}`,
        headers: [["X-H8s-Original-Host", host]],
      });
      await settle(pair.edge, pair.nc);
      await settle(pair.nc, pair.edge);
      const texts = exchange.all.filter(({ data }) => data.length > 0).map((m) => m.string());
      assert.deepEqual(texts, isOurs ? ["ours"] : []);
    });
  }
});

Deno.test("a workload of some methods answers HEAD and OPTIONS, too, unless they are its own", async (t) => {
  type Row = [methods: string[], method: string, headers: Record<string, string>, seen: string[]];
  const length = { "Status-Code": "200", "Content-Length": "5" };
  const table: Row[] = [
    [["GET"], "HEAD", length, ["GET"]],
    [["GET", "HEAD"], "HEAD", length, ["HEAD"]],
    [["GET"], "OPTIONS", { "Status-Code": "204", "Allow": "GET, HEAD, OPTIONS" }, []],
    [["POST"], "OPTIONS", { "Status-Code": "204", "Allow": "POST, OPTIONS" }, []],
    [["GET", "OPTIONS"], "OPTIONS", length, ["OPTIONS"]],
  ];
  await using pair = await openPair();
  for (const [methods, method, headers, seen] of table) {
    await t.step(`${method} where ${methods} is served`, async () => {
      const handled: string[] = [];
      await using service = serve(pair.nc, { host: "example.com", methods }, ({ method }) => {
        handled.push(method);
        return new Response("hello");
      });
      await service.ready;
      const reply = await pair.edge.request(`h8s.http.${method}.com.example`);
      for (const [name, value] of Object.entries(headers)) {
        assert.equal(reply.headers?.get(name), value, name);
      }
      assert.equal(reply.string(), method === "OPTIONS" && seen.length > 0 ? "hello" : "");
      assert.deepEqual(handled, seen);
    });
  }
  await t.step("HEAD whose body the handler has dropped", async () => {
    const handler = () => new Response(null, { headers: { "content-type": "text/plain" } });
    await using service = serve(pair.nc, { host: "example.com" }, handler);
    await service.ready;
    const reply = await pair.edge.request("h8s.http.HEAD.com.example");
    assert.deepEqual(reply.headers?.keys(), ["Status-Code", "Content-Type"]);
  });
  await t.step("HEAD where only POST is served", async () => {
    await using service = serve(pair.nc, { host: "example.com", methods: ["POST"] }, () => {
      throw new Error("not for this handler");
    });
    await service.ready;
    const asked = pair.edge.request("h8s.http.HEAD.com.example");
    await assert.rejects(asked, /no responders/i);
  });
});

Deno.test("X-H8s-Original-Host says whose a message is, and what the handler sees", async () => {
  await using pair = await openPair();
  const handler = ({ url, headers }: Request) => new Response(`${url} ${headers.get("host")}`);
  await using service = serve(pair.nc, { host: "*" }, handler);
  await service.ready;
  const ask = (...lines: [string, string][]) =>
    pair.edge.request("h8s.http.GET.com.example.a.b", "", {
      timeout: 5000,
      headers: natsHeaders(...lines),
    });
  const table: [lines: [string, string][], expected: string][] = [
    [[["X-H8s-Original-Host", "example.com:81"]], "http://example.com:81/a/b example.com:81"],
    [[["X-H8s-Original-Host", "a.example.com"]], "http://a.example.com/b a.example.com"],
    [[["X-H8s-Original-Host", "example.com"], ["Host", "x"]], "http://example.com/a/b example.com"],
    [[["Host", "example.com"]], "http://example.com/a/b example.com"],
  ];
  for (const [lines, expected] of table) assert.equal((await ask(...lines)).string(), expected);
});

Deno.test("a workload for any host does not guess where the path begins", async () => {
  await using pair = await openPair();
  const failures = collectFailures();
  const paths: string[] = [];
  await using service = serve(pair.nc, { host: "*", onError: failures.onError }, ({ url }) => {
    paths.push(url);
    return new Response();
  });
  await service.ready;
  assertProblem(await pair.edge.request("h8s.http.GET.com.example.a"), 502);
  const { error, stage } = await failures.next();
  assert.equal(stage, "request");
  assert.match(String(error), /h8s\.http\.GET\.com\.example\.a.*by its name/);
  assert.deepEqual(paths, []);
});

Deno.test("a message without a Host is its own workload's", async () => {
  await using pair = await openPair();
  await using service = serve(pair.nc, { host: "example.com" }, ({ url }) => new Response(url));
  await service.ready;
  const reply = await pair.edge.request("h8s.http.GET.com.example.a.b%2Ec");
  assert.equal(reply.string(), "http://example.com/a/b.c");
});

Deno.test("a request that nobody wants an answer to is handled all the same", async () => {
  await using pair = await openPair();
  const bodies = new Events<string>();
  const handler = async (request: Request) => {
    bodies.add(await request.text());
    return new Response(new ReadableStream());
  };
  await using service = serve(pair.nc, { host: "example.com" }, handler);
  await service.ready;
  pair.edge.publish("h8s.http.POST.com.example", "fire and forget");
  assert.equal(await bodies.next(), "fire and forget");
});

Deno.test("a persisted message is answered at its connection's inbox, not JetStream's", async () => {
  await using pair = await openPair();
  await using service = serve(pair.nc, { host: "example.com" }, () => new Response("hello"));
  await service.ready;
  const inbox = createInbox();
  const replies = await listen(pair.edge, inbox);
  const acks = await listen(pair.edge, "acks");
  const liveAcks = await listen(pair.edge, "_INBOX.h8s.G1.ack");
  const told: [string, string] = ["X-H8s-ReplySubject", inbox];
  const publish = (reply: string, ...lines: [string, string][]) =>
    pair.edge.publish("h8s.http.GET.com.example", "", { reply, headers: natsHeaders(...lines) });
  publish("acks", told);
  assert.equal((await replies.next()).string(), "hello");
  publish("_INBOX.h8s.G1.ack", ["Nats-Msg-Id", "1"], told);
  assert.equal((await replies.next()).string(), "hello");
  await settle(pair.nc, pair.edge);
  assert.deepEqual([acks.all.length, liveAcks.all.length], [0, 0]);
});

Deno.test("a request is answered at its reply subject, not at an outdated one in its headers", async () => {
  await using pair = await openPair();
  await using service = serve(pair.nc, { host: "app.test" }, () => new Response("hello"));
  await service.ready;
  const [right, outdated] = ["_INBOX.h8s.gw.right", "_INBOX.h8s.gw.outdated"];
  const replies = await listen(pair.edge, "_INBOX.h8s.gw.*");
  // As the gateway in Go sends it since 0.5.3.
  pair.edge.publish("h8s.http.GET.test.app.a", "", {
    reply: right,
    headers: natsHeaders(
      ["User-Agent", "curl/7.88.1"],
      ["Accept", "*/*"],
      ["X-H8s-PublishSubject", "h8s.http.GET.test.app.a"],
      ["X-H8s-Original-Query", ""],
      ["X-H8s-ReplySubject", outdated],
      ["X-H8s-Connection-Close-Subject", "h8s.control.connection.closed.MmFTuaKBdf8g8ySMZaHIf1"],
    ),
  });
  const reply = await replies.next();
  assert.equal(reply.subject, right);
  assert.equal(reply.string(), "hello");
  await settle(pair.nc, pair.edge);
  assert.equal(replies.all.length, 1);
});

Deno.test("a message that is no request is a 400, and is reported", async () => {
  await using pair = await openPair();
  const failures = collectFailures();
  await using service = serve(
    pair.nc,
    { host: "example.com", onError: failures.onError },
    () => new Response(),
  );
  await service.ready;
  const exchange = await ask(pair.edge, { subject: "h8s.http.TRACE.com.example" });
  assertProblem(await exchange.next(), 400);
  assert.equal((await failures.next()).stage, "request");
});

Deno.test("so many requests run, so many wait in order, and one more is a 503", async () => {
  await using pair = await openPair();
  const begun: string[] = [];
  const full = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  let running = 0;
  let most = 0;
  await using service = serve(
    pair.nc,
    { host: "example.com", concurrency: 2, maxWaiting: 3 },
    async ({ url }) => {
      begun.push(new URL(url).pathname);
      most = Math.max(most, ++running);
      if (running === 2) full.resolve();
      await gate.promise;
      running--;
      return new Response(url);
    },
  );
  await service.ready;
  const exchanges = [];
  for (let index = 0; index < 6; index++) {
    exchanges.push(await ask(pair.edge, { subject: `h8s.http.GET.com.example.${index}` }));
  }
  await full.promise;
  const refused = await exchanges[5]!.next();
  assertProblem(refused, 503);
  assert.equal(refused.headers?.get("Retry-After"), "1");
  gate.resolve();
  for (const exchange of exchanges.slice(0, 5)) await exchange.next();
  assert.deepEqual({ most, begun }, { most: 2, begun: ["/0", "/1", "/2", "/3", "/4"] });
});

Deno.test("a response that is still being sent does not count as running", async () => {
  await using pair = await openPair();
  const endless = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode("begin")),
  });
  const bodies = [endless, null];
  const options = { host: "example.com", concurrency: 1, drainTimeoutMs: 0, onError: () => {} };
  await using service = serve(pair.nc, options, () => new Response(bodies.shift()));
  await service.ready;
  const first = await ask(pair.edge, { subject: "h8s.http.GET.com.example" });
  assert.equal((await first.next()).string(), "begin");
  const second = await ask(pair.edge, { subject: "h8s.http.GET.com.example" });
  assert.equal((await second.next()).headers?.get("Status-Code"), "200");
});

Deno.test("stop() takes no new requests, finishes those that have come, and leaves NATS open", async () => {
  await using pair = await openPair();
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const service = serve(pair.nc, { host: "example.com", concurrency: 1 }, async () => {
    begun.resolve();
    await gate.promise;
    return new Response("done");
  });
  await service.ready;
  const running = await ask(pair.edge, { subject: "h8s.http.GET.com.example" });
  const waiting = await ask(pair.edge, { subject: "h8s.http.GET.com.example" });
  await begun.promise;
  await settle(pair.edge, pair.nc);
  const stopped = service.stop();
  assert.equal(service.stop(), stopped);
  await pair.nc.flush();
  await assert.rejects(pair.edge.request("h8s.http.GET.com.example"), /no responders/);
  gate.resolve();
  await stopped;
  await service.finished;
  assert.equal((await running.next()).string(), "done");
  assert.equal((await waiting.next()).string(), "done");
  assert.equal(pair.nc.isClosed(), false);
});

Deno.test("stop() aborts what is not done in time, and says so to all", async () => {
  await using pair = await openPair();
  const clock = new FakeClock();
  const failures = collectFailures();
  const aborted = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const options = { host: "example.com", clock, drainTimeoutMs: 700, onError: failures.onError };
  const service = serve(pair.nc, options, ({ signal }) => {
    signal.addEventListener("abort", () => aborted.resolve());
    begun.resolve();
    return new Promise<never>(() => {});
  });
  await service.ready;
  const exchange = await ask(pair.edge, { subject: "h8s.http.GET.com.example" });
  await begun.promise;
  const stopped = service.stop();
  clock.advance(700);
  await aborted.promise;
  await stopped;
  const reply = await exchange.next();
  assertProblem(reply, 503);
  assert.equal(reply.headers?.get("Retry-After"), "1");
  const { error, stage } = await failures.next();
  assert.equal(stage, "stop");
  assert.match(String(error), /Cannot finish everything within 700 ms/);
  assert.equal(clock.waiting, 0);
});

Deno.test("stop() breaks a stream off that does not end in time", async () => {
  await using pair = await openPair();
  const clock = new FakeClock();
  const endless = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode("begin")),
  });
  const options = { host: "example.com", clock, drainTimeoutMs: 700, onError: () => {} };
  const service = serve(pair.nc, options, () => new Response(endless));
  await service.ready;
  const subject = "h8s.http.GET.com.example";
  const exchange = await ask(pair.edge, { subject, headers: [["X-H8s-Window", "65536"]] });
  await exchange.next();
  const stopped = service.stop();
  clock.advance(700);
  await stopped;
  assert.ok((await exchange.next()).headers?.get("X-H8s-Cancel"));
});

Deno.test("a lost gateway aborts the requests that it brought, and no others", async () => {
  await using pair = await openPair();
  const clock = new FakeClock();
  const aborted = new Events<string>();
  const begun = new Events<string>();
  const options = { host: "example.com", clock, drainTimeoutMs: 0, onError: () => {} };
  const service = serve(pair.nc, options, ({ url, signal }) => {
    const { pathname } = new URL(url);
    signal.addEventListener("abort", () => aborted.add(pathname));
    begun.add(pathname);
    return new Promise<never>(() => {});
  });
  await service.ready;
  for (const gateway of ["G1", "G2"]) {
    pair.edge.publish(`h8s.control.gateway.${gateway}.alive`);
    pair.edge.publish(`h8s.http.GET.com.example.${gateway}`, "", {
      reply: `_INBOX.h8s.${gateway}.1`,
      headers: natsHeaders(
        ["Host", "example.com"],
        ["X-H8s-Connection-Close-Subject", `h8s.control.connection.closed.${gateway}-1`],
      ),
    });
    await begun.next();
  }
  clock.advance(12_000);
  pair.edge.publish("h8s.control.gateway.G2.alive");
  await settle(pair.edge, pair.nc);
  clock.advance(2000);
  assert.deepEqual(aborted.all, ["/G1"]);
  const stopped = service.stop();
  clock.advance(0);
  await stopped;
});

Deno.test("the ends of requests are heard only while some are in flight", async () => {
  await using pair = await openPair();
  const clock = new FakeClock();
  await using service = serve(pair.nc, { host: "example.com", clock }, () => new Response("x"));
  await service.ready;
  const before = pair.nc.stats().inMsgs;
  const exchange = await ask(pair.edge, {
    subject: "h8s.http.GET.com.example",
    headers: [["X-H8s-Connection-Close-Subject", "h8s.control.connection.closed.t"]],
  });
  await exchange.next();
  pair.edge.publish("h8s.control.connection.closed.t", "completed");
  await settle(pair.edge, pair.nc);
  assert.equal(pair.nc.stats().inMsgs - before, 2);
  clock.advance(5000);
  await pair.nc.flush();
  const idle = pair.nc.stats().inMsgs;
  pair.edge.publish("h8s.control.connection.closed.t", "completed");
  await settle(pair.edge, pair.nc);
  assert.equal(pair.nc.stats().inMsgs, idle);
});

Deno.test("options that cannot be used are refused with what would be right", async () => {
  await using pair = await openPair();
  const host = "example.com";
  const table: [options: ServeOptions, reason: RegExp][] = [
    [{ host: "a b" }, /Cannot serve the host "a b": it is not a name or an IP address/],
    [{ host: "*.example.com" }, /the host "\*\.example\.com"/],
    [{ host: [] }, /no host is given/],
    [{ host, path: "api" }, /Cannot serve the path "api": it is not a path that starts with "\/"/],
    [{ host, path: "/%zz" }, /Cannot serve the path "\/%zz"/],
    [{ host, methods: ["get"] }, /Cannot serve the method "get"/],
    [
      { host, queue: "a b" },
      /queue must be literal tokens joined by dots, at most 128 characters, not "a b"/,
    ],
    [{ host, prefix: "h8s.>" }, /prefix must be/],
    [{ host, concurrency: 0 }, /concurrency must be a whole number of at least 1, not "0"/],
    [{ host, maxWaiting: -1 }, /maxWaiting must be/],
    [{ host, websocket: { "/x": {} } }, /Cannot serve WebSockets on "\/x": no handlers/],
  ];
  for (const [options, reason] of table) {
    assert.throws(() => serve(pair.nc, options, () => new Response()), reason);
  }
  const handler = undefined as unknown as () => Response;
  assert.throws(() => serve(pair.nc, { host }, handler), /the handler is no function/);
});

Deno.test("interests are told byte for byte, at once, every 5 s, and taken back at the end", async () => {
  await using pair = await openPair();
  const told = await listen(pair.edge, "h8s.control.interest.>");
  const clock = new FakeClock();
  const service = serve(pair.nc, {
    ...{ host: ["shop.example.com", "*"], clock, path: "/cart", match: "exact", methods: ["GET"] },
    websocket: { "/live": { open: () => {} }, "/rooms/*": { open: () => {} } },
  }, () => new Response());
  const plain = (host: string, path: string, method: string) =>
    `{"host":"${host}","path":"${path}","method":"${method}"}`;
  const expected = [
    ...["GET", "HEAD", "OPTIONS"].map((method) => [
      ...["com.example.shop", plain("shop.example.com", "/cart", method)],
    ]),
    ["com.example.shop", plain("shop.example.com", "/live", "ws")],
    [
      "com.example.shop",
      '{"host":"shop.example.com","path":"/rooms","method":"ws","match":"prefix"}',
    ],
    ...["GET", "HEAD", "OPTIONS"].map((method) => ["_any", plain("*", "/cart", method)]),
    ["_any", plain("*", "/live", "ws")],
    ["_any", '{"host":"*","path":"/rooms","method":"ws","match":"prefix"}'],
  ];
  const take = async () => {
    const messages: Msg[] = [];
    for (let count = 0; count < expected.length; count++) messages.push(await told.next());
    return messages.map((message) => [message.subject, message.string()]);
  };
  const registered = expected.map((
    [host, json],
  ) => [`h8s.control.interest.register.${host}`, json]);
  assert.deepEqual(await take(), registered);
  clock.advance(5000);
  assert.deepEqual(await take(), registered);
  await service.stop();
  assert.deepEqual(
    await take(),
    expected.map(([host, json]) => [`h8s.control.interest.unregister.${host}`, json]),
  );
  clock.advance(60_000);
  await settle(pair.nc, pair.edge);
  assert.equal(told.all.length, expected.length * 3);
});

Deno.test("a replica that stops does not take the interest of the others with it", async () => {
  await using pair = await openPair();
  const told = await listen(pair.edge, "h8s.control.interest.>");
  const options: ServeOptions = {
    host: "example.com",
    match: "exact",
    path: "/",
    methods: ["OPTIONS"],
  };
  await using stays = serve(pair.nc, options, () => new Response());
  const leaves = serve(pair.nc, options, () => new Response());
  await Promise.all([stays.ready, leaves.ready]);
  await told.next();
  await told.next();
  await leaves.stop();
  assert.match((await told.next()).subject, /\.unregister\./);
  assert.match((await told.next()).subject, /\.register\./);
});

Deno.test("any method and everything below a path are registered as such", async () => {
  await using pair = await openPair();
  const told = await listen(pair.edge, "h8s.control.interest.>");
  await using _service = serve(pair.nc, { host: "example.com" }, () => new Response());
  assert.equal(
    (await told.next()).string(),
    '{"host":"example.com","path":"/","method":"*","match":"prefix"}',
  );
});

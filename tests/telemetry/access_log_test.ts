import assert from "node:assert/strict";
import { AccessLines, type AccessLogFormat } from "../../lib/telemetry/access_lines.ts";
import { LineWriter } from "../../lib/telemetry/line_writer.ts";
import type { Observation } from "../../lib/telemetry/observation.ts";

const SEEN: Observation = {
  kind: "http",
  time: Date.UTC(2026, 0, 2, 3, 4, 5),
  client: "192.0.2.7",
  method: "GET",
  scheme: "http",
  host: "shop.example",
  path: "/cart/7",
  query: "token=s3cret",
  userAgent: "curl/8",
  requestId: "r1",
  traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-00`,
  tracestate: undefined,
  subject: "h8s.http.GET.example.shop.cart.7",
  route: undefined,
  status: 200,
  error: undefined,
  end: "completed",
  bytesIn: 0,
  bytesOut: 12,
  firstByteMs: 1.234,
  durationMs: 2,
  socket: undefined,
};

function renderAccess(seen: Observation, format: AccessLogFormat): string {
  return new AccessLines(format).render(seen);
}

Deno.test("AccessLines says what happened, and not the query", () => {
  assert.equal(
    renderAccess(SEEN, { format: "text", withQuery: false }),
    "2026-01-02T03:04:05.000Z client=192.0.2.7 method=GET host=shop.example path=/cart/7 " +
      "status=200 ms=2 firstByteMs=1.23 bytesIn=0 bytesOut=12 end=completed " +
      `subject=h8s.http.GET.example.shop.cart.7 requestId=r1 traceId=${"a".repeat(32)} ` +
      "userAgent=curl/8",
  );
});

Deno.test("AccessLines tells the query where that is asked for", () => {
  const { path } = JSON.parse(renderAccess(SEEN, { format: "json", withQuery: true }));
  assert.equal(path, "/cart/7?token=s3cret");
});

Deno.test("AccessLines tells each time as toISOString() does", () => {
  const lines = new AccessLines({ format: "json", withQuery: false });
  const { time } = SEEN;
  for (const ms of [0, 7, 12, 999, 999.9, 1000, 1001.5, 0.25, -1, 3_600_000, 59_999]) {
    const line = JSON.parse(lines.render({ ...SEEN, time: time + ms }));
    assert.equal(line.time, new Date(time + ms).toISOString());
  }
});

Deno.test("AccessLines leaves out what there is nothing to say of", () => {
  const nothing = { subject: undefined, traceparent: undefined, userAgent: undefined };
  const line = renderAccess({ ...SEEN, ...nothing, error: "not_found" }, {
    format: "json",
    withQuery: false,
  });
  assert.deepEqual(Object.keys(JSON.parse(line)), [
    ...["time", "client", "method", "host", "path", "status", "ms", "firstByteMs"],
    ...["bytesIn", "bytesOut", "end", "error", "requestId"],
  ]);
});

Deno.test("AccessLines tells of times no more than two digits behind the point", () => {
  const lines = new AccessLines({ format: "json", withQuery: false });
  for (const ms of [0, 0.004, 0.005, 0.1, 0.29, 1.005, 1.1, 2.999, 9.99, 100, 123456.789, 1e12]) {
    const line = JSON.parse(lines.render({ ...SEEN, durationMs: ms }));
    assert.equal(line.ms, Math.round(ms * 100) / 100);
  }
});

Deno.test("AccessLines tells all of a WebSocket, in either format", () => {
  const socket = {
    ...{ connectionId: "G1-7", messagesIn: 1, messagesOut: 2, closeCode: 4000 },
    closeReason: 'he said "so"\n',
  };
  const seen = {
    ...SEEN,
    kind: "websocket",
    route: "/:room",
    error: "no_responders",
    socket,
  } as const;
  const line = JSON.parse(renderAccess(seen, { format: "json", withQuery: false }));
  const { messagesIn, messagesOut, closeCode, closeReason, connection } = line;
  assert.deepEqual(
    { messagesIn, messagesOut, closeCode, closeReason, connectionId: connection },
    socket,
  );
  assert.deepEqual([line.method, line.route, line.error], ["ws", "/:room", "no_responders"]);
  assert.match(
    renderAccess(seen, { format: "text", withQuery: false }),
    / method=ws .* closeReason="he said \\"so\\"\\n" connection=G1-7 /,
  );
});

Deno.test("AccessLines lets no client write a line, a field, or to a terminal", async (t) => {
  const hostile = [
    "a\r\nb status=200",
    "\x1b[2J",
    "\u2028\u2029",
    "\x85\x9b",
    "\u202e",
    '" status=200 x="',
    "\ud800",
    "\x00\x7f",
    "x".repeat(100_000),
  ];
  for (const text of hostile) {
    await t.step(JSON.stringify(text.slice(0, 20)), () => {
      const socket = { connectionId: "c", messagesIn: 0, messagesOut: 0, closeCode: 1000 };
      const seen: Observation = {
        ...{ ...SEEN, userAgent: text, path: text, host: text, query: text, subject: text },
        ...{ method: text, requestId: text.slice(0, 100), client: text.slice(0, 100) },
        ...{ route: text.slice(0, 100), socket: { ...socket, closeReason: text.slice(0, 100) } },
      };
      for (const format of ["text", "json"] as const) {
        const line = renderAccess(seen, { format, withQuery: true });
        assert.match(line, /^[\x20-\x7e]+$/);
        assert.ok(line.length < 30_000);
        if (format === "text") {
          const bare = line.replaceAll(/"(?:[^"\\]|\\.)*"/g, "");
          assert.equal(bare.match(/ status=/g)?.length, 1);
        } else if (text.length < 100) assert.equal(JSON.parse(line).userAgent, text);
      }
    });
  }
});

Deno.test("LineWriter writes what came together with one call", async () => {
  const written: string[] = [];
  const writer = new LineWriter((bytes) => {
    written.push(new TextDecoder().decode(bytes));
    return Promise.resolve(bytes.length);
  }, () => assert.fail("nothing is lost"));
  writer.write("one");
  writer.write("two");
  await writer[Symbol.asyncDispose]();
  assert.deepEqual(written, ["one\ntwo\n"]);
});

Deno.test("LineWriter goes on where a call took only a part", async () => {
  let text = "";
  const writer = new LineWriter((bytes) => {
    text += new TextDecoder().decode(bytes.subarray(0, 2));
    return Promise.resolve(Math.min(2, bytes.length));
  }, () => assert.fail("nothing is lost"));
  writer.write("abcde");
  await writer[Symbol.asyncDispose]();
  assert.equal(text, "abcde\n");
});

Deno.test("LineWriter keeps a bound where nobody reads, and says how many lines were lost", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let bytes = 0;
  const lost: number[] = [];
  const writer = new LineWriter(async (some) => {
    await promise;
    bytes += some.length;
    return some.length;
  }, (lines) => lost.push(lines));
  const line = "x".repeat(1023);
  for (let count = 0; count < 10_000; count++) writer.write(line);
  const written = writer[Symbol.asyncDispose]();
  resolve();
  await written;
  assert.ok(bytes <= 2 * 1024 * 1024, `${bytes}`);
  assert.deepEqual(lost, [10_000 - bytes / 1024]);
});

Deno.test("LineWriter writes each line once and in order, however long and however slow the reader", async () => {
  const decoder = new TextDecoder();
  let text = "";
  const writer = new LineWriter(async (bytes) => {
    await Promise.resolve();
    const count = Math.min(bytes.length, 30_000);
    text += decoder.decode(bytes.subarray(0, count), { stream: true });
    return count;
  }, () => assert.fail("nothing is lost"));
  const sent: string[] = [];
  for (let count = 0; count < 300; count++) {
    const line = `${count} ${"x".repeat(count % 7 === 0 ? 90_000 : 100)}`;
    sent.push(line);
    writer.write(line);
    if (count % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await writer[Symbol.asyncDispose]();
  assert.ok(text === sent.map((line) => `${line}\n`).join(""));
});

Deno.test("LineWriter survives a reader that has gone", async () => {
  const lost: number[] = [];
  const writer = new LineWriter(
    () => Promise.reject(new Deno.errors.BrokenPipe()),
    (lines) => lost.push(lines),
  );
  writer.write("one");
  await writer[Symbol.asyncDispose]();
  assert.deepEqual(lost, [1]);
});

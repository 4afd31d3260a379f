import assert from "node:assert/strict";
import { isBodyless, parseReply, type Reply, toStreamEnd } from "../../lib/mapping/reply.ts";

const PAYLOAD_LENGTH = 5;

Deno.test("parseReply() tells a whole response from the first chunk of many", async (t) => {
  const table: [title: string, lines: string[], kind: Reply["kind"]][] = [
    ["single: Content-Length", ["Content-Length: 5"], "single"],
    ["single: Content-Length in any case", ["Status: 200", "content-length: 5"], "single"],
    ["single: Content-Length with a status", ["Status-Code: 201", "Content-Length: 5"], "single"],
    [
      "single: Content-Length wins over the signs of a stream",
      ["Content-Length: 5", "Transfer-Encoding: chunked", "Content-Type: text/event-stream"],
      "single",
    ],
    ["bare: other headers only", ["X-A: 1"], "bare"],
    ["bare: another type", ["Content-Type: text/plain"], "bare"],
    ["bare: a type that begins alike", ["Content-Type: text/event-stream-x"], "bare"],
    ["single: a service error", ["Nats-Service-Error-Code: 404"], "single"],
    ["stream: Status", ["Status: 200"], "stream"],
    ["stream: Status-Code", ["Status-Code: 200"], "stream"],
    ["stream: both", ["Status: 200 OK", "Status-Code: 200"], "stream"],
    ["stream: Transfer-Encoding", ["Transfer-Encoding: chunked"], "stream"],
    ["stream: signs in any case", ["transfer-encoding: chunked"], "stream"],
    ["stream: SSE", ["Content-Type: text/event-stream"], "stream"],
    ["stream: SSE with a parameter", ["Content-Type: text/event-stream; charset=utf-8"], "stream"],
    ["stream: SSE in any case", ["content-type: Text/Event-Stream"], "stream"],
  ];
  for (const [title, lines, kind] of table) {
    await t.step(title, () => assert.equal(parse(lines).kind, kind));
  }
});

Deno.test("parseReply() takes a message without headers as a bare one of status 200", () => {
  const reply = {
    kind: "bare",
    status: 200,
    headers: [],
    contentLength: undefined,
    isHeadAlone: false,
    isEventStream: false,
  };
  assert.deepEqual(parseReply("", PAYLOAD_LENGTH), reply);
  assert.deepEqual(parseReply("", 0), reply);
  assert.deepEqual(parseReply("NATS/1.0\r\n\r\n", PAYLOAD_LENGTH), reply);
});

Deno.test("parseReply() reads the length of a stream, which is no sign of a whole response", () => {
  const reply = parse(["Status-Code: 206", "X-H8s-Content-Length: 3000000"]);
  assert.deepEqual([reply.kind, reply.contentLength], ["stream", "3000000"]);
  for (const bad of ["-1", "1, 1", "", "1e3"]) {
    assert.throws(() => parse(["Status: 200", `X-H8s-Content-Length: ${bad}`]), /length/, bad);
  }
});

Deno.test("parseReply() knows NATS's own word that nobody listens", () => {
  assert.deepEqual(parseReply("NATS/1.0 503\r\n\r\n", 0), { kind: "no_responders" });
  assert.deepEqual(parseReply("NATS/1.0 503 No Responders\r\n\r\n", 0), { kind: "no_responders" });
});

Deno.test("parseReply() does not take a workload's own 503 for nobody listening", () => {
  for (const line of ["Status: 503", "Status-Code: 503", "Nats-Service-Error-Code: 503"]) {
    assert.equal(parse([line], 0).status, 503, line);
  }
  assert.equal(parseReply("NATS/1.0 503\r\n\r\n", PAYLOAD_LENGTH).kind, "bare");
  assert.equal(parseReply("NATS/1.0 408 Request Timeout\r\n\r\n", 0).kind, "bare");
});

Deno.test("parseReply() reads the status", async (t) => {
  const table: [lines: string[], status: number][] = [
    [["X-A: 1"], 200],
    [["Status: 404"], 404],
    [["Status: 200 OK"], 200],
    [["Status: 404 Not Found"], 404],
    [["Status: 404Not"], 404],
    [["Status:  418  "], 418],
    [["status: 204"], 204],
    [["Status-Code: 201"], 201],
    [["STATUS-CODE: 599"], 599],
    [["Status-Code: 201", "Status: 404"], 201],
    [["Status: 404 Not Found", "Status-Code: 201"], 201],
    [["Status: nonsense", "Status-Code: 202"], 202],
    [["Status: 404", "Content-Length: 5"], 404],
  ];
  for (const [lines, status] of table) {
    await t.step(lines.join(", "), () => assert.equal(parse(lines).status, status));
  }
});

Deno.test("parseReply() makes a status that HTTP cannot send a 502", async (t) => {
  const statuses = ["OK", "OK 200", "0", "20", "99", "100", "101", "199", "600", "999"];
  statuses.push("2000", "-200", "+200", "0x194", "\xb2\xb2\xb2");
  const table = statuses.flatMap((status) => [[`Status: ${status}`], [`Status-Code: ${status}`]]);
  table.push(["Status-Code: nonsense", "Status: 200"], ["Status: 0", "Content-Length: 5"]);
  for (const lines of table) {
    await t.step(lines.join(", "), () => assertMalformed(lines));
  }
});

Deno.test("parseReply() makes a service error its own status, or 500", async (t) => {
  const table: [code: string, status: number][] = [
    ["400", 400],
    ["404", 404],
    ["500", 500],
    ["599", 599],
    ["399", 500],
    ["200", 500],
    ["600", 500],
    ["0", 500],
    ["-404", 500],
    ["40400", 500],
    ["404.5", 500],
    ["4e2", 500],
    ["0x194", 500],
    ["not found", 500],
    ["", 500],
  ];
  for (const [code, status] of table) {
    await t.step(JSON.stringify(code), () => {
      const reply = parse([`Nats-Service-Error-Code: ${code}`, "Nats-Service-Error: oops", "A: 1"]);
      assert.equal(reply.status, status);
      assert.deepEqual(reply.headers, [["A", "1"]]);
    });
  }
});

Deno.test("parseReply() keeps the length that a HEAD request asks for", () => {
  const head = parse(["Content-Length: 1234", "Content-Type: text/html"], 0);
  assert.equal(head.contentLength, "1234");
  assert.deepEqual(head.headers, [["Content-Type", "text/html"]]);
  assert.equal(parse(["Status: 200"]).contentLength, undefined);
});

Deno.test("parseReply() gives the client the other headers, several of one name apart", () => {
  const reply = parse([
    "Status: 200",
    "Set-Cookie: a=1; Path=/",
    "Set-Cookie: b=2, c",
    "X-Name: caf\xe9",
    "X-Town: voil\xc3\xa0",
    "X-H8s-Window: 9",
    "Nats-Msg-Id: 9",
    "Connection: X-Hop",
    "X-Hop: 1",
    "Transfer-Encoding: chunked",
  ]);
  assert.deepEqual(reply.headers, [
    ["Set-Cookie", "a=1; Path=/"],
    ["Set-Cookie", "b=2, c"],
    ["X-Name", "caf\xe9"],
    ["X-Town", "voil\xc3\xa0"],
  ]);
});

Deno.test("parseReply() refuses a header that HTTP cannot carry", async (t) => {
  const table: [title: string, lines: string[]][] = [
    ["CR in a value", ["X-A: a\rSet-Cookie: b"]],
    ["LF in a value", ["X-A: a\nSet-Cookie: b"]],
    ["NUL in a value", ["X-A: a\0b"]],
    ["LF at the end of a value", ["X-A: a\n"]],
    ["CR at the end of a value", ["X-A: a\r"]],
    ["a vertical tab at the start of a value", ["X-A: \x0ba"]],
    ["white space before the colon", ["X-A : 1"]],
    ["white space before the colon of the status", ["Status : 404"]],
    ["a name that is no token", ["X(A): 1"]],
    ["no name", [": 1"]],
    ["no colon", ["X-A"]],
    // RFC 9112 §5.2: a gateway answers 502 or unfolds; half of a value is neither.
    ["a folded line", ["X-A: 1,", " 2"]],
  ];
  for (const [title, lines] of table) {
    await t.step(title, () => assertMalformed(["X-Before: 1", ...lines]));
  }
});

Deno.test("parseReply() refuses a Content-Length that is no length", async (t) => {
  // RFC 9112 §6.3: a proxy answers 502; a HEAD response would send it on as it is.
  const lengths = ["abc", "-1", "+1", "1.5", "0x10", "5 6", "5\nSet-Cookie: a", "5, 6"];
  for (const length of lengths) {
    await t.step(JSON.stringify(length), () => assertMalformed([`Content-Length: ${length}`]));
  }
  await t.step("two that differ", () => {
    assertMalformed(["Content-Length: 5", "Content-Length: 6"]);
  });
});

Deno.test("toStreamEnd() knows the two ends of a stream", async (t) => {
  const table: [payload: string, end: string | undefined][] = [
    ["", "completed"],
    ["0\r\n\r\n", "termination_chunk"],
    ["0", undefined],
    ["0\r\n", undefined],
    ["0\n\n", undefined],
    ["1\r\n\r\n", undefined],
    ["0\r\n\r\r", undefined],
    ["0\r\n\r\n ", undefined],
    ["x0\r\n\r\n", undefined],
    ["hello", undefined],
  ];
  for (const [payload, end] of table) {
    await t.step(JSON.stringify(payload), () => {
      assert.equal(toStreamEnd(new TextEncoder().encode(payload)), end);
    });
  }
});

Deno.test("isBodyless() knows the statuses without content", () => {
  assert.deepEqual([204, 205, 304].filter(isBodyless), [204, 205, 304]);
  assert.deepEqual([200, 201, 202, 203, 206, 300, 301, 303, 404, 500].filter(isBodyless), []);
});

function parse(
  lines: string[],
  payloadLength = PAYLOAD_LENGTH,
): Exclude<Reply, { kind: "no_responders" }> {
  const block = `NATS/1.0\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
  const reply = parseReply(block, payloadLength);
  assert.notEqual(reply.kind, "no_responders");
  return reply as Exclude<Reply, { kind: "no_responders" }>;
}

function assertMalformed(lines: string[]): void {
  assert.throws(() => parse(lines), { code: "malformed_reply", status: 502 });
}

Deno.test("parseReply() tells a head that has no chunk yet from an end", () => {
  const reply = parseReply("NATS/1.0\r\nStatus-Code: 200\r\nX-H8s-Body: stream\r\n\r\n", 0);
  assert.ok(reply.kind === "stream" && reply.isHeadAlone);
  assert.ok(!reply.headers.some(([name]) => name.toLowerCase().startsWith("x-h8s-")));
});

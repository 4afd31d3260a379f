import assert from "node:assert/strict";
import fc from "fast-check";
import { parseReply, toStreamEnd } from "../../lib/mapping/reply.ts";
import { splitChunk, toAnnouncedLength, toReplyLines } from "../../lib/mapping/outgoing.ts";

Deno.test("toReplyLines() says the status, and the length of a single reply only", () => {
  assert.equal(toReplyLines({ status: 200, headers: [] }), "Status-Code: 200\r\n");
  assert.equal(
    toReplyLines({ status: 404, headers: [], contentLength: 0 }),
    "Status-Code: 404\r\nContent-Length: 0\r\n",
  );
  assert.equal(
    toReplyLines({ status: 206, headers: [["content-length", "7"]], streamLength: 7 }),
    "Status-Code: 206\r\nX-H8s-Content-Length: 7\r\n",
  );
});

Deno.test("toReplyLines() keeps headers as they are, but for those that mean something on the way", () => {
  const lines = toReplyLines({
    status: 200,
    headers: [
      ["content-type", "text/plain"],
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
      ["x-bytes", "\xe9"],
      ["content-length", "7"],
      ["transfer-encoding", "chunked"],
      ["connection", "close, X-Hop"],
      ["x-hop", "1"],
      ["status", "500"],
      ["Status-Code", "500"],
      ["x-h8s-close", "1000"],
      ["nats-service-error-code", "500"],
    ],
  });
  assert.equal(
    lines,
    "Status-Code: 200\r\nContent-Type: text/plain\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Bytes: \xe9\r\n",
  );
});

Deno.test("toReplyLines() is read by the gateway as it was meant", () => {
  const headers = [["content-type", "text/event-stream"]] as const;
  const block = (contentLength?: number) => {
    const head = {
      status: 201,
      headers,
      ...(contentLength === undefined ? {} : { contentLength }),
    };
    return `NATS/1.0\r\n${toReplyLines(head)}\r\n`;
  };
  const single = parseReply(block(5), 5);
  assert.ok(single.kind === "single" && single.status === 201);
  const stream = parseReply(block(), 5);
  assert.ok(stream.kind === "stream" && stream.status === 201);
});

Deno.test("toAnnouncedLength() reads a length, and no nonsense", () => {
  const table: [value: string | undefined, length: number | undefined][] = [
    ["0", 0],
    ["1234", 1234],
    [undefined, undefined],
    ["-1", undefined],
    ["1e3", undefined],
    ["9999999999999999", undefined],
  ];
  for (const [value, length] of table) {
    const headers: [string, string][] = value === undefined ? [] : [["Content-Length", value]];
    assert.equal(toAnnouncedLength(headers), length);
  }
});

Deno.test("splitChunk() makes messages that fit, and that the gateway takes for what they are", () => {
  const table: [chunk: string, limits: { limit: number; first?: number }, pieces: string[]][] = [
    ["", { limit: 4 }, []],
    ["abcd", { limit: 4 }, ["abcd"]],
    ["abcde", { limit: 4 }, ["abcd", "e"]],
    ["abcdefg", { limit: 4, first: 2 }, ["ab", "cdef", "g"]],
    ["0\r\n\r\n", { limit: 10 }, ["0", "\r\n\r\n"]],
    ["xx0\r\n\r\nyy", { limit: 5, first: 2 }, ["xx", "0", "\r\n\r\n", "yy"]],
    ["0\r\n\r\n!", { limit: 10 }, ["0\r\n\r\n!"]],
    ['{"stream":"S","seq":1}', { limit: 99 }, ["{", '"stream":"S","seq":1}']],
  ];
  for (const [chunk, limits, pieces] of table) {
    const split = splitChunk(new TextEncoder().encode(chunk), limits);
    assert.deepEqual(split.map((piece) => new TextDecoder().decode(piece)), pieces);
  }
});

Deno.test("splitChunk() loses nothing, whatever the chunk", () => {
  const chunk = fc.array(fc.constantFrom(..."0\r\n\r\nab"), { maxLength: 40 });
  fc.assert(fc.property(chunk, fc.integer({ min: 1, max: 12 }), (characters, limit) => {
    const text = characters.join("");
    const pieces = splitChunk(new TextEncoder().encode(text), { limit });
    assert.equal(pieces.map((piece) => new TextDecoder().decode(piece)).join(""), text);
    assert.ok(pieces.every((piece) => piece.length <= limit && toStreamEnd(piece) === undefined));
  }));
});

import assert from "node:assert/strict";
import { toErrorResponse, toGatewayError } from "../../lib/edge/problem.ts";
import { type ErrorCode, GatewayError } from "../../lib/errors.ts";

Deno.test("toErrorResponse() has the headers that its status asks for", async (t) => {
  const table: [code: ErrorCode, status: number, headers: Record<string, string>][] = [
    ["malformed_request", 400, {}],
    // RFC 9110 §15.5.6: Allow is a must.
    ["method_not_allowed", 405, { allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" }],
    ["body_too_large", 413, {}],
    ["headers_too_large", 431, {}],
    ["internal", 500, {}],
    ["malformed_reply", 502, {}],
    ["no_responders", 503, { "retry-after": "1" }],
    ["nats_unavailable", 503, { "retry-after": "1" }],
    ["draining", 503, { "retry-after": "1" }],
    ["reply_timeout", 504, {}],
  ];
  for (const [code, status, headers] of table) {
    await t.step(code, async () => {
      const response = toErrorResponse(new GatewayError(code, "What happened"), "req-1");
      assert.equal(response.status, status);
      const expected = { "content-type": "application/problem+json", ...headers };
      assert.deepEqual(Object.fromEntries(response.headers), expected);
      await response.body?.cancel();
    });
  }
});

Deno.test("toErrorResponse() tells a client of another WebSocket version which one is spoken", async () => {
  const error = new GatewayError("unsupported_websocket_version", "Only version 13");
  const { status, headers, body } = toErrorResponse(error, "req-1");
  assert.equal(status, 426);
  // RFC 6455 §4.4.
  assert.equal(headers.get("sec-websocket-version"), "13");
  // RFC 9110 §15.5.22: Upgrade is a must; §7.8: and Connection names it.
  assert.equal(headers.get("upgrade"), "websocket");
  assert.match(headers.get("connection") ?? "", /\bupgrade\b/i);
  await body?.cancel();
});

Deno.test("toErrorResponse() carries the problem as JSON, without the cause", async () => {
  const cause = new Error("h8s.secret.subject");
  const error = new GatewayError("internal", 'It "failed" – sorry', { cause });
  const text = await toErrorResponse(error, "req-1").text();
  assert.deepEqual(JSON.parse(text), error.toProblem("req-1"));
  assert.equal(JSON.parse(text).requestId, "req-1");
  assert.ok(!text.includes("secret"));
});

Deno.test("toGatewayError() keeps what a client may see and hides all else", async (t) => {
  await t.step("a GatewayError is itself", () => {
    const error = new GatewayError("reply_timeout", "No reply");
    assert.equal(toGatewayError(error), error);
  });
  for (const thrown of [new TypeError("secret"), "secret", undefined, null, { secret: 1 }]) {
    await t.step(`${typeof thrown} ${thrown}`, () => {
      const error = toGatewayError(thrown);
      assert.equal(error.code, "internal");
      assert.equal(error.cause, thrown);
      assert.ok(!JSON.stringify(error.toProblem("req-1")).includes("secret"));
    });
  }
});

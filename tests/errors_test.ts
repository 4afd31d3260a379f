import assert from "node:assert/strict";
import { type ErrorCode, GatewayError } from "../lib/errors.ts";

/** Section 9 of the contract; the compiler asks for a row where a code is new. */
const STATUSES: Record<ErrorCode, number> = {
  malformed_request: 400,
  unauthorized: 401,
  host_not_served: 403,
  origin_not_allowed: 403,
  no_interest: 404,
  method_not_allowed: 405,
  unsupported_websocket_version: 426,
  body_timeout: 408,
  body_too_large: 413,
  key_reused: 422,
  uri_too_long: 414,
  rate_limited: 429,
  too_many_connections_from_address: 429,
  headers_too_large: 431,
  unknown_coding: 501,
  internal: 500,
  malformed_reply: 502,
  no_responders: 503,
  not_stored: 503,
  nats_unavailable: 503,
  overloaded: 503,
  too_many_connections: 503,
  identity_unavailable: 503,
  draining: 503,
  reply_timeout: 504,
};
const CODES = Object.keys(STATUSES) as ErrorCode[];

Deno.test("GatewayError has the status of the contract", async (t) => {
  for (const code of CODES) {
    await t.step(code, () => assert.equal(new GatewayError(code, "x").status, STATUSES[code]));
  }
});

Deno.test("GatewayError says when to try again exactly where the contract does", async (t) => {
  for (const code of CODES) {
    await t.step(code, () => {
      const { retryAfter, status } = new GatewayError(code, "x");
      if (status === 503 || status === 429) {
        assert.ok(Number.isInteger(retryAfter) && Number(retryAfter) > 0);
      } else assert.equal(retryAfter, undefined);
    });
  }
});

Deno.test("GatewayError says when to try again better than the table, where more is known", () => {
  assert.equal(new GatewayError("rate_limited", "x", { retryAfter: 7 }).retryAfter, 7);
});

Deno.test("GatewayError is an Error that keeps its cause", () => {
  const cause = new TypeError("socket gone");
  const error = new GatewayError("internal", "The gateway failed", { cause });
  assert.ok(error instanceof Error);
  assert.equal(error.name, "GatewayError");
  assert.equal(error.code, "internal");
  assert.equal(error.message, "The gateway failed");
  assert.equal(error.cause, cause);
  assert.equal(new GatewayError("internal", "x").cause, undefined);
});

Deno.test("toProblem() is an RFC 9457 problem with the members of the contract", async (t) => {
  for (const code of CODES) {
    await t.step(code, () => {
      const problem = new GatewayError(code, "What happened").toProblem("req-1");
      const { type, title, ...rest } = problem;
      assert.deepEqual(rest, {
        status: STATUSES[code],
        detail: "What happened",
        requestId: "req-1",
      });
      assert.ok(URL.canParse(String(type)), `${type} is no URI`);
      assert.ok(typeof title === "string" && title !== "");
    });
  }
});

Deno.test("toProblem() has one type and one title for each code, whatever happened", () => {
  const problems = CODES.map((code) => new GatewayError(code, "x").toProblem("1"));
  assert.equal(new Set(problems.map(({ type }) => type)).size, CODES.length);
  for (const [index, code] of CODES.entries()) {
    const other = new GatewayError(code, "y").toProblem("2");
    assert.equal(other["type"], problems[index]?.["type"]);
    assert.equal(other["title"], problems[index]?.["title"]);
  }
});

Deno.test("toProblem() tells neither the cause nor a stack", () => {
  const cause = new Error("secret h8s.http.GET.internal");
  const error = new GatewayError("internal", "The gateway failed", { cause });
  const text = JSON.stringify(error.toProblem("req-1"));
  assert.ok(!text.includes("secret"));
  assert.ok(!text.includes("errors_test.ts"));
});

import assert from "node:assert/strict";
import { RequestIds } from "../../lib/edge/request_ids.ts";

/** Enough to empty the pool a few times. */
const MANY = 10_000;

Deno.test("nextRequestId() gives 32 hexadecimal digits, never the same", () => {
  const ids = new RequestIds();
  const seen = new Set<string>();
  for (let index = 0; index < MANY; index++) {
    const id = ids.nextRequestId();
    assert.match(id, /^[0-9a-f]{32}$/);
    seen.add(id);
  }
  assert.equal(seen.size, MANY);
});

Deno.test("nextTraceparent() begins a trace as W3C Trace Context says, never the same", () => {
  const ids = new RequestIds();
  const traces = new Set<string>();
  const spans = new Set<string>();
  for (let index = 0; index < MANY; index++) {
    const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-00$/.exec(ids.nextTraceparent());
    assert.ok(match !== null);
    traces.add(match[1] ?? "");
    spans.add(match[2] ?? "");
  }
  assert.equal(traces.size, MANY);
  assert.equal(spans.size, MANY);
});

Deno.test("ids of both kinds share no digits, however they take turns", () => {
  const ids = new RequestIds();
  const seen = new Set<string>();
  for (let index = 0; index < MANY; index++) {
    seen.add(ids.nextRequestId());
    seen.add(ids.nextTraceparent().slice(3, 35));
    if (index % 3 === 0) seen.add(ids.nextRequestId());
  }
  assert.equal(seen.size, 2 * MANY + Math.ceil(MANY / 3));
});

Deno.test("two RequestIds have nothing in common", () => {
  const [one, other] = [new RequestIds(), new RequestIds()];
  assert.notEqual(one.nextRequestId(), other.nextRequestId());
  assert.notEqual(one.nextTraceparent(), other.nextTraceparent());
});

Deno.test("nextNumber() gives one subject token, never the same", () => {
  const ids = new RequestIds();
  const numbers = Array.from({ length: MANY }, () => ids.nextNumber());
  assert.ok(numbers.every((number) => /^[0-9a-z]+$/.test(number)));
  assert.equal(new Set(numbers).size, MANY);
});

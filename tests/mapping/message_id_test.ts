import assert from "node:assert/strict";
import fc from "fast-check";
import { GatewayError } from "../../lib/errors.ts";
import {
  type KeyScope,
  toFingerprint,
  toKeyId,
  toNumberedId,
  toNumberScope,
} from "../../lib/mapping/message_id.ts";

const SCOPE: KeyScope = {
  who: "ann",
  method: "POST",
  subject: "orders.new",
  hostTokens: "com.example",
  pathTokens: "orders",
};
const said = (id: number, text: string, kind: "text" | "binary" = "text") => ({
  id,
  kind,
  bytes: bytes(text),
});
const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("toKeyId() knows a key again, quoted or bare", () => {
  const id = toKeyId("k1", SCOPE);
  assert.match(id, /^key:[\w-]{43}:k1$/);
  assert.equal(toKeyId('"k1"', { ...SCOPE }), id);
});

Deno.test("toKeyId() refuses what is no key", () => {
  for (const key of ["", '"', '""', "a b", "a\tb", "é", "x".repeat(256), '"a"b"']) {
    assert.throws(() => toKeyId(key, SCOPE), GatewayError, key);
  }
});

Deno.test("two requests have one message id only if all of their scope is the same", () => {
  const text = fc.constantFrom("", "a", "b", "a.b", "a:b", ":", '","', "ann");
  const scope = fc.record({
    ...{ who: text, method: text, subject: text, hostTokens: text, pathTokens: text },
  });
  const key = fc.constantFrom("1", "2", "a:1", ":1");
  fc.assert(fc.property(scope, scope, key, key, (one, other, oneKey, otherKey) => {
    const isSame = JSON.stringify([one, oneKey]) === JSON.stringify([other, otherKey]);
    assert.equal(toKeyId(oneKey, one) === toKeyId(otherKey, other), isSame);
  }));
});

Deno.test("toFingerprint() tells bodies and queries apart, and no border moves", () => {
  const table: [query: string, body: string][] = [
    ["", ""],
    ["", "a"],
    ["a", ""],
    ["a", "a"],
    ["", '"\na'],
    ['"\n', "a"],
    ["", "b"],
  ];
  const prints = table.map(([query, body]) => toFingerprint(query, bytes(body)));
  assert.equal(new Set(prints).size, table.length);
  assert.equal(toFingerprint("a", bytes("b")), toFingerprint("a", bytes("b")));
  for (const print of prints) assert.match(print, /^[\w-]{43}$/);
});

Deno.test("a numbered message is the same one only with the same words of the same client", () => {
  const scope = { ackClient: "0123456789abcdef", ...SCOPE };
  const id = toNumberedId(toNumberScope(scope), said(7, "a"));
  assert.equal(toNumberedId(toNumberScope({ ...scope }), said(7, "a")), id);
  const others = [
    toNumberedId(toNumberScope(scope), said(8, "a")),
    toNumberedId(toNumberScope(scope), said(7, "b")),
    toNumberedId(toNumberScope(scope), said(7, "a", "binary")),
    toNumberedId(toNumberScope({ ...scope, ackClient: "fedcba9876543210" }), said(7, "a")),
    toNumberedId(toNumberScope({ ...scope, who: "bob" }), said(7, "a")),
    toNumberedId(toNumberScope({ ...scope, subject: "mail.new" }), said(7, "a")),
    toNumberedId(toNumberScope({ ...scope, hostTokens: "org.example" }), said(7, "a")),
    toNumberedId(toNumberScope({ ...scope, pathTokens: "mail" }), said(7, "a")),
    toNumberedId("connection:g-1", said(7, "a")),
    toNumberedId("connection:g-2", said(7, "a")),
  ];
  assert.equal(new Set([id, ...others]).size, others.length + 1);
});

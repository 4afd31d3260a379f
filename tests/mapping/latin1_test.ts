import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  decodeByHand,
  decodeLatin1,
  encodeByHand,
  encodeLatin1,
} from "../../lib/mapping/latin1.ts";

const EVERY_OCTET = Uint8Array.from({ length: 256 }, (_, octet) => octet);
const MANY = new Uint8Array(100_000).map((_, index) => index);

Deno.test("latin-1 is one byte a character, with the platform's help and without", () => {
  for (const bytes of [new Uint8Array(), EVERY_OCTET, MANY, MANY.subarray(1000, 1300)]) {
    const text = Buffer.from(bytes).toString("latin1");
    for (const decode of [decodeLatin1, decodeByHand]) assert.equal(decode(bytes), text);
    for (const encode of [encodeLatin1, encodeByHand]) {
      assert.deepEqual([...encode(text)], [...bytes]);
    }
  }
});

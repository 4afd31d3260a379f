import assert from "node:assert/strict";
import { Spares } from "../../../lib/edge/http/spares.ts";

const MEBIBYTE = 1024 * 1024;

Deno.test("Spares gives memory again where it is enough, and not too much", () => {
  const table: [given: number, wanted: number, expected: number][] = [
    [1000, 1000, 1000],
    [1000, 600, 1000],
    [1000, 400, 400],
    [1000, 1001, 1001],
  ];
  for (const [given, wanted, expected] of table) {
    const spares = new Spares();
    spares.giveBack(new ArrayBuffer(given));
    assert.equal(spares.take(wanted).byteLength, expected);
    assert.equal(spares.take(given).byteLength, given, "fresh, or as it was given back");
  }
});

Deno.test("Spares keeps what was given back last, and lets go of the rest", () => {
  const spares = new Spares();
  const given = Array.from({ length: 6 }, () => new ArrayBuffer(MEBIBYTE));
  for (const buffer of given) spares.giveBack(buffer);
  assert.deepEqual(given.map(({ byteLength }) => byteLength / MEBIBYTE), [0, 0, 1, 1, 1, 1]);
  assert.ok(given.includes(spares.take(MEBIBYTE)));
});

import assert from "node:assert/strict";
import { Windows } from "../../../lib/edge/limits/windows.ts";

const MIB = 1024 * 1024;

Deno.test("Windows gives all that is wanted to a few, and something to everybody", () => {
  const windows = new Windows(() => 32 * MIB);
  const given = Array.from({ length: 1000 }, () => windows.take(MIB));
  assert.ok(given.slice(0, 20).every((bytes) => bytes === MIB), String(given.slice(0, 20)));
  assert.ok(given.every((bytes) => bytes >= 16 * 1024));
  const total = given.reduce((sum, bytes) => sum + bytes, 0);
  assert.ok(total <= 48 * MIB, `${total / MIB} MiB`);
  for (const bytes of given) windows.giveBack(bytes);
  assert.equal(windows.take(MIB), MIB);
  assert.equal(windows.take(1000), 1000, "no more than is wanted");
});

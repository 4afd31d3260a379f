import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { ASSET, bundle, stop, toAsset } from "./bundle.ts";

/** So much may a page load for it, compressed. */
const MAX_BYTES = 6000;

Deno.test("the library as a page loads it", async (t) => {
  const { text, inputs } = await bundle(true);
  await t.step(`is smaller than ${MAX_BYTES} bytes, compressed`, () => {
    const { length } = gzipSync(text);
    assert.ok(length < MAX_BYTES, `${length} bytes`);
  });
  await t.step("has nothing in it of others, or of a runtime", () => {
    const others = inputs.filter((path) => !path.startsWith("lib/client/")).toSorted();
    const names = ["ack", "close", "resume"];
    assert.deepEqual(others, names.map((name) => `lib/mapping/${name}.ts`));
    assert.doesNotMatch(text, /\bDeno\b|\bnode:|\brequire\(/);
  });
  await t.step("is what the rooms serve: deno run -A tests/client/bundle.ts", async () => {
    assert.equal(await Deno.readTextFile(ASSET), await toAsset());
  });
  await stop();
});

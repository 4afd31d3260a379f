import assert from "node:assert/strict";
import { afterMessage, afterTurn } from "../../lib/time/turn.ts";

for (const after of [afterTurn, afterMessage]) {
  Deno.test(`${after.name}() calls back once what is there has been dealt with`, async () => {
    const said: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    after(() => {
      said.push("the turn is over");
      resolve();
    });
    await Promise.resolve().then(() => said.push("what was there"));
    await promise;
    assert.deepEqual(said, ["what was there", "the turn is over"]);
  });

  Deno.test(`${after.name}() does not call back once it is cancelled`, async () => {
    const said: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    after(() => said.push("cancelled"))();
    after(resolve);
    await promise;
    assert.deepEqual(said, []);
  });
}

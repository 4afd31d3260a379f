import assert from "node:assert/strict";
import process from "node:process";
import { withoutEnvironment } from "../lib/without_environment.ts";

Deno.test("withoutEnvironment() gives the environment back when the last of several is done", async () => {
  const before = process.env;
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const works = [first, second].map(({ promise }) => withoutEnvironment(() => promise));
  first.resolve();
  await works[0];
  assert.deepEqual(Object.keys(process.env), []);
  assert.throws(() =>
    withoutEnvironment(() => {
      throw new Error("no");
    })
  );
  assert.deepEqual(Object.keys(process.env), []);
  second.resolve();
  await works[1];
  assert.equal(process.env, before);
});

import assert from "node:assert/strict";
import { Semaphore } from "../../../lib/nats/jetstream/semaphore.ts";

Deno.test("Semaphore begins tasks in order, no more than so many at once", async () => {
  const semaphore = new Semaphore(3);
  const begun: number[] = [];
  let [running, most] = [0, 0];
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      semaphore.run(async () => {
        begun.push(index);
        most = Math.max(most, ++running);
        for (let turn = index % 5; turn >= 0; turn--) await Promise.resolve();
        running--;
        return index;
      })),
  );
  const all = Array.from({ length: 50 }, (_, index) => index);
  assert.deepEqual([begun, results, most, running], [all, all, 3, 0]);
});

Deno.test("Semaphore gives the place of a task that fails to the next", async () => {
  const semaphore = new Semaphore(1);
  const failing = semaphore.run(() => Promise.reject(new Error("no")));
  const next = semaphore.run(() => Promise.resolve("yes"));
  await assert.rejects(failing, /no/);
  assert.equal(await next, "yes");
  assert.equal(await semaphore.run(() => Promise.resolve("again")), "again");
});

Deno.test("Semaphore takes no longer for a task where many wait", async () => {
  const run = async (count: number) => {
    const semaphore = new Semaphore(256);
    const begun = performance.now();
    await Promise.all(Array.from({ length: count }, () => semaphore.run(() => Promise.resolve())));
    return performance.now() - begun;
  };
  const few = await run(4000);
  const many = Math.min(await run(40_000), await run(40_000));
  // Ten times as many, with room for whatever else the machine does; a queue that is moved takes 200 times.
  assert.ok(many < 80 * few, `${few} ms for 4000, ${many} ms for 40 000`);
});

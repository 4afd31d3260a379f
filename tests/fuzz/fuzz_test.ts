import assert from "node:assert/strict";
import { startDoors } from "./doors/world.ts";
import { fuzz } from "./fuzzer.ts";

Deno.test("whatever bytes clients send, subjects are legal, nothing is a 500 and the gateway lives on", async () => {
  const sum = await fuzz({ seed: 1, requests: 15_000, frames: 3000 });
  assert.deepEqual(sum.wrong.slice(0, 5), []);
  // Otherwise the requests did not get far enough to prove anything.
  assert.ok(sum.messages > 1000, `${sum.messages} messages`);
  assert.ok(sum.sockets > 200, `${sum.sockets} WebSockets`);
  for (const status of [101, 200, 400, 405, 414, 426, 502]) assert.ok(sum.statuses.has(status));
});

for (
  const { isTls, requests } of [{ isTls: false, requests: 3000 }, { isTls: true, requests: 1000 }]
) {
  const name = `nobody gets past guarded routes, sessions, a stream or the reverse daemon`;
  Deno.test(`${name}${isTls ? ", over TLS" : ""}`, async () => {
    const world = (seed: number) => startDoors(seed, { isTls });
    const sum = await fuzz({ seed: 1, requests, frames: requests / 5, world });
    assert.deepEqual(sum.wrong.slice(0, 5), []);
    for (const status of [101, 200, 401, 403]) assert.ok(sum.statuses.has(status), `${status}`);
    assert.ok(isTls || sum.kept.length > 0);
    for (const text of sum.besides) assert.doesNotMatch(text, /^0 /);
  });
}

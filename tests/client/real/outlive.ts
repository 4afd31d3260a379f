/**
 * Breaks everything between a client and the real gateway, and looks at what each of them has.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { ClientOptions } from "../../../lib/client/mod.ts";
import type { Travelled, Way } from "./journey.js";
import { type Spoken, World } from "./world.ts";

/** A client in whatever runtime. */
export type Traveller = (way: Way) => Promise<Travelled>;

/** One message under way, so that the stream has them in order even where JetStream fails in between. */
export const OPTIONS: ClientOptions = {
  retryMs: 100,
  maxRetryMs: 500,
  pingMs: 200,
  pongMs: 1000,
  maxInFlight: 1,
};
const SPOKEN: readonly (readonly [name: string, spoken: Spoken])[] = [
  ["acknowledged and resumed", { ack: true, resume: true }],
  ["acknowledged", { ack: true, resume: false }],
  ["resumed", { ack: false, resume: true }],
  ["neither", { ack: false, resume: false }],
];
/** Steps that run beside each other must not look for what each of them has open; the test itself does. */
const AT_ONCE = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
const BATCH = 20;
export const LIMIT_MS = 60_000;

/** One after the other, in the middle of what goes both ways. */
async function breakAll(world: World, { resume }: Spoken): Promise<void> {
  await world.connected();
  await tellAndWait(world);
  world.trickle();
  await tellAndWait(world);
  world.hurry();
  const faults = [() => world.cut(), () => world.stall(), () => world.replaceGateway()];
  for (const fault of faults) {
    // What is told meanwhile is under way, or nobody's.
    await Promise.all([fault(), resume ? world.tell(BATCH) : undefined]);
    if (!resume) await world.connected();
    await tellAndWait(world);
  }
  await world.restartNats();
  await tellAndWait(world);
  await world.end();
}

/** What the client has heard cannot be lost with what breaks next. */
async function tellAndWait(world: World): Promise<void> {
  await world.tell(BATCH);
  await world.heard(world.told.length);
}

/** Nothing lost, nothing twice, in order; or an explicit gap. */
async function check(world: World, spoken: Spoken, travelled: Travelled): Promise<void> {
  const { heard, gaps, kept, failures, sockets, protocol } = travelled;
  assert.deepEqual(failures, []);
  assert.ok(sockets >= 4, `${sockets} sockets`);
  assert.deepEqual(heard, world.told);
  if (spoken.resume) {
    // A nats-server that is killed may lose the end of its stream, which the client had heard: then it is told.
    assert.ok(gaps.length <= 1, JSON.stringify(gaps));
    assert.equal(world.connections, 1);
    assert.ok(world.resumptions > 0, "another gateway went on with it");
  } else {
    assert.deepEqual(gaps, Array(sockets - 1).fill({ cause: "not_kept" }));
    assert.equal(world.resumptions, 0);
  }
  if (!spoken.ack) return assert.ok(kept.every((seq) => seq === null));
  const stored = await world.stored();
  assert.deepEqual(stored, kept.map((_, number) => `said ${number}`));
  assert.deepEqual(kept, kept.map((_, number) => number + 1));
  assert.match(protocol, /^h8s\.ack/);
}

/** Everything breaks, whatever is spoken, and the client of whatever runtime outlives it. */
export async function outliveAll(t: Deno.TestContext, traveller: Traveller): Promise<void> {
  const steps = SPOKEN.map(([name, spoken]) =>
    t.step({ name, fn: () => outlive(spoken, traveller), ...AT_ONCE })
  );
  assert.ok((await Promise.all(steps)).every((isOk) => isOk));
}

async function outlive(spoken: Spoken, traveller: Traveller): Promise<void> {
  await using world = await World.start(spoken);
  const { url, report } = world;
  const travelling = traveller({ url, report, options: OPTIONS, limitMs: LIMIT_MS });
  const [travelled] = await Promise.all([travelling, breakAll(world, spoken)]);
  await check(world, spoken, travelled);
}

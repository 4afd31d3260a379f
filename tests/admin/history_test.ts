import assert from "node:assert/strict";
import { History, type Sample } from "../../lib/admin/history.ts";
import { Metrics } from "../../lib/telemetry/metrics.ts";
import { FakeClock } from "../harness/fake_clock.ts";

const SECOND_MS = 1000;

function setUp() {
  const clock = new FakeClock();
  const metrics = new Metrics({ reconnects: () => 0, connected: () => true });
  const errors: unknown[] = [];
  const history = new History(metrics, {
    clock,
    now: () => clock.now(),
    onError: (error) => errors.push(error),
  });
  const next = async (): Promise<Sample> => {
    const { promise, resolve } = Promise.withResolvers<Sample>();
    const end = history.onSample(resolve);
    clock.advance(SECOND_MS);
    const sample = await promise;
    end();
    return sample;
  };
  return { metrics, history, clock, errors, next };
}

Deno.test("a sample says what happened in its second, the first one included", async () => {
  const world = setUp();
  using history = world.history;
  const { metrics } = world;
  for (const [status, ms] of [[200, 0.5], [204, 3], [302, 3], [404, 3], [503, 60_000]] as const) {
    metrics.requestBegun();
    metrics.requestEnded(status, {
      route: undefined,
      host: "e.com",
      firstByteMs: ms,
      durationMs: ms,
    });
  }
  metrics.requestBegun();
  metrics.requestRefused("no_responders");
  metrics.socketOpened();
  metrics.message("in", 10);
  metrics.message("out", 20);
  metrics.bodyBytes("out", 100);
  const sample = await world.next();
  assert.deepEqual(sample.responses, [2, 1, 1, 1]);
  assert.deepEqual([sample.refused, sample.inFlight, sample.sockets], [1, 1, 1]);
  assert.deepEqual([sample.messages, sample.bytes], [[1, 1], [10, 120]]);
  const counts = Object.entries(sample.latency).filter(([, count]) => count > 0);
  assert.deepEqual(counts, [["0", 1], ["2", 3], ["14", 1]]);
  assert.equal(history.bounds[0], 0.001);
  const quiet = await world.next();
  assert.deepEqual([quiet.responses, quiet.inFlight, quiet.sockets], [[0, 0, 0, 0], 1, 1]);
  assert.ok(quiet.latency.every((count) => count === 0));
  assert.deepEqual(world.errors, []);
});

Deno.test("the history holds ten minutes, and no more", async () => {
  const world = setUp();
  using history = world.history;
  for (let count = 0; count < 610; count++) await world.next();
  assert.equal(history.samples.length, 600);
  assert.equal(history.samples.at(-1)!.at - history.samples[0]!.at, 599 * SECOND_MS);
});

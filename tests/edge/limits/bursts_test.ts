import assert from "node:assert/strict";
import { Bursts } from "../../../lib/edge/limits/bursts.ts";
import type { Runner } from "../../../lib/edge/limits/reply_gate.ts";
import { FakeClock } from "../../harness/fake_clock.ts";

const MIB = 1024 * 1024;

const BOUNDS = { total: () => 32 * MIB, largest: () => MIB };

function setUp() {
  const clock = new FakeClock();
  const bursts = new Bursts(clock, BOUNDS);
  const burst = bursts.of("a.b");
  const running = new Set<Runner>();
  const runners = Array.from({ length: 250 }, () => {
    const runner: Runner = { ticket: 0, start: () => void running.add(runner) };
    return runner;
  });
  for (const runner of runners) if (burst.enter(runner)) runner.start();
  function end(bytes: number): void {
    const [runner] = running;
    running.delete(runner!);
    burst.heard(runner!, bytes);
    burst.leave(runner!);
  }
  return { clock, bursts, burst, runners, running, end };
}

Deno.test("a burst waits for its first reply, and all goes when that is small", () => {
  const { running, end } = setUp();
  assert.equal(running.size, 32);
  end(100);
  assert.equal(running.size, 249);
});

Deno.test("of large replies no more are under way than fit", () => {
  const { bursts, burst, running, end } = setUp();
  for (let left = 249; left >= 0; left--) {
    end(MIB);
    assert.equal(running.size, Math.min(left, 32));
  }
  assert.notEqual(bursts.of("a.b"), burst, "nothing is remembered of what is over");
  for (const bytes of [4 * MIB, 32 * MIB]) {
    const { running, end } = setUp();
    while (running.size > 32 * MIB / bytes) end(bytes);
    end(bytes);
    assert.equal(running.size, 32 * MIB / bytes);
  }
});

Deno.test("a workload that takes its time gets all that is asked of it", () => {
  const { clock, running } = setUp();
  clock.advance(100);
  assert.equal(running.size, 64);
  clock.advance(300);
  assert.equal(running.size, 250);
});

Deno.test("small replies after a large one let more go again", () => {
  const { running, end } = setUp();
  end(MIB);
  for (let count = 0; count < 30; count++) end(10);
  assert.equal(running.size, 62);
  for (let count = 0; count < 80; count++) end(10);
  assert.equal(running.size, 139, "all that are left");
});

Deno.test("who leaves while it waits is never started", () => {
  const { burst, runners, running, end } = setUp();
  const gone = runners[100]!;
  burst.leave(gone);
  end(10);
  assert.ok(!running.has(gone));
  assert.equal(running.size, 248);
});

/** Requests to a subject each. */
function spread(count: number) {
  const clock = new FakeClock();
  const bursts = new Bursts(clock, BOUNDS);
  const running = new Map<Runner, string>();
  const gone: Runner[] = [];
  for (let index = 0; index < count; index++) ask(`a.${index}`);
  function ask(subject: string): void {
    const runner: Runner = { ticket: 0, start: () => void running.set(runner, subject) };
    if (bursts.of(subject).enter(runner)) runner.start();
  }
  function end(bytes?: number): void {
    const [[runner, subject]] = running as unknown as [[Runner, string]];
    running.delete(runner);
    const burst = bursts.of(subject);
    if (bytes !== undefined) burst.heard(runner, bytes);
    burst.leave(runner);
    gone.push(runner);
  }
  return { clock, bursts, running, gone, ask, end };
}

Deno.test("of large replies no more are under way than fit, whatever their subjects", () => {
  const { running, gone, end } = spread(250);
  for (let left = 249; left >= 0; left--) {
    assert.ok(running.size <= 32);
    end(MIB);
  }
  assert.equal(gone.length, 250);
  const larger = spread(20);
  larger.end(8 * MIB);
  while (larger.running.size > 4) larger.end(8 * MIB);
  larger.end(8 * MIB);
  assert.equal(larger.running.size, 3);
});

Deno.test("each small reply lets one more go to a subject of which nothing is known", () => {
  const { running, end } = spread(2000);
  for (let round = 1; round <= 5; round++) {
    const { size } = running;
    assert.equal(size, 32 * 2 ** (round - 1));
    for (let count = 0; count < size; count++) end(100);
  }
});

Deno.test("small replies one at a time do not make a later burst larger", () => {
  const { running, ask, end } = spread(0);
  for (let index = 0; index < 1000; index++) {
    ask(`small.${index}`);
    end(100);
  }
  for (let index = 0; index < 250; index++) ask(`large.${index}`);
  assert.equal(running.size, 32);
});

Deno.test("who waits for something slow is in nobody's way", () => {
  const { clock, running, ask, end } = spread(1000);
  clock.advance(1000);
  assert.equal(running.size, 1000);
  ask("a.1000");
  end(MIB);
  ask("b");
  clock.advance(200);
  assert.ok([...running.values()].includes("b"));
});

Deno.test("clients that give up what is slow, one after another, keep nobody waiting", () => {
  const { clock, running, ask, end } = spread(300);
  ask("b");
  for (let count = 0; count < 20; count++) {
    clock.advance(50);
    end();
  }
  assert.ok([...running.values()].includes("b"));
});

Deno.test("what is busy with small replies keeps nobody waiting behind what is slow", () => {
  const { clock, bursts, running, ask } = spread(0);
  const busy = bursts.of("busy");
  const [first, next] = [1, 2].map((): Runner => ({ ticket: 0, start() {} }));
  busy.enter(first!);
  busy.heard(first!, 2);
  busy.enter(next!);
  for (let index = 0; index < 40; index++) ask(`slow.${index}`);
  ask("b");
  for (let count = 0; count < 10; count++) {
    clock.advance(50);
    busy.heard(next!, 2);
  }
  assert.ok([...running.values()].includes("b"));
});

import assert from "node:assert/strict";
import { Bursts, type Runner } from "../../../lib/edge/limits/bursts.ts";
import { FakeClock } from "../../harness/fake_clock.ts";

const MIB = 1024 * 1024;

function setUp() {
  const clock = new FakeClock();
  const bursts = new Bursts(clock);
  const burst = bursts.of("a.b");
  const running = new Set<Runner>();
  const runners = Array.from({ length: 250 }, () => {
    const runner: Runner = { start: () => void running.add(runner) };
    return runner;
  });
  for (const runner of runners) if (burst.enter(runner)) runner.start();
  function end(bytes: number): void {
    const [runner] = running;
    running.delete(runner!);
    burst.heard(bytes);
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
  for (const size of [64, 128, 250]) {
    clock.advance(50);
    assert.equal(running.size, size);
  }
});

Deno.test("small replies after a large one let more go again", () => {
  const { running, end } = setUp();
  end(MIB);
  for (let count = 0; count < 30; count++) end(10);
  assert.equal(running.size, 219);
});

Deno.test("who leaves while it waits is never started", () => {
  const { burst, runners, running, end } = setUp();
  const gone = runners[100]!;
  burst.leave(gone);
  end(10);
  assert.ok(!running.has(gone));
  assert.equal(running.size, 248);
});

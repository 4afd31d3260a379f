import assert from "node:assert/strict";
import { Election } from "../../../lib/workload/socket/election.ts";
import { FakeClock } from "../../harness/fake_clock.ts";
import { FakeBus, FakeNats } from "../../nats/fake_bus.ts";

/** Replicas of one group, each with a connection of its own. */
class Replicas {
  readonly clock = new FakeClock();
  readonly nats = new FakeNats();
  /** Who won what. */
  readonly won: string[] = [];
  readonly #members = new Map<string, { bus: FakeBus; election: Election }>();

  constructor(ids: readonly string[]) {
    for (const id of ids) {
      const bus = new FakeBus("connected", this.nats);
      const options = { prefix: "h8s", group: "chat", id, clock: this.clock };
      this.#members.set(id, { bus, election: new Election(bus, options) });
    }
  }

  bus(id: string): FakeBus {
    return this.#members.get(id)!.bus;
  }

  election(id: string): Election {
    return this.#members.get(id)!.election;
  }

  /** Sees the need of something. */
  see(id: string, matter: string): void {
    this.election(id).run(matter, () => this.won.push(`${id}: ${matter}`));
  }

  /** Lets messages arrive. */
  async arrive(): Promise<void> {
    await this.bus("a").flush();
  }
}

Deno.test("the one that claims first wins, and the others say nothing", async () => {
  const replicas = new Replicas(["a", "b", "c"]);
  replicas.see("c", "G1");
  await replicas.arrive();
  replicas.see("a", "G1");
  replicas.see("b", "G1");
  replicas.clock.advance(999);
  assert.deepEqual([replicas.won, replicas.election("a").isOver("G1")], [[], false]);
  replicas.clock.advance(1);
  assert.deepEqual([replicas.won, replicas.election("a").isOver("G1")], [["c: G1"], true]);
  assert.deepEqual(["a", "b", "c"].map((id) => replicas.bus(id).published.length), [0, 0, 1]);
});

Deno.test("of claims that cross the lowest id wins, each matter by itself", async () => {
  const replicas = new Replicas(["a", "b"]);
  for (const id of ["b", "a"]) replicas.see(id, "G1");
  replicas.see("b", "G2");
  await replicas.arrive();
  replicas.clock.advance(1000);
  assert.deepEqual(replicas.won.toSorted(), ["a: G1", "b: G2"]);
});

Deno.test("who is not connected, or takes part no more, wins nothing", async () => {
  const replicas = new Replicas(["a", "b"]);
  replicas.bus("a").setState("disconnected");
  replicas.see("a", "G1");
  replicas.see("b", "G2");
  await replicas.arrive();
  replicas.election("b")[Symbol.dispose]();
  replicas.clock.advance(1000);
  assert.deepEqual([replicas.won, replicas.clock.waiting], [[], 0]);
});

Deno.test("the same matter is claimed again when the claim is long ago", async () => {
  const replicas = new Replicas(["a"]);
  replicas.see("a", "G1");
  await replicas.arrive();
  replicas.clock.advance(9999);
  replicas.see("a", "G1");
  replicas.clock.advance(1);
  replicas.see("a", "G1");
  replicas.clock.advance(1000);
  assert.deepEqual(replicas.won, ["a: G1", "a: G1"]);
});

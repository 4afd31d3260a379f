import assert from "node:assert/strict";
import { connect } from "@nats-io/transport";
import { Ownership } from "../../lib/reverse/ownership.ts";
import { Link } from "../../lib/workload/link.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { startNats } from "../harness/nats_server.ts";
import { listen } from "../harness/setup.ts";

Deno.test("what a silent replica held is taken by the first of those that live", async () => {
  await using nats = await startNats({ jetstream: false });
  const nc = await connect({ servers: nats.url });
  const announcements = await listen(nc, "h8s.control.reverse.g.*.*");
  const heard = async (event: string) => {
    for (;;) if ((await announcements.next()).subject.endsWith(event)) return await nc.flush();
  };
  const orphans: [replica: string, inboxes: readonly string[]][] = [];
  const replicas = ["a", "b", "c"].map((replica) => {
    const clock = new FakeClock();
    const link = new Link(nc, (error) => assert.fail(String(error)));
    const ownership = new Ownership(link, {
      ...{ prefix: "h8s", group: "g", replica, clock },
      onOrphans: (inboxes) => orphans.push([replica, inboxes]),
    });
    return { link, ownership, clock };
  });
  const [a, b, c] = replicas as [typeof replicas[0], typeof replicas[0], typeof replicas[0]];
  c.ownership.take("inbox.1");
  c.ownership.take("inbox.2");
  c.ownership.take("inbox.3");
  c.ownership.release("inbox.3");
  await heard("c.released");
  c.ownership[Symbol.dispose]();

  for (let seconds = 0; seconds < 20; seconds += 5) {
    for (const { clock } of [a, b]) clock.advance(5000);
    await heard("b.alive");
  }
  assert.deepEqual(orphans, [["a", ["inbox.1", "inbox.2"]]]);

  for (const { ownership, link } of replicas) {
    ownership[Symbol.dispose]();
    link[Symbol.dispose]();
  }
  await nc.close();
});

Deno.test("a replica that starts late learns what the others hold", async () => {
  await using nats = await startNats({ jetstream: false });
  const nc = await connect({ servers: nats.url });
  const announcements = await listen(nc, "h8s.control.reverse.g.*.*");
  using link = new Link(nc, (error) => assert.fail(String(error)));
  const early = new FakeClock();
  const options = { prefix: "h8s", group: "g", onOrphans: () => {} };
  using first = new Ownership(link, { ...options, replica: "b", clock: early });
  first.take("inbox.1");
  const orphans: (readonly string[])[] = [];
  const late = new FakeClock();
  using _second = new Ownership(link, {
    ...options,
    replica: "a",
    clock: late,
    onOrphans: (inboxes) => orphans.push(inboxes),
  });
  for (;;) if ((await announcements.next()).subject.endsWith("b.alive")) break;
  await nc.flush();
  for (let seconds = 0; seconds < 20; seconds += 5) {
    late.advance(5000);
    for (;;) if ((await announcements.next()).subject.endsWith("a.alive")) break;
    await nc.flush();
  }
  assert.deepEqual(orphans, [["inbox.1"]]);
  await nc.close();
});

Deno.test("a replica that was cut off takes nothing from those that live", async () => {
  await using nats = await startNats({ jetstream: false });
  const nc = await connect({ servers: nats.url });
  const announcements = await listen(nc, "h8s.control.reverse.g.*.*");
  using link = new Link(nc, (error) => assert.fail(String(error)));
  const options = { prefix: "h8s", group: "g" };
  using living = new Ownership(link, {
    ...{ ...options, replica: "b", clock: new FakeClock() },
    onOrphans: () => {},
  });
  const orphans: (readonly string[])[] = [];
  const clock = new FakeClock();
  using _cutOff = new Ownership(link, {
    ...{ ...options, replica: "a", clock },
    onOrphans: (inboxes) => orphans.push(inboxes),
  });
  living.take("inbox.1");
  for (;;) if ((await announcements.next()).subject.endsWith("b.owns")) break;
  await nc.flush();
  clock.advance(20_000);
  for (;;) if ((await announcements.next()).subject.endsWith("a.alive")) break;
  await nc.flush();
  clock.advance(1000);
  assert.deepEqual(orphans, []);
  await nc.close();
});

import assert from "node:assert/strict";
import { INTEREST_STALE_MS } from "../../lib/mapping/interest.ts";
import { Interests } from "../../lib/nats/interest.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { FakeBus } from "./fake_bus.ts";

const SUBJECT = "h8s.control.interest.register.com.e";
const RENDERED = '{"host":"e.com","path":"/cart","method":"GET"}';

const REPEATED: Readonly<Record<string, string>> = {
  "letter by letter": RENDERED,
  "with its keys in another order": '{"method":"GET","path":"/cart","host":"e.com"}',
  "with blanks and a port": '{ "host": "E.com:80", "path": "/cart", "method": "GET" }',
};

for (const [how, again] of Object.entries(REPEATED)) {
  Deno.test(`an interest that is said again ${how} stands on, and once`, () => {
    const [bus, clock] = [new FakeBus(), new FakeClock()];
    const errors: unknown[] = [];
    using interests = new Interests(bus, {
      prefix: "h8s",
      clock,
      onError: (error) => errors.push(error),
    });
    bus.deliver(SUBJECT, RENDERED);
    for (let count = 0; count < 3; count++) {
      clock.advance(INTEREST_STALE_MS - 1000);
      bus.deliver(SUBJECT, again);
    }
    assert.deepEqual(interests.list(), [{ host: "e.com", path: "/cart", method: "GET" }]);
    assert.equal(interests.size, 1);
    bus.deliver("h8s.control.interest.unregister.com.e", again);
    assert.equal(interests.size, 0);
    assert.deepEqual(errors, []);
  });
}

Deno.test("an interest that cannot be read is told, and nothing else suffers", () => {
  const [bus, clock] = [new FakeBus(), new FakeClock()];
  const errors: unknown[] = [];
  using interests = new Interests(bus, {
    prefix: "h8s",
    clock,
    onError: (error) => errors.push(error),
  });
  bus.deliver(SUBJECT, RENDERED);
  bus.deliver(SUBJECT, RENDERED.slice(0, -1));
  bus.deliver(SUBJECT, "[]");
  assert.deepEqual([interests.size, errors.length], [1, 2]);
});

Deno.test("what one of several takes back stands until the others say it again, and no longer", async (t) => {
  const takeBack = "h8s.control.interest.unregister.com.e";
  const open = () => {
    const [bus, clock] = [new FakeBus(), new FakeClock()];
    const interests = new Interests(bus, { prefix: "h8s", clock, onError: () => {} });
    return { bus, clock, interests, count: () => interests.list().length };
  };
  await t.step("one alone", () => {
    const { bus, clock, interests, count } = open();
    for (let times = 0; times < 3; times++) {
      bus.deliver(SUBJECT, RENDERED);
      clock.advance(5000);
    }
    clock.advance(1000);
    bus.deliver(takeBack, RENDERED);
    assert.equal(count(), 0);
    interests[Symbol.dispose]();
  });
  await t.step("two, of which one leaves", () => {
    const { bus, clock, interests, count } = open();
    bus.deliver(SUBJECT, RENDERED);
    clock.advance(100);
    bus.deliver(SUBJECT, RENDERED);
    bus.deliver(takeBack, RENDERED);
    for (let times = 0; times < 3; times++) {
      clock.advance(5000);
      assert.equal(count(), 1);
      bus.deliver(SUBJECT, RENDERED);
    }
    interests[Symbol.dispose]();
  });
  await t.step("two that leave together", () => {
    const { bus, clock, interests, count } = open();
    for (const subject of [SUBJECT, SUBJECT, takeBack, takeBack]) bus.deliver(subject, RENDERED);
    clock.advance(5501);
    assert.equal(count(), 0);
    interests[Symbol.dispose]();
  });
});

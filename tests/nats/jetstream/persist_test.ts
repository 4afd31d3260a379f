import assert from "node:assert/strict";
import { Inbox, type Receiver, type Slot } from "../../../lib/nats/inbox.ts";
import { type Outcome, Persist } from "../../../lib/nats/jetstream/persist.ts";
import { FakeBus } from "../fake_bus.ts";
import { until } from "../../harness/waiting.ts";

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function setUp({ graceMs = 15_000, state = "connected" as "connected" | "disconnected" } = {}) {
  const stack = new DisposableStack();
  const bus = new FakeBus(state);
  const inbox = stack.use(new Inbox(bus, "g"));
  const outcomes: string[] = [];
  const repeats: string[] = [];
  const persist = stack.use(
    new Persist({
      bus,
      inbox,
      stream: "S",
      subjects: ["a.>"],
      graceMs: () => graceMs,
      onOutcome: ({ kind }) => outcomes.push(kind),
      onRepeat: (cause) => repeats.push(cause),
      onNobody: () => outcomes.push("nobody"),
    }),
  );
  const publish = (text: string) => {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const data = new TextEncoder().encode(text);
    persist.publish({ subject: "a.b", data, headers: new Uint8Array() }, resolve);
    return promise;
  };
  const answer = (text: string, index = -1) =>
    bus.deliver(bus.published.at(index)!.options.reply!, text);
  const sent = () => bus.published.map(({ data }) => decode(data));
  return {
    bus,
    persist,
    outcomes,
    repeats,
    publish,
    answer,
    sent,
    [Symbol.dispose]: () => stack.dispose(),
  };
}

Deno.test("a message is taken when the stream has it, and not before", async () => {
  using setup = setUp();
  const outcome = setup.publish("x");
  setup.answer("thanks, says a subscriber who saw it, too");
  assert.deepEqual(setup.outcomes, []);
  setup.answer('{"stream":"S","seq":7}');
  assert.deepEqual(await outcome, { kind: "stored", stream: "S", seq: 7, duplicate: false });
  assert.deepEqual(setup.outcomes, ["stored"]);
});

Deno.test("what the stream refuses is told at once, and not tried again", async () => {
  using setup = setUp();
  const outcome = setup.publish("x");
  setup.answer('{"error":{"code":503,"err_code":10077,"description":"full"}}');
  assert.deepEqual(await outcome, { kind: "refused", reason: "full" });
  setup.bus.setState("disconnected");
  setup.bus.setState("connected");
  assert.deepEqual(setup.sent(), ["x"]);
});

Deno.test("what was under way when NATS was lost is sent again, in order", async () => {
  using setup = setUp();
  const one = setup.publish("1");
  const two = setup.publish("2");
  setup.bus.setState("disconnected");
  const three = setup.publish("3");
  assert.deepEqual(setup.sent(), ["1", "2"]);
  setup.bus.setState("connected");
  assert.deepEqual(setup.sent(), ["1", "2", "1", "2", "3"]);
  assert.deepEqual(setup.repeats, ["reconnect", "reconnect"]);
  for (const index of [-3, -2, -1]) setup.answer('{"stream":"S","seq":1}', index);
  const kinds = (await Promise.all([one, two, three])).map(({ kind }) => kind);
  assert.deepEqual(kinds, ["stored", "stored", "stored"]);
});

Deno.test("what is sent again is sent as the system takes it, and what is new goes behind it", async () => {
  using setup = setUp({ state: "disconnected" });
  for (const text of ["1", "2", "3"]) void setup.publish(text);
  const { bus } = setup;
  const publish = bus.publish.bind(bus);
  bus.publish = (...message) => {
    bus.unsentBytes += 3 * 1024 * 1024;
    return publish(...message);
  };
  bus.setState("connected");
  assert.deepEqual(setup.sent(), ["1", "2"]);
  void setup.publish("4");
  assert.deepEqual(setup.sent(), ["1", "2"]);
  bus.unsentBytes = 0;
  await until(() => setup.sent().length === 4, "the rest is sent");
  assert.deepEqual(setup.sent(), ["1", "2", "3", "4"]);
});

Deno.test("where nobody answers it is tried again until the grace is over", async () => {
  using setup = setUp({ graceMs: 1200 });
  const outcome = setup.publish("x");
  setup.answer('{"error":{"code":503,"err_code":10008,"description":"no leader"}}');
  assert.equal((await outcome).kind, "unavailable");
  assert.deepEqual(setup.sent(), ["x", "x"]);
  assert.deepEqual(setup.outcomes, ["nobody", "unavailable"]);
});

Deno.test("a JetStream that has not answered for 5 s is asked again, and that is told", () => {
  const bus = new FakeBus();
  const deadlines: number[] = [];
  const receivers: Receiver[] = [];
  const repeats: string[] = [];
  const setDeadline = (timeoutMs: number) => void deadlines.push(timeoutMs);
  const slot: Slot = { id: "0", subject: "_INBOX.0", setDeadline, release: () => {} };
  using persist = new Persist({
    bus,
    inbox: { open: (receiver) => (receivers.push(receiver), slot) },
    stream: "S",
    subjects: ["a.>"],
    graceMs: () => 15_000,
    onOutcome: () => {},
    onRepeat: (cause) => repeats.push(cause),
  });
  const headers = new TextEncoder().encode("its id");
  persist.publish({ subject: "a.b", data: new Uint8Array(), headers }, () => {});
  assert.deepEqual(deadlines, [5000]);
  assert.deepEqual(repeats, []);
  receivers[0]!.onDeadline!();
  assert.deepEqual(repeats, ["late"]);
  assert.deepEqual(bus.published[0], bus.published[1]);
});

Deno.test("what is held while NATS is away is given up after the grace", async () => {
  using setup = setUp({ graceMs: 50, state: "disconnected" });
  assert.equal((await setup.publish("x")).kind, "unavailable");
  setup.bus.setState("connected");
  assert.deepEqual(setup.sent(), []);
});

Deno.test("settled() waits for all", async () => {
  using setup = setUp();
  await setup.persist.settled();
  setup.publish("x");
  let isSettled = false;
  const settled = setup.persist.settled().then(() => isSettled = true);
  await Promise.resolve();
  assert.equal(isSettled, false);
  setup.answer('{"stream":"S","seq":1}');
  await settled;
});

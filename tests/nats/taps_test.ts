import assert from "node:assert/strict";
import { encodeLatin1 } from "../../lib/mapping/latin1.ts";
import { parseTapReport, renderTapRequest, type TapReport } from "../../lib/mapping/tap.ts";
import type { Bus, PublishOptions } from "../../lib/nats/bus.ts";
import { Heads } from "../../lib/nats/asking/heads.ts";
import { Taps, type WatchedBus } from "../../lib/nats/taps.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { joinLines, toHeaderBlock, toHeaderLine } from "../../lib/mapping/headers.ts";

const EMPTY = new Uint8Array();
const BLOCK = toHeaderBlock(
  joinLines(toHeaderLine("Cookie", "a=s3cret"), toHeaderLine("Accept", "*/*")),
);

/** A gateway that publishes, and those who watch it. */
class Watched implements Disposable {
  readonly clock = new FakeClock();
  readonly reports: [to: string, report: TapReport][] = [];
  readonly bus: WatchedBus;
  readonly taps: Taps;
  readonly #subscriptions = new Map<string, Parameters<Bus["subscribe"]>[1]>();

  constructor() {
    const bus = this.bus = {
      onPublish: undefined as WatchedBus["onPublish"],
      publish: (subject: string, data: Uint8Array, options: PublishOptions = {}) => {
        bus.onPublish?.(subject, data, options);
        if (subject.startsWith("to.")) this.reports.push([subject, parseTapReport(data)]);
        this.#subscriptions.get(subject)?.({
          ...{ subject, data, reply: options.reply ?? "", headers: "" },
        });
        return true;
      },
      subscribe: (subject: string, onMessage: Parameters<Bus["subscribe"]>[1]) => {
        this.#subscriptions.set(subject, onMessage);
        return { unsubscribe: () => void this.#subscriptions.delete(subject) };
      },
    };
    this.taps = new Taps(bus, { prefix: "h8s", gatewayId: "G1", clock: this.clock });
  }

  ask(who: string, ...subjects: string[]): void {
    const data = new TextEncoder().encode(renderTapRequest(subjects));
    this.bus.publish("h8s.control.tap", data, { reply: `to.${who}` });
  }

  /** What has been shown since it was asked before. */
  told(who: string): TapReport[] {
    this.clock.advance(100);
    const own = this.reports.filter(([to]) => to === `to.${who}`).map(([, report]) => report);
    this.reports.length = 0;
    return own;
  }

  [Symbol.dispose](): void {
    this.taps[Symbol.dispose]();
    assert.equal(this.clock.waiting, 0);
    assert.equal(this.bus.onPublish, undefined);
  }
}

Deno.test("nothing is looked at while nobody watches", () => {
  using watched = new Watched();
  assert.equal(watched.bus.onPublish, undefined);
  watched.ask("ann", "h8s.http.>");
  assert.notEqual(watched.bus.onPublish, undefined);
  watched.ask("ann");
  assert.equal(watched.bus.onPublish, undefined);
  assert.equal(watched.clock.waiting, 0);
});

Deno.test("who watches is shown the heads of what is meant, secrets masked, and no payload", () => {
  using watched = new Watched();
  watched.ask("ann", "h8s.http.GET.>", "h8s.ws.ws.>");
  assert.deepEqual(watched.told("ann"), [{ gateway: "G1", heads: [], missed: 0 }]);
  const data = new TextEncoder().encode("s3cret");
  watched.bus.publish("h8s.http.GET.example.a", data, { headers: BLOCK });
  watched.bus.publish("h8s.http.POST.example.a", data, { headers: BLOCK });
  watched.bus.publish("h8s.ws.ws.example.a", data, { headers: encodeLatin1(BLOCK) });
  watched.bus.publish("h8s.ws.ws.example.b", data);
  const [{ heads, missed } = { heads: [], missed: 0 }, ...more] = watched.told("ann");
  const headers = [["Cookie", "•••"], ["Accept", "*/*"]];
  assert.deepEqual(heads.map(({ at: _, ...head }) => head), [
    { subject: "h8s.http.GET.example.a", headers, size: 6 },
    { subject: "h8s.ws.ws.example.a", headers, size: 6 },
    { subject: "h8s.ws.ws.example.b", headers: [], size: 6 },
  ]);
  assert.deepEqual([missed, more], [0, []]);
  assert.doesNotMatch(JSON.stringify(heads), /s3cret/);
});

Deno.test("what is shown of a flood is bounded, and the rest counted", () => {
  using watched = new Watched();
  watched.ask("ann", ">");
  watched.told("ann");
  for (let count = 0; count < 1000; count++) watched.bus.publish(`a.${count}`, EMPTY);
  const [report] = watched.told("ann");
  assert.deepEqual([report?.heads.length, report?.missed], [20, 980]);
  const lines = Array.from({ length: 200 }, (_, i) => toHeaderLine(`X-${i}`, "x".repeat(9000)));
  const huge = toHeaderBlock(joinLines(...lines));
  for (let count = 0; count < 100; count++) watched.bus.publish("a.b", EMPTY, { headers: huge });
  const [large] = watched.told("ann");
  assert.ok(JSON.stringify(large).length < 256 * 1024);
  assert.equal((large?.heads.length ?? 0) + (large?.missed ?? 0), 100);
});

Deno.test("what is shown is not itself watched", () => {
  using watched = new Watched();
  watched.ask("ann", ">");
  watched.ask("bob", "to.>");
  assert.deepEqual(watched.told("bob").flatMap(({ heads }) => heads), []);
  watched.bus.publish("a.b", EMPTY);
  assert.deepEqual(watched.told("bob").flatMap(({ heads }) => heads), []);
});

Deno.test("who is not heard of any more is shown nothing more", () => {
  using watched = new Watched();
  watched.ask("ann", "a.>");
  watched.clock.advance(14_000);
  watched.ask("ann", "a.>");
  watched.clock.advance(14_000);
  assert.notEqual(watched.bus.onPublish, undefined);
  watched.clock.advance(1_500);
  assert.equal(watched.bus.onPublish, undefined);
});

Deno.test("a question that cannot be read, and the seventeenth who watches, are told so", () => {
  using watched = new Watched();
  for (
    const bad of ["", "[]", "{}", '{"subjects":[1]}', '{"subjects":["a b"]}', '{"subjects":[""]}']
  ) {
    watched.bus.publish("h8s.control.tap", new TextEncoder().encode(bad), { reply: "to.bad" });
    assert.match(watched.told("bad")[0]?.refused ?? "", /^Cannot read what to watch/, bad);
  }
  const many = Array.from({ length: 17 }, () => "a");
  watched.ask("bad", ...many);
  assert.match(watched.told("bad")[0]?.refused ?? "", /at most 16 subjects/);
  for (let count = 0; count < 16; count++) watched.ask(`w${count}`, "a.>");
  watched.ask("late", "a.>");
  assert.deepEqual(watched.told("late").map(({ refused }) => refused), ["Too many watch already"]);
  watched.ask("w3");
  watched.ask("late", "a.>");
  assert.deepEqual(watched.told("late").map(({ refused }) => refused), [undefined]);
});

Deno.test("who asks says so again and again, and takes it back at the end", async () => {
  using watched = new Watched();
  const shown: string[] = [];
  const heads = new Heads(watched.bus, {
    ...{ prefix: "h8s", subjects: ["a.>"], clock: watched.clock },
    onReport: ({ heads }) => shown.push(...heads.map(({ subject }) => subject)),
  });
  assert.equal(await heads.begun, true);
  for (let count = 0; count < 10; count++) {
    watched.bus.publish(`a.${count}`, EMPTY);
    watched.clock.advance(5000);
  }
  assert.deepEqual(shown, Array.from({ length: 10 }, (_, count) => `a.${count}`));
  heads[Symbol.dispose]();
  assert.equal(watched.bus.onPublish, undefined);
});

import assert from "node:assert/strict";
import {
  isUp,
  type SessionPlace,
  type Step,
  toHearing,
  toPlace,
  toState,
} from "../../../lib/nats/client/place.ts";

type Servers = "old" | "new";

const OLD = "old";
const NEW = "new";
/** From one server to another, without a fault. */
const WAY: readonly Step<Servers>[] = [
  { type: "connect", link: OLD },
  { type: "leave", link: OLD },
  { type: "move", to: NEW },
  { type: "cross" },
  { type: "arrive" },
];

function follow(...steps: Step<Servers>[]): SessionPlace<Servers> {
  return steps.reduce<SessionPlace<Servers>>(toPlace, { name: "connecting" });
}

/** All places, each with what leads there. */
const PLACES = [
  follow(),
  ...WAY.map((_, index) => follow(...WAY.slice(0, index + 1))),
  follow({ type: "close" }),
];

Deno.test("toPlace() goes from one server to the other", () => {
  const table = PLACES.slice(0, -1).map((place) => [
    ...[place.name, place.link, toHearing(place), toState(place), isUp(place)],
  ]);
  assert.deepEqual(table, [
    ["connecting", undefined, undefined, "connecting", false],
    ["staying", OLD, OLD, "connected", true],
    ["leaving", OLD, OLD, "connected", true],
    ["moving", OLD, NEW, "connected", true],
    ["crossing", OLD, NEW, "connected", true],
    ["staying", NEW, NEW, "connected", true],
  ]);
});

Deno.test("toPlace() takes no step that does not fit", () => {
  const fitting: Record<string, string[]> = {
    connecting: ["connect"],
    staying: ["leave"],
    leaving: ["stay", "move"],
    moving: ["cross"],
    crossing: ["arrive"],
    closed: [],
  };
  for (const place of PLACES) {
    for (const step of [...WAY, { type: "stay" } as const]) {
      const fits = fitting[place.name]!.includes(step.type) &&
        (step.type !== "leave" || place.link === step.link);
      assert.equal(toPlace(place, step) !== place, fits, `${step.type} while ${place.name}`);
    }
  }
});

Deno.test("toPlace() closes for good, from everywhere", () => {
  for (const place of PLACES) {
    const closed = toPlace(place, { type: "close" });
    assert.deepEqual(closed, { name: "closed", link: place.link });
    assert.equal(toPlace(closed, { type: "up", link: OLD }), closed);
  }
});

Deno.test("toPlace() follows losses of both servers, and tells those of the one it speaks to", async (t) => {
  const down = (link: Servers) => ({ type: "down", link }) as const;
  const up = (link: Servers) => ({ type: "up", link }) as const;
  const arrival = WAY.slice(3);
  const table: [title: string, steps: Step<Servers>[], expected: string[]][] = [
    ["the only one", [...WAY.slice(0, 1), down(OLD)], ["disconnected", OLD]],
    ["and back", [...WAY.slice(0, 1), down(OLD), up(OLD)], ["connected", OLD]],
    ["the old one while moving", [...WAY.slice(0, 3), down(OLD)], ["disconnected", OLD]],
    ["then it arrives", [...WAY.slice(0, 3), down(OLD), ...arrival], ["connected", NEW]],
    ["the new one while moving", [...WAY.slice(0, 3), down(NEW)], ["connected", OLD]],
    ["then it arrives there", [...WAY.slice(0, 3), down(NEW), ...arrival], ["disconnected", NEW]],
    ["the one that was left", [...WAY, down(OLD)], ["connected", NEW]],
  ];
  for (const [title, steps, expected] of table) {
    await t.step(title, () => {
      const place = follow(...steps);
      assert.deepEqual([toState(place), place.link], expected);
    });
  }
});

Deno.test("toPlace() leaves a server once, and again after a look for another was in vain", () => {
  const leave: Step<Servers> = { type: "leave", link: OLD };
  const leaving = follow(...WAY.slice(0, 2));
  assert.equal(toPlace(leaving, leave), leaving);
  const back = toPlace(leaving, { type: "stay" });
  assert.equal(back.name, "staying");
  assert.equal(toPlace(back, leave).name, "leaving");
});

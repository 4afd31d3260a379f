import assert from "node:assert/strict";
import { Crowd } from "../lib/crowd.ts";

class Guest {
  seat: number | undefined;

  constructor(readonly name: string) {}
}

function namesOf(crowd: Crowd<Guest>): string[] {
  return [...crowd].map(({ name }) => name).sort();
}

Deno.test("a crowd knows who is there, however they come and go", () => {
  const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => new Guest(name)) as [
    Guest,
    Guest,
    Guest,
    Guest,
  ];
  const crowd = new Crowd<Guest>();
  for (const guest of [a, b, c]) crowd.add(guest);
  crowd.delete(b);
  assert.deepEqual(namesOf(crowd), ["a", "c"]);
  crowd.add(d);
  crowd.add(b);
  assert.deepEqual(namesOf(crowd), ["a", "b", "c", "d"]);
  assert.equal(crowd.size, 4);
});

Deno.test("who comes twice is there once, and who goes twice takes nobody along", () => {
  const [a, b] = [new Guest("a"), new Guest("b")];
  const crowd = new Crowd<Guest>();
  crowd.add(a);
  crowd.add(a);
  assert.equal(crowd.size, 1);
  crowd.delete(a);
  crowd.add(b);
  crowd.delete(a);
  assert.deepEqual(namesOf(crowd), ["b"]);
});

Deno.test("all are met of whom none goes, though others go meanwhile", () => {
  const crowd = new Crowd<Guest>();
  const guests = ["a", "b", "c", "d"].map((name) => new Guest(name));
  for (const guest of guests) crowd.add(guest);
  const met: string[] = [];
  for (const guest of crowd) {
    met.push(guest.name);
    crowd.delete(guest);
    if (guest.name === "a") crowd.delete(guests[2]!);
  }
  assert.deepEqual(met, ["a", "b", "d"]);
  assert.equal(crowd.size, 0);
});

Deno.test("a crowd does not grow by those who go", () => {
  const crowd = new Crowd<Guest>();
  for (let index = 0; index < 100; index++) {
    const guest = new Guest(String(index));
    crowd.add(guest);
    assert.equal(guest.seat, 0);
    crowd.delete(guest);
  }
});

Deno.test("a crowd that is cleared is empty, and lets in again who was there", () => {
  const crowd = new Crowd<Guest>();
  const guest = new Guest("a");
  crowd.add(guest);
  crowd.clear();
  assert.equal(crowd.size, 0);
  crowd.add(guest);
  assert.deepEqual(namesOf(crowd), ["a"]);
});

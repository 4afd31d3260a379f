import assert from "node:assert/strict";
import { CreditWindow } from "../../lib/nats/credit.ts";

Deno.test("take() waits for credit once the window is full", async () => {
  const window = new CreditWindow(100);
  await window.take(60);
  await window.take(40);
  let isTaken = false;
  const third = window.take(10).then(() => isTaken = true);
  window.grant(5);
  await Promise.resolve();
  assert.equal(isTaken, false);
  window.grant(5);
  await third;
});

Deno.test("take() lets one message go that is larger than the window", async () => {
  const window = new CreditWindow(100);
  await window.take(1000);
  let isTaken = false;
  const next = window.take(1).then(() => isTaken = true);
  window.grant(900);
  await Promise.resolve();
  assert.equal(isTaken, false);
  window.grant(100);
  await next;
});

Deno.test("grant() never makes the window larger than it is", async () => {
  const window = new CreditWindow(100);
  window.grant(1_000_000);
  await window.take(100);
  let isTaken = false;
  const next = window.take(1).then(() => isTaken = true);
  await Promise.resolve();
  assert.equal(isTaken, false);
  window.open();
  await next;
});

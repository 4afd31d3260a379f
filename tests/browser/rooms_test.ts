/**
 * The rooms as people have them: in a real browser, with everything between them and the worker.
 *
 * @module
 */
/// <reference lib="dom" />
import assert from "node:assert/strict";
import { jetstream } from "@nats-io/jetstream";
import { Client } from "../harness/websocket.ts";
import { browserTest, HOST } from "./chromium.ts";
import { PREFIX, World } from "./world.ts";

const HARMLESS = `<img src=x onerror="document.title='pwned'">`;

browserTest("two clients talk, and see each other", async () => {
  await using world = await World.start();
  const ada = await world.visit("tea");
  const bob = await world.visit("tea");
  await ada.rename("Ada");
  await bob.rename("Bob");
  await ada.sees("Ada", "Bob");
  await bob.sees("Bob", "Ada");
  await ada.say("Is somebody here?");
  await bob.hears("Is somebody here?");
  await bob.say("I am");
  await ada.hears("Is somebody here?", "I am");
  const authors = ada.page.locator("#messages .author bdi");
  assert.deepEqual(await authors.allTextContents(), ["Ada", "Bob"]);
  assert.deepEqual(await ada.page.locator(".own .text").allTextContents(), ["Is somebody here?"]);
});

browserTest("messages stay in their room", async () => {
  await using world = await World.start();
  const ada = await world.visit("tea");
  const bob = await world.visit("coffee");
  await ada.say("only tea");
  await ada.hears("only tea");
  await bob.say("only coffee");
  await bob.hears("only coffee");
});

browserTest("a late joiner sees the last hundred messages", async () => {
  await using world = await World.start();
  const texts = Array.from({ length: 105 }, (_, index) => `message ${index}`);
  await using client = await Client.connect(`ws://127.0.0.1:${world.port}/tea/anybody`);
  for (const text of texts) client.send(JSON.stringify({ id: crypto.randomUUID(), text }));
  const early = await world.visit("tea");
  await early.page.getByText("message 104").waitFor();
  const late = await world.visit("tea");
  await late.hears(...texts.slice(-100));
});

browserTest(
  "several tabs of a client count once, and a closed one is gone within a second",
  async () => {
    await using world = await World.start();
    const ada = await world.visit("tea");
    await ada.rename("Ada");
    const bob = await world.visit("tea");
    await bob.rename("Bob");
    const secondTab = await bob.openTab();
    await secondTab.sees("Bob", "Ada");
    await bob.page.close();
    await secondTab.rename("Bobby");
    await ada.sees("Ada", "Bobby");
    const begun = performance.now();
    await secondTab.page.close();
    await ada.sees("Ada");
    assert.ok(performance.now() - begun < 1000);
  },
);

browserTest("a reload keeps the identity and the name", async () => {
  await using world = await World.start();
  const ada = await world.visit("tea");
  await ada.rename("Ada");
  await ada.sees("Ada");
  await ada.say("before");
  await ada.hears("before");
  await ada.page.reload();
  await ada.isCaughtUp();
  await ada.hears("before");
  assert.equal(await ada.name(), "Ada");
  assert.equal(await ada.page.locator(".own").count(), 1);
  await ada.sees("Ada");
});

browserTest("markup in a message or a name stays text", async () => {
  await using world = await World.start();
  const ada = await world.visit("tea");
  const bob = await world.visit("tea");
  await bob.rename("Bob");
  await ada.sees(await ada.name(), "Bob");
  await ada.rename(HARMLESS.slice(0, 32));
  await bob.sees("Bob", HARMLESS.slice(0, 32));
  await ada.say(HARMLESS);
  await bob.hears(HARMLESS);
  for (const { page, violations } of [ada, bob]) {
    assert.equal(await page.locator("#messages img, #people img").count(), 0);
    assert.equal(await page.title(), "tea – Rooms");
    assert.deepEqual(violations, []);
  }
});

browserTest("a bad message is explained to its author and to nobody else", async () => {
  await using world = await World.start();
  const ada = await world.visit("tea");
  const bob = await world.visit("tea");
  await ada.page.locator("#text").evaluate((element) => element.removeAttribute("maxlength"));
  await ada.say("x".repeat(1001));
  const note = "Not sent. The message is 1001 characters long; at most 1000 fit.";
  await ada.page.getByText(note).waitFor();
  await ada.say("shorter");
  await bob.hears("shorter");
  await ada.page.locator("#name").evaluate((element) => element.removeAttribute("maxlength"));
  await ada.rename("x".repeat(33));
  await ada.page.getByText("The name is 33 characters long; at most 32 fit.").waitFor();
});

browserTest("nobody speaks as somebody else, whatever the path says", async () => {
  await using world = await World.start();
  const ada = await world.visit("tea");
  await ada.rename("Ada");
  const id = await ada.page.locator("body").getAttribute("data-client");
  await using forger = await Client.connect(`ws://127.0.0.1:${world.port}/tea/${id}`);
  forger.send(JSON.stringify({ id: crypto.randomUUID(), text: "I am Ada" }));
  await ada.hears("I am Ada");
  assert.notEqual(await ada.page.locator(".author bdi").textContent(), "Ada");
  assert.equal(await ada.page.locator(".own").count(), 0);
});

browserTest("a gateway that restarts loses and duplicates nothing", async () => {
  await using world = await World.start();
  await using other = await world.startGateway();
  const ada = await world.visit("tea");
  const bob = await world.visit("tea");
  const eve = await world.visit("tea", { port: other.address.port });
  await ada.say("one");
  await bob.hears("one");
  const startAgain = await world.stopGateway();
  await ada.page.getByText("Connection lost").waitFor();
  await eve.say("two, which Ada cannot hear");
  await eve.hears("one", "two, which Ada cannot hear");
  await ada.say("three, which nobody hears yet");
  await ada.page.getByText("Sending …").waitFor();
  await startAgain();
  const all = ["one", "two, which Ada cannot hear", "three, which nobody hears yet"];
  for (const visitor of [ada, bob, eve]) await visitor.hears(...all);
  await bob.say("four");
  for (const visitor of [ada, bob, eve]) await visitor.hears(...all, "four");
  assert.equal(await ada.page.getByRole("status").first().textContent(), "");
});

browserTest(
  "a worker that is killed loses nothing of what is said and posted meanwhile",
  async () => {
    await using world = await World.start();
    const ada = await world.visit("tea");
    const bob = await world.visit("tea");
    await ada.say("one");
    await bob.hears("one");
    const startAgain = await world.killWorker();
    await ada.say("two");
    await ada.say("three");
    await bob.rename("Bob");
    await bob.page.getByText("Saving …").waitFor();
    await startAgain();
    for (const visitor of [ada, bob]) await visitor.hears("one", "two", "three");
    await ada.sees(await ada.name(), "Bob");
    await bob.page.getByRole("dialog").waitFor({ state: "hidden" });
    await ada.say("four");
    for (const visitor of [ada, bob]) await visitor.hears("one", "two", "three", "four");
  },
);

browserTest("two workers share the work, and a page shows nothing twice", async () => {
  await using world = await World.start();
  await using _second = await world.startWorker();
  const ada = await world.visit("tea");
  const bob = await world.visit("tea");
  await ada.rename("Ada");
  await bob.rename("Bob");
  await ada.sees("Ada", "Bob");
  const texts = ["one", "two", "three", "four"];
  for (const text of texts) await ada.say(text);
  for (const visitor of [ada, bob]) await visitor.hears(...texts);
  const late = await world.visit("tea");
  await late.hears(...texts);
});

browserTest("NATS that restarts loses neither messages nor the users' stream", async () => {
  await using world = await World.start();
  const ada = await world.visit("tea");
  const bob = await world.visit("tea");
  await ada.say("one");
  await bob.hears("one");
  await world.restartNats();
  await ada.say("two");
  for (const visitor of [ada, bob]) await visitor.hears("one", "two");
  await bob.rename("Bob");
  await ada.sees(await ada.name(), "Bob");
});

browserTest("a page that was away for more than is kept is told so", async () => {
  await using world = await World.start();
  await using other = await world.startGateway();
  const ada = await world.visit("tea");
  await ada.say("before");
  await ada.hears("before");
  const startAgain = await world.stopGateway();
  await using client = await Client.connect(`ws://127.0.0.1:${other.address.port}/tea/anybody`);
  for (let index = 0; index < 1001; index++) {
    client.send(JSON.stringify({ id: crypto.randomUUID(), text: String(index) }));
  }
  const bob = await world.visit("tea", { port: other.address.port });
  await bob.page.getByText("1000", { exact: true }).waitFor();
  await startAgain();
  await ada.page.getByText("1000", { exact: true }).waitFor();
  const items = await ada.page.locator("#messages > li").allTextContents();
  assert.equal(items.length, 1 + 1 + 1000);
  assert.equal(items[1], "Some messages in between are no longer kept");
});

browserTest("what got lost between worker and page is noticed and fetched", async () => {
  await using world = await World.start();
  const ada = await world.visit("tea");
  await ada.say("one");
  await ada.hears("one");
  const nc = await world.connect();
  const message = {
    id: "12345678",
    from: { id: "e0e0", name: "Eve" },
    text: "two",
    at: new Date(),
  };
  // Kept as the worker keeps it, but told to nobody.
  await jetstream(nc).publish(`${PREFIX}.tea.log`, JSON.stringify(message));
  await nc.close();
  const bob = await world.visit("tea");
  for (const visitor of [ada, bob]) await visitor.hears("one", "two");
});

browserTest("a page that hears nothing for long takes a new connection", async () => {
  await using world = await World.start();
  const ada = await world.visit("tea");
  await ada.page.clock.install();
  await ada.page.reload();
  await ada.isCaughtUp();
  const startAgain = await world.killWorker();
  const replaced = ada.page.waitForEvent("websocket");
  await ada.page.clock.fastForward(36_000);
  await replaced;
  await ada.page.clock.fastForward(4000);
  await ada.page.getByText("The room does not answer yet").waitFor();
  await startAgain();
  await ada.say("one");
  await ada.hears("one");
});

browserTest("Enter sends, Shift+Enter begins a line", async () => {
  await using world = await World.start();
  const ada = await world.visit("tea");
  const { keyboard } = ada.page;
  await ada.page.getByRole("textbox", { name: "Message to tea" }).focus();
  await keyboard.type("first");
  await keyboard.press("Shift+Enter");
  await keyboard.type("second");
  await keyboard.press("Enter");
  await ada.hears("first\nsecond");
});

browserTest("a phone shows composer, messages and people without scrolling sideways", async () => {
  await using world = await World.start();
  const viewport = { width: 375, height: 812 };
  const ada = await world.visit("tea", { viewport, isMobile: true, hasTouch: true });
  await ada.say("a word that is too long: ".concat("x".repeat(200)));
  const { page } = ada;
  await page.locator("#messages .text").waitFor();
  await ada.sees(await ada.name());
  const visible = [
    page.getByRole("log", { name: "Messages" }),
    page.getByRole("textbox", { name: "Message to tea" }),
    page.getByRole("button", { name: "Send" }),
    page.getByRole("button", { name: "Change name" }),
    page.getByRole("listitem").filter({ hasText: await ada.name() }).first(),
  ];
  for (const locator of visible) {
    const { x, y, width, height } = (await locator.boundingBox())!;
    assert.ok(x >= 0 && x + width <= viewport.width, `${locator} is too wide`);
    assert.ok(y >= 0 && y + height <= viewport.height, `${locator} is too high`);
  }
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), viewport.width);
});

browserTest("the first page leads into a room, and a wrong name to a way out", async () => {
  await using world = await World.start();
  const { page } = await world.visit("tea");
  await page.getByRole("link", { name: "Rooms" }).click();
  await page.getByRole("textbox", { name: "Which room?" }).fill("Coffee Break");
  await page.getByRole("button", { name: "Enter" }).click();
  await page.waitForURL("**/coffee-break");
  await page.getByRole("heading", { name: "coffee-break" }).waitFor();
  const response = await page.goto(`http://${HOST}:${world.port}/no.room`);
  assert.equal(response?.status(), 404);
  await page.getByRole("link", { name: "Choose a room" }).waitFor();
  await using client = await Client.connect(`ws://127.0.0.1:${world.port}/no.room/anybody`);
  const { code, reason } = await client.closed;
  assert.deepEqual([code, reason], [1008, "there is no such room"]);
});

/**
 * The rooms as people have them: in a real browser, with everything between them and the worker. What breaks is in
 * rooms_faults_test.ts.
 *
 * @module
 */
/// <reference lib="dom" />
import assert from "node:assert/strict";
import { jetstream } from "@nats-io/jetstream";
import { Client } from "../harness/websocket.ts";
import { browserTests, HOST } from "./chromium.ts";
import { PREFIX, World } from "./world.ts";

const HARMLESS = `<img src=x onerror="document.title='pwned'">`;

// One world for all of them, and for each a room of its own.
browserTests("people talk in rooms", () => World.start(), {
  "two clients talk, and see each other": async (world) => {
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
  },
  "messages stay in their room": async (world) => {
    const ada = await world.visit("green-tea");
    const bob = await world.visit("coffee");
    await ada.say("only tea");
    await ada.hears("only tea");
    await bob.say("only coffee");
    await bob.hears("only coffee");
  },
  "a late joiner sees the last hundred messages": async (world) => {
    const texts = Array.from({ length: 105 }, (_, index) => `message ${index}`);
    await using client = await Client.connect(`ws://127.0.0.1:${world.port}/juice/anybody`);
    for (const text of texts) client.send(JSON.stringify({ id: crypto.randomUUID(), text }));
    const early = await world.visit("juice");
    await early.page.getByText("message 104").waitFor();
    const late = await world.visit("juice");
    await late.hears(...texts.slice(-100));
  },
  "several tabs of a client count once, and a closed one is gone within a second": async (
    world,
  ) => {
    const ada = await world.visit("milk");
    await ada.rename("Ada");
    const bob = await world.visit("milk");
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
  "a reload keeps the identity and the name": async (world) => {
    const ada = await world.visit("cocoa");
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
  },
  "markup in a message or a name stays text": async (world) => {
    const ada = await world.visit("cider");
    const bob = await world.visit("cider");
    await bob.rename("Bob");
    await ada.sees(await ada.name(), "Bob");
    await ada.rename(HARMLESS.slice(0, 32));
    await bob.sees("Bob", HARMLESS.slice(0, 32));
    await ada.say(HARMLESS);
    await bob.hears(HARMLESS);
    for (const { page, violations } of [ada, bob]) {
      assert.equal(await page.locator("#messages img, #people img").count(), 0);
      assert.equal(await page.title(), "cider – Rooms");
      assert.deepEqual(violations, []);
    }
  },
  "a bad message is explained to its author and to nobody else": async (world) => {
    const ada = await world.visit("mate");
    const bob = await world.visit("mate");
    await ada.page.locator("#text").evaluate((element) => element.removeAttribute("maxlength"));
    await ada.say("x".repeat(1001));
    const note = "Not sent. The message is 1001 characters long; at most 1000 fit.";
    await ada.page.getByText(note).waitFor();
    await ada.say("shorter");
    await bob.hears("shorter");
    await ada.page.locator("#name").evaluate((element) => element.removeAttribute("maxlength"));
    await ada.rename("x".repeat(33));
    await ada.page.getByText("The name is 33 characters long; at most 32 fit.").waitFor();
  },
  "nobody speaks as somebody else, whatever the path says": async (world) => {
    const ada = await world.visit("chai");
    await ada.rename("Ada");
    const id = await ada.page.locator("body").getAttribute("data-client");
    await using forger = await Client.connect(`ws://127.0.0.1:${world.port}/chai/${id}`);
    forger.send(JSON.stringify({ id: crypto.randomUUID(), text: "I am Ada" }));
    await ada.hears("I am Ada");
    assert.notEqual(await ada.page.locator(".author bdi").textContent(), "Ada");
    assert.equal(await ada.page.locator(".own").count(), 0);
  },
  "what got lost between worker and page is noticed and fetched": async (world) => {
    const ada = await world.visit("lassi");
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
    await jetstream(nc).publish(`${PREFIX}.lassi.log`, JSON.stringify(message));
    await nc.close();
    const bob = await world.visit("lassi");
    for (const visitor of [ada, bob]) await visitor.hears("one", "two");
  },
  "Enter sends, Shift+Enter begins a line": async (world) => {
    const ada = await world.visit("mocha");
    const { keyboard } = ada.page;
    await ada.page.getByRole("textbox", { name: "Message to mocha" }).focus();
    await keyboard.type("first");
    await keyboard.press("Shift+Enter");
    await keyboard.type("second");
    await keyboard.press("Enter");
    await ada.hears("first\nsecond");
  },
  "a phone shows composer, messages and people without scrolling sideways": async (world) => {
    const viewport = { width: 375, height: 812 };
    const ada = await world.visit("punch", { viewport, isMobile: true, hasTouch: true });
    await ada.say("a word that is too long: ".concat("x".repeat(200)));
    const { page } = ada;
    await page.locator("#messages .text").waitFor();
    await ada.sees(await ada.name());
    const visible = [
      page.getByRole("log", { name: "Messages" }),
      page.getByRole("textbox", { name: "Message to punch" }),
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
  },
  "the first page leads into a room, and a wrong name to a way out": async (world) => {
    const { page } = await world.visit("latte");
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
  },
});

/**
 * The rooms when something between people breaks.
 *
 * @module
 */
/// <reference lib="dom" />
import assert from "node:assert/strict";
import { Client } from "../harness/websocket.ts";
import { browserTests, launch } from "./chromium.ts";
import { World } from "./world.ts";

browserTests("rooms outlive what breaks", launch, {
  "a gateway that restarts loses and duplicates nothing": async (browser) => {
    await using world = await World.start(browser);
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
  },
  "a worker that is killed loses nothing of what is said and posted meanwhile": async (browser) => {
    await using world = await World.start(browser);
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
  "two workers share the work, and a page shows nothing twice": async (browser) => {
    await using world = await World.start(browser);
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
  },
  "NATS that restarts loses neither messages nor the users' stream": async (browser) => {
    await using world = await World.start(browser);
    const ada = await world.visit("tea");
    const bob = await world.visit("tea");
    await ada.say("one");
    await bob.hears("one");
    await world.restartNats();
    await ada.say("two");
    for (const visitor of [ada, bob]) await visitor.hears("one", "two");
    await bob.rename("Bob");
    await ada.sees(await ada.name(), "Bob");
  },
  "a page that was away for more than is kept is told so": async (browser) => {
    await using world = await World.start(browser);
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
  },
  "a page that hears nothing for long takes a new connection": async (browser) => {
    await using world = await World.start(browser);
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
  },
});

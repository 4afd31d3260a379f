/// <reference lib="dom" />
import assert from "node:assert/strict";
import { servePage } from "../../examples/tab/start.ts";
import { startGateway } from "../../lib/mod.ts";
import { freePort } from "../harness/free_port.ts";
import { startNats } from "../harness/nats_server.ts";
import { Client } from "../harness/websocket.ts";
import { browserTest, launch } from "./chromium.ts";

browserTest("a tab answers requests and WebSockets, until it is closed", async () => {
  await using stack = new AsyncDisposableStack();
  const websocketPort = freePort();
  const config = `websocket { listen: "127.0.0.1:${websocketPort}", no_tls: true }`;
  const nats = stack.use(await startNats({ jetstream: false, config }));
  const gateway = stack.use(
    startGateway({
      listen: "127.0.0.1:0",
      natsUrl: [nats.url],
      requestTimeout: "2s",
      logLevel: "error",
    }),
  );
  await gateway.connected;
  const server = stack.use(await servePage(0));
  const browser = stack.adopt(await launch(), (browser) => browser.close());
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on("pageerror", ({ message }) => errors.push(message));
  const address = `http://127.0.0.1:${server.addr.port}/tab.html`;
  await page.goto(`${address}?nats=ws://127.0.0.1:${websocketPort}`);
  await page.waitForFunction(() => document.title === "Serving");

  const url = `http://127.0.0.1:${gateway.address.port}`;
  const response = await fetch(`${url}/anything`);
  assert.equal(await response.text(), "Hello from a tab");
  assert.match(response.headers.get("x-answered-by")!, /Chrome/);
  // Larger than a NATS message, both ways.
  const long = "é".repeat(600_000);
  await page.locator("#answer").fill(long);
  const posted = await fetch(`${url}/upload`, { method: "POST", body: long });
  assert.ok(await posted.text() === long);
  await page.getByText("POST /upload, 1200000 bytes").waitFor();

  await page.locator("#answer").fill("the tab");
  await using client = await Client.connect(`${url.replace("http", "ws")}/chat`);
  client.send("hello?");
  assert.equal(await client.next(), "the tab: hello?");
  assert.deepEqual(errors, []);

  await page.close();
  // A request that is on its way to a tab that has just gone has nobody to answer it.
  for (let status = 0; status !== 503;) {
    const response = await fetch(`${url}/anything`);
    status = response.status;
    assert.match(await response.text(), /no_responders|timeout/);
  }
});

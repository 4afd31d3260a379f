/**
 * The client library in pages of Chromium against the real gateway, while everything between them breaks.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Browser } from "playwright-core";
import { bundle, stop } from "../client/bundle.ts";
import type { travel } from "../client/real/journey.js";
import { outliveAll, type Traveller } from "../client/real/outlive.ts";
import { renew } from "../client/real/renew.ts";
import { browserTest, launch } from "./chromium.ts";

const JOURNEY = new URL("../client/real/journey.js", import.meta.url);

browserTest("a client in a page outlives all that breaks", async (t) => {
  await using pages = await Pages.start();
  await outliveAll(t, pages.travel);
});

browserTest("a client in a page renews a token that expires, and misses nothing", async () => {
  await using pages = await Pages.start();
  await renew(pages.travel);
});

/** A browser, and a server with a page that has the library. */
class Pages implements AsyncDisposable {
  readonly #browser: Browser;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  private constructor(browser: Browser, scripts: Readonly<Record<string, string>>) {
    this.#browser = browser;
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
      const script = scripts[new URL(url).pathname];
      return script === undefined
        ? new Response("<!doctype html><title>A page</title>", toType("text/html"))
        : new Response(script, toType("text/javascript"));
    });
  }

  static async start(): Promise<Pages> {
    const { text } = await bundle(true);
    await stop();
    const scripts = { "/client.js": text, "/journey.js": await Deno.readTextFile(JOURNEY) };
    return new Pages(await launch(), scripts);
  }

  /** In a page of its own. */
  readonly travel: Traveller = async (way) => {
    const page = await this.#browser.newPage();
    await page.goto(`http://127.0.0.1:${this.#server.addr.port}/`);
    return await page.evaluate(async ({ way, client, journey }) => {
      const { connect } = await import(client);
      const { travel } = await import(journey);
      return await travel(connect, way) as ReturnType<typeof travel>;
    }, { way, client: "/client.js", journey: "/journey.js" });
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await this.#server.shutdown();
  }
}

function toType(type: string): ResponseInit {
  return { headers: { "content-type": type } };
}

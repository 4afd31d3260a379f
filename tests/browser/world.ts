/**
 * The rooms with people in them: nats-server, gateways, the worker in its own process, and browsers.
 *
 * @module
 */
/// <reference lib="dom" />
import assert from "node:assert/strict";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { GATEWAY_OPTIONS } from "../../examples/rooms/gateway_options.ts";
import { WorkerProcess } from "../../examples/rooms/worker_process.ts";
import { type Gateway, startGateway } from "../../lib/mod.ts";
import { type NatsServer, startNats } from "../harness/nats_server.ts";
import { HOST, launch } from "./chromium.ts";

/** The first tokens of every subject. */
export const PREFIX = "test-rooms";
/** How long something may take that must happen, in milliseconds. */
const PATIENCE_MS = 15_000;

interface Parts {
  /** Where NATS keeps its streams. */
  readonly store: string;
  readonly browser: Browser;
  /** The same, where nobody else uses it. */
  readonly ownBrowser: Browser | undefined;
  readonly nats: NatsServer;
  readonly worker: WorkerProcess;
  readonly gateway: Gateway;
}

/** All of it, ended together. */
export class World implements AsyncDisposable {
  readonly #store: string;
  readonly #browser: Browser;
  readonly #ownBrowser: Browser | undefined;
  /** Of whoever is there. */
  readonly #contexts: BrowserContext[] = [];
  #nats: NatsServer;
  #worker: WorkerProcess;
  #gateway: Gateway;

  private constructor({ store, browser, ownBrowser, nats, worker, gateway }: Parts) {
    this.#store = store;
    this.#browser = browser;
    this.#ownBrowser = ownBrowser;
    this.#nats = nats;
    this.#worker = worker;
    this.#gateway = gateway;
  }

  /**
   * Starts it.
   *
   * @param shared A browser that others use, too; one of its own without.
   */
  static async start(shared?: Browser): Promise<World> {
    await using stack = new AsyncDisposableStack();
    const store = stack.adopt(await Deno.makeTempDir({ prefix: "h8s-rooms-" }), removeDirectory);
    const nats = stack.use(await startNats({ storeDir: store }));
    const gateway = stack.use(await startRoomsGateway(nats, 0));
    const worker = stack.use(await WorkerProcess.start(nats.url, PREFIX));
    const ownBrowser = shared === undefined ? stack.use(await launch()) : undefined;
    stack.move();
    const browser = shared ?? ownBrowser!;
    return new World({ store, nats, gateway, worker, browser, ownBrowser });
  }

  /** Where clients come in. */
  get port(): number {
    return this.#gateway.address.port;
  }

  /** Another gateway on the same NATS. */
  startGateway(): Promise<Gateway> {
    return startRoomsGateway(this.#nats, 0);
  }

  /** Another worker on the same NATS. */
  startWorker(): Promise<WorkerProcess> {
    return WorkerProcess.start(this.#nats.url, PREFIX);
  }

  /**
   * Stops the gateway.
   *
   * @returns Starts one on the same port.
   */
  async stopGateway(): Promise<() => Promise<void>> {
    const { port } = this;
    await this.#gateway.stop();
    return async () => {
      this.#gateway = await startRoomsGateway(this.#nats, port);
    };
  }

  /** Kills nats-server and starts it again on the same store and port. */
  async restartNats(): Promise<void> {
    const { port } = this.#nats;
    await this.#nats[Symbol.asyncDispose]();
    this.#nats = await startNats({ port, storeDir: this.#store });
  }

  /** Connects to NATS, to do what else only the worker does. */
  connect(): Promise<NatsConnection> {
    return connect({ servers: this.#nats.url });
  }

  /**
   * Ends the worker in the middle of whatever it does.
   *
   * @returns Starts another one.
   */
  async killWorker(): Promise<() => Promise<void>> {
    await this.#worker.kill();
    return async () => {
      this.#worker = await this.startWorker();
    };
  }

  /**
   * Somebody opens a room in a browser of their own.
   *
   * @param room Which room.
   * @param options The window, and `port` for another gateway.
   * @returns Them, when they have heard what was said before.
   */
  async visit(
    room: string,
    { port = this.port, ...options }: BrowserContextOptions & { port?: number } = {},
  ): Promise<Visitor> {
    const context = await this.#browser.newContext(options);
    this.#contexts.push(context);
    return Visitor.enter(context, `http://${HOST}:${port}/${room}`);
  }

  /** Everybody leaves. */
  async tidy(): Promise<void> {
    await Promise.all(this.#contexts.splice(0).map((context) => context.close()));
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await using stack = new AsyncDisposableStack();
    stack.adopt(this.#store, removeDirectory);
    stack.use(this.#nats);
    stack.use(this.#gateway);
    stack.use(this.#worker);
    await this.tidy();
    await this.#ownBrowser?.close();
  }
}

/** Somebody in front of a page. */
export class Visitor {
  readonly #context: BrowserContext;
  readonly #url: string;
  /** What they look at. */
  readonly page: Page;
  /** What the browser refused because of the Content-Security-Policy. */
  readonly violations: string[] = [];

  private constructor(context: BrowserContext, page: Page, url: string) {
    this.#context = context;
    this.#url = url;
    this.page = page;
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) this.violations.push(message.text());
    });
  }

  /** Opens the room. */
  static async enter(context: BrowserContext, url: string): Promise<Visitor> {
    const visitor = new Visitor(context, await context.newPage(), url);
    await visitor.page.goto(url);
    await visitor.isCaughtUp();
    return visitor;
  }

  /** Opens the room in another tab. */
  openTab(): Promise<Visitor> {
    return Visitor.enter(this.#context, this.#url);
  }

  /** Waits until the past has been told. */
  async isCaughtUp(): Promise<void> {
    await this.page.locator('#log[aria-busy="false"]').waitFor();
  }

  /** Says something; does not wait until it is heard. */
  async say(text: string): Promise<void> {
    const composer = this.page.getByRole("textbox", { name: /^Message to/ });
    await composer.fill(text);
    await composer.press("Enter");
  }

  /** Asks for another name; does not wait for the answer. */
  async rename(name: string): Promise<void> {
    await this.page.getByRole("button", { name: "Change name" }).click();
    await this.page.getByRole("textbox", { name: "Name" }).fill(name);
    await this.page.getByRole("button", { name: "Save" }).click();
  }

  /** What the others call them. */
  async name(): Promise<string> {
    return await this.page.locator("#you").textContent() ?? "";
  }

  /** Waits until exactly these messages are there, in this order, and none on its way. */
  async hears(...texts: string[]): Promise<void> {
    await this.#shows("#messages .text", texts);
    await this.#shows("#messages .sending .text", []);
  }

  /** Waits until exactly these people are here; oneself first, then by name. */
  async sees(...names: string[]): Promise<void> {
    await this.#shows("#people bdi", names);
  }

  async #shows(selector: string, texts: string[]): Promise<void> {
    try {
      await this.page.waitForFunction(
        ([selector, json]) => {
          const elements = [...document.querySelectorAll(selector!)];
          return JSON.stringify(elements.map(({ textContent }) => textContent)) === json;
        },
        [selector, JSON.stringify(texts)],
      );
    } catch (error) {
      assert.deepEqual(await this.page.locator(selector).allTextContents(), texts);
      throw error;
    }
  }
}

async function startRoomsGateway({ url }: NatsServer, port: number): Promise<Gateway> {
  const gateway = startGateway({
    ...GATEWAY_OPTIONS,
    listen: `127.0.0.1:${port}`,
    natsUrl: [url],
    prefix: PREFIX,
    logLevel: "error",
  });
  await gateway.connected;
  return gateway;
}

function removeDirectory(path: string): Promise<void> {
  return Deno.remove(path, { recursive: true });
}

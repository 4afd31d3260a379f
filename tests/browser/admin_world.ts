/**
 * A gateway with workloads and the admin page in a browser.
 *
 * @module
 */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { connect, type NatsConnection } from "@nats-io/transport";
import { type Gateway, type GatewayOptions, startGateway } from "../../lib/mod.ts";
import { startNats } from "../harness/nats_server.ts";
import { answer, natsHeaders } from "../harness/setup.ts";

/** Opens the page where a test says so. */
export const KEY = "correct-horse-battery";
/** Lets clients in where a route asks. */
const CLIENT_KEY = "sesame";

/** A client's WebSocket. */
export interface Client {
  readonly socket: WebSocket;
  readonly closed: Promise<CloseEvent>;
}

/** All that a test of the page needs. */
export class AdminWorld implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #gateway: Gateway;
  /** Of the workloads. */
  readonly nc: NatsConnection;
  readonly page: Page;
  /** What the browser said of the page: refused by its policy, thrown, not found. */
  readonly complaints: string[] = [];

  private constructor(
    stack: AsyncDisposableStack,
    { gateway, nc, page }: { gateway: Gateway; nc: NatsConnection; page: Page },
  ) {
    this.#stack = stack;
    this.nc = nc;
    this.#gateway = gateway;
    this.page = page;
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(this.url)) this.complaints.push(request.url());
    });
  }

  /**
   * Starts all of it.
   *
   * @param browser Whoever started it closes it.
   * @param options Of the gateway.
   * @param look How the browser looks at the page.
   * @returns It, with the page still empty.
   */
  static async open(
    browser: Browser,
    options: GatewayOptions = {},
    look: BrowserContextOptions = {},
  ): Promise<AdminWorld> {
    const stack = new AsyncDisposableStack();
    const nats = stack.use(await startNats({ jetstream: false }));
    const nc = stack.adopt(await connect({ servers: nats.url }), (nc) => nc.close());
    await answer(nc, "h8s.http.GET.127.0.0.1.cart.>", () => ({
      data: "ok",
      headers: natsHeaders(["Content-Length", "2"]),
    }));
    nc.subscribe("h8s.ws.ws.>", { callback: () => {} });
    await nc.flush();
    const gateway = stack.use(startGateway({
      ...{ listen: "127.0.0.1:0", admin: "127.0.0.1:0", natsUrl: [nats.url], logLevel: "error" },
      hostFilters: ["127.0.0.1"],
      auth: "none",
      authorizationKey: [CLIENT_KEY],
      routes: [{ match: { host: "127.0.0.1", path: "/cart/:id", upgrade: "http" }, auth: "key" }],
      ...options,
    }));
    await gateway.connected;
    const interest = { host: "127.0.0.1", path: "/cart", match: "prefix", method: "GET" };
    const register = () =>
      nc.publish("h8s.control.interest.register.127.0.0.1", JSON.stringify(interest));
    // Again and again, as workloads do: the first one may come before it is listened to.
    const timer = setInterval(register, 200);
    stack.defer(() => clearInterval(timer));
    const context = stack.use(await browser.newContext(look));
    const page = await context.newPage();
    return new AdminWorld(stack, { gateway, nc, page });
  }

  /** Of the page, without a slash at its end. */
  get url(): string {
    return `http://127.0.0.1:${this.#gateway.adminAddress!.port}`;
  }

  /** Asks the gateway as a client does; what comes back does not matter. */
  async ask(path: string, headers: Record<string, string> = {}): Promise<void> {
    const own = { authorization: `Bearer ${CLIENT_KEY}`, ...headers };
    const url = `http://127.0.0.1:${this.#gateway.address.port}${path}`;
    await (await fetch(url, { headers: own })).body?.cancel();
  }

  /** Opens a WebSocket as a client does. */
  async connect(path: string): Promise<Client> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.#gateway.address.port}${path}`);
    const opened = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<CloseEvent>();
    socket.onopen = () => opened.resolve();
    socket.onclose = (event) => closed.resolve(event);
    await opened.promise;
    this.#stack.defer(async () => {
      socket.close();
      await closed.promise;
    });
    return { socket, closed: closed.promise };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

/**
 * A router for NATS subjects: handlers under patterns, middleware before them, and a way to feed
 * it from a subscription or a JetStream consumer.
 *
 * @module
 */
import { type Handler, type RouterHeaders, type RouterMessage, runChain } from "./chain.ts";
import type { Listening, ListenOptions } from "./listen.ts";
import { listenTo } from "./listener.ts";
import {
  assertHandler,
  type MetadataValue,
  type RouteComparison,
  type RouteInput,
  type RouterOptions,
  type SubjectRoute,
  toComparison,
  toRoutes,
} from "./routes.ts";
import type { MessageSource, SourceFor } from "./source.ts";
import { SubjectTrie } from "./subject_trie.ts";

export type { Handler, Next, NextData, RouterHeaders, RouterMessage } from "./chain.ts";
export { UnmatchedSubjectError } from "./listen.ts";
export type { ListenFailure, Listening, ListenOptions, Settlement } from "./listen.ts";
export { InvalidHandlerError } from "./routes.ts";
export type {
  HandlersInput,
  HandlersPayload,
  MetadataValue,
  RouteInput,
  RouteMetadata,
  RouterOptions,
  RouteSort,
  SortStrategy,
} from "./routes.ts";
export type {
  CoreMessage,
  CoreSource,
  JetStreamMessage,
  JetStreamSource,
  MessageSource,
  NatsHeaders,
  RespondOptions,
  SourceFor,
  SourceMessage,
} from "./source.ts";
export { InvalidPatternError } from "./subject_trie.ts";

/**
 * Sends a message to the handlers whose pattern fits its subject.
 *
 * All matching handlers form a chain: the first runs, and each runs the next one by calling `next`.
 * They share one context object per message.
 *
 * @typeParam Data What handlers find in `msg.data`; `Uint8Array` for a router that only listens.
 * @typeParam Ctx The context's shape; what is not there from the start is optional.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Router } from "./mod.ts";
 *
 * const router = new Router<{ id: number }>();
 * router.add("order.>", (_msg, ctx) => ({ ...ctx, seen: true }));
 * router.add("order.*.new", (msg, _ctx, next) => next({ orderId: msg.data.id }));
 *
 * const ctx = await router.handle("order.eu.new", { id: 7 });
 * assert.deepEqual(ctx, { orderId: 7, seen: true });
 * ```
 */
export class Router<Data = unknown, Ctx extends object = Record<string, unknown>> {
  readonly #trie = new SubjectTrie<SubjectRoute<Data, Ctx>>();
  readonly #middleware: Handler<Data, Ctx>[] = [];
  readonly #compare: RouteComparison;
  #count = 0;

  /**
   * Makes a router without routes.
   *
   * @param options In which order the matches of a subject run.
   * @throws {TypeError} when the strategy is unknown, or `"custom"` without `customSort`.
   */
  constructor(options: RouterOptions = {}) {
    this.#compare = toComparison(options);
  }

  /**
   * Adds handlers for the subjects that a pattern fits. Nothing is added when it throws.
   *
   * @param pattern Tokens joined by dots; `*` stands for one token, `>` at the end for one or more.
   * @param handlers A handler, handlers with metadata, or a list of these.
   * @param metadata For a custom sort. Wins over metadata that comes with the handlers.
   * @returns This router.
   * @throws {InvalidPatternError} when the pattern is empty, has an empty token or white space, has
   * a wildcard inside a token, or has `>` before the end.
   * @throws {InvalidHandlerError} when there is no handler, or something else in its place.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { Router } from "./mod.ts";
   *
   * const router = new Router();
   * router.add("order.*", [
   *   (_msg, _ctx, next) => next({ first: 1 }),
   *   (_msg, _ctx, next) => next({ second: 2 }),
   * ]);
   * assert.deepEqual(await router.handle("order.new", "hello"), { first: 1, second: 2 });
   * ```
   */
  add(
    pattern: string,
    handlers: RouteInput<Data, Ctx>,
    metadata: Readonly<Record<string, MetadataValue>> = {},
  ): this {
    const routes = toRoutes(pattern, handlers, { metadata, insertOrder: this.#count });
    for (const route of routes) this.#trie.add(pattern, route);
    this.#count += routes.length;
    return this;
  }

  /**
   * Adds a handler that runs for every subject, before the matches, in the order of `use`.
   *
   * @param middleware It runs the rest by calling `next`, and can keep a message by not doing so.
   * @returns This router.
   * @throws {InvalidHandlerError} when it is not a function.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { Router } from "./mod.ts";
   *
   * const log: string[] = [];
   * const router = new Router();
   * router.use(async (msg, _ctx, next) => {
   *   log.push(`> ${msg.subject}`);
   *   const result = await next();
   *   log.push(`< ${msg.subject}`);
   *   return result;
   * });
   * router.add("order.new", () => void log.push("handled"));
   * await router.handle("order.new", undefined);
   * assert.deepEqual(log, ["> order.new", "handled", "< order.new"]);
   * ```
   */
  use(middleware: Handler<Data, Ctx>): this {
    assertHandler("use", middleware);
    this.#middleware.push(middleware);
    return this;
  }

  /**
   * Finds the handlers for a subject.
   *
   * @param subject A subject as NATS delivers it.
   * @returns The very functions that were added, in the order in which they run; no middleware.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { Router } from "./mod.ts";
   *
   * function wide(): void {}
   * function narrow(): void {}
   * const router = new Router().add("order.>", wide).add("order.new", narrow);
   * assert.deepEqual(router.match("order.new"), [narrow, wide]);
   * ```
   */
  match(subject: string): Handler<Data, Ctx>[] {
    const routes = this.#trie.match(subject);
    if (routes.length > 1) routes.sort(this.#compare);
    return routes.flatMap(({ payload }) => payload.handlers);
  }

  /**
   * Runs the middleware and the matching handlers for a message.
   *
   * @param subject A subject as NATS delivers it.
   * @param message What the handlers get as `msg.data`.
   * @param ctx What the context starts with; it is copied, so that messages may share it.
   * @param headers What the handlers get as `msg.headers`.
   * @returns The first handler's result, or the context when it has none. When nothing matches and
   * there is no middleware: `ctx`, unchanged.
   * @throws {Error} what a handler throws.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { Router } from "./mod.ts";
   *
   * const router = new Router<string>();
   * router.add("order.new", (msg, ctx) => ({ text: `${ctx.greeting} ${msg.data}` }));
   * const result = await router.handle("order.new", "world", { greeting: "hello" });
   * assert.deepEqual(result, { text: "hello world" });
   * ```
   */
  async handle(
    subject: string,
    message: Data,
    ctx: Ctx = {} as Ctx,
    headers: RouterHeaders = {},
  ): Promise<Ctx> {
    const handlers = [...this.#middleware, ...this.match(subject)];
    if (handlers.length === 0) return ctx;
    const context = { ...ctx };
    return await runChain({ handlers, message: { subject, data: message, headers }, context });
  }

  /**
   * Routes what a subscription or a JetStream consumer delivers; `msg.data` is the payload.
   *
   * JetStream gets an ack after the handlers, a nak with a delay when one of them throws, and a
   * termination when it throws the `maxDeliver`-th time. A message that nothing matches is
   * terminated. Every failure is told to `onError`.
   *
   * @param source A subscription without callback, or the messages of a consumer.
   * @param options Limits, and the hook for errors.
   * @returns The handle that stops it.
   * @throws {RangeError} when an option is out of its range.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { type CoreSource, Router } from "./mod.ts";
   *
   * const router = new Router<Uint8Array>();
   * router.add("greet.*", (msg) => void msg.respond?.(`hello ${msg.subject.split(".")[1]}`));
   *
   * // Stands in for `connection.subscribe("greet.>")`.
   * const answers: unknown[] = [];
   * const source: CoreSource = {
   *   async *[Symbol.asyncIterator]() {
   *     yield {
   *       subject: "greet.world",
   *       data: new Uint8Array(),
   *       respond: (answer) => answers.push(answer) > 0,
   *       json: () => JSON.parse(""),
   *       string: () => "",
   *     };
   *   },
   *   drain: () => Promise.resolve(),
   *   isClosed: () => true,
   * };
   * await using listening = router.listen(source);
   * await listening.finished;
   * assert.deepEqual(answers, ["hello world"]);
   * ```
   */
  listen(
    source: SourceFor<Data>,
    options: ListenOptions = {},
  ): Listening {
    // SourceFor let only a router come here whose Data includes Uint8Array.
    return listenTo(
      source as MessageSource,
      (message) => this.#route(message as RouterMessage<Data>),
      options,
    );
  }

  /** Resolves to false when nothing matched and the middleware, if any, let the message through. */
  async #route(message: RouterMessage<Data>): Promise<boolean> {
    const matches = this.match(message.subject);
    let isTaken = true;
    await runChain({
      handlers: [...this.#middleware, ...matches],
      message,
      context: {} as Ctx,
      onEnd: () => isTaken = matches.length > 0,
    });
    return isTaken;
  }
}

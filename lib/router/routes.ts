/**
 * What can be added to a router under a pattern, and in which order the matches run.
 *
 * @module
 */
import type { Handler } from "./chain.ts";
import { parsePattern, toSpecificity } from "./subject_trie.ts";

/** What metadata may hold. */
export type MetadataValue = string | number | boolean | null;

/** What the caller said about a route, and what the router knows of it. */
export interface RouteMetadata {
  /** The pattern that the route was added with. */
  readonly _pattern: string;
  /** Counts all that was added to the router, from 0. */
  readonly _insertOrder: number;
  /** What the caller gave to `add`. */
  readonly [key: string]: MetadataValue;
}

/** Handlers that are sorted as one, as a custom sort sees them. */
export interface HandlersPayload {
  /** They run in this order. Of any router's type, hence not to be called. */
  readonly handlers: readonly ((...args: never[]) => unknown)[];
  /** What to sort by. */
  readonly metadata: RouteMetadata;
}

/** Handlers with metadata of their own, as `add` takes them. */
export interface HandlersInput<Data = unknown, Ctx extends object = Record<string, unknown>> {
  /** One or more; they run in this order. */
  readonly handlers: readonly Handler<Data, Ctx>[];
  /** For a custom sort. */
  readonly metadata?: Readonly<Record<string, MetadataValue>>;
}

/** What `add` takes: a handler, handlers with metadata, or a list of these. */
export type RouteInput<Data = unknown, Ctx extends object = Record<string, unknown>> =
  | Handler<Data, Ctx>
  | HandlersInput<Data, Ctx>
  | readonly (Handler<Data, Ctx> | HandlersInput<Data, Ctx>)[];

/** Compares two routes: negative when `a` runs first. */
export type RouteSort = (a: HandlersPayload, b: HandlersPayload) => number;

/**
 * How the matches of a subject are ordered: the more specific pattern first, in the order in which
 * they were added, or by a function of one's own.
 */
export type SortStrategy = "specificity" | "insertion" | "custom";

/** How a router orders the matches of a subject. */
export interface RouterOptions {
  /**
   * What decides which of the matches runs first.
   *
   * @default "specificity"
   */
  readonly sortStrategy?: SortStrategy;
  /** Required with, and only read with, `sortStrategy: "custom"`. */
  readonly customSort?: RouteSort;
}

/** A payload and its place in the default order. */
export interface Ranked {
  readonly payload: HandlersPayload;
  readonly specificity: number;
}

/** A payload of which the types of the handlers are known. */
export interface SubjectRoute<Data, Ctx extends object> extends Ranked {
  readonly payload: HandlersPayload & { readonly handlers: readonly Handler<Data, Ctx>[] };
}

/** Compares two routes: negative when `a` runs first. */
export type RouteComparison = (a: Ranked, b: Ranked) => number;

/**
 * Something was added to a router that is not a handler.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { InvalidHandlerError } from "./routes.ts";
 *
 * const error = new InvalidHandlerError("order.new", "null is not a function");
 * assert.equal(error.name, "InvalidHandlerError");
 * assert.equal(error.target, "order.new");
 * ```
 */
export class InvalidHandlerError extends TypeError {
  /** Always `"InvalidHandlerError"`. */
  override readonly name = "InvalidHandlerError";

  /**
   * Makes the error.
   *
   * @param target What it was meant for: a pattern, or `"use"` for middleware.
   * @param reason What is wrong with it.
   */
  constructor(readonly target: string, readonly reason: string) {
    super(`Cannot add a handler for ${JSON.stringify(target)}: Invalid handler, ${reason}`);
  }
}

/** What {@link toRoutes} needs besides the pattern and the handlers. */
export interface RouteContext {
  readonly metadata: Readonly<Record<string, MetadataValue>>;
  /** The `_insertOrder` of the first route. */
  readonly insertOrder: number;
}

/**
 * Turns what `add` was given into routes, one per handler or payload.
 *
 * @param pattern The pattern, also that of the error text.
 * @param input What to run for it.
 * @param context The metadata for all of them, and where to start to count.
 * @returns At least one route.
 * @throws {InvalidPatternError} when the pattern is not one.
 * @throws {InvalidHandlerError} when there is no handler, or something else in its place.
 */
export function toRoutes<Data, Ctx extends object>(
  pattern: string,
  input: RouteInput<Data, Ctx>,
  context: RouteContext,
): SubjectRoute<Data, Ctx>[] {
  const specificity = toSpecificity(parsePattern(pattern));
  const items: readonly unknown[] = Array.isArray(input) ? input : [input];
  if (items.length === 0) throw new InvalidHandlerError(pattern, "the list is empty");
  return items.map((item, index) => {
    const { handlers, metadata } = toHandlers<Data, Ctx>(pattern, item);
    const _insertOrder = context.insertOrder + index;
    const merged = { ...metadata, ...context.metadata, _pattern: pattern, _insertOrder };
    return { specificity, payload: { handlers, metadata: merged } };
  });
}

/**
 * Chooses the comparison for a sort strategy. Every one falls back to the order of insertion.
 *
 * @param options The router's options.
 * @returns A function for `Array.prototype.sort`.
 * @throws {TypeError} when the strategy is unknown, or `"custom"` without `customSort`.
 */
export function toComparison(
  { sortStrategy = "specificity", customSort }: RouterOptions,
): RouteComparison {
  switch (sortStrategy) {
    case "specificity":
      return (a, b) => b.specificity - a.specificity || compareInsertion(a, b);
    case "insertion":
      return compareInsertion;
    case "custom":
      if (typeof customSort !== "function") {
        throw new TypeError('Cannot sort routes: sortStrategy "custom" needs customSort');
      }
      return (a, b) => customSort(a.payload, b.payload) || compareInsertion(a, b);
    default:
      throw new TypeError(
        `Cannot sort routes: sortStrategy ${
          JSON.stringify(sortStrategy satisfies never)
        } is unknown`,
      );
  }
}

function compareInsertion(a: Ranked, b: Ranked): number {
  return a.payload.metadata._insertOrder - b.payload.metadata._insertOrder;
}

function toHandlers<Data, Ctx extends object>(
  pattern: string,
  item: unknown,
): HandlersInput<Data, Ctx> {
  if (isHandler<Data, Ctx>(item)) return { handlers: [item] };
  if (typeof item !== "object" || item === null || !("handlers" in item)) {
    throw new InvalidHandlerError(
      pattern,
      `${describe(item)} is neither a function nor an object with handlers`,
    );
  }
  if (!Array.isArray(item.handlers) || item.handlers.length === 0) {
    throw new InvalidHandlerError(pattern, "handlers is not a list of functions");
  }
  for (const handler of item.handlers) assertHandler(pattern, handler);
  // Copied, so that a later change of the caller's list does not change the router.
  return { ...(item as HandlersInput<Data, Ctx>), handlers: [...item.handlers] };
}

/**
 * Makes sure that something is a handler.
 *
 * @param target What it is meant for, for the error text.
 * @param value What was given.
 * @throws {InvalidHandlerError} when it is not a function.
 */
export function assertHandler(target: string, value: unknown): void {
  if (!isHandler(value)) {
    throw new InvalidHandlerError(target, `${describe(value)} is not a function`);
  }
}

function isHandler<Data, Ctx extends object>(value: unknown): value is Handler<Data, Ctx> {
  return typeof value === "function";
}

function describe(value: unknown): string {
  return value === null
    ? "null"
    : Array.isArray(value)
    ? "a list"
    : `a value of type ${typeof value}`;
}

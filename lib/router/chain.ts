/**
 * What a handler is, and how several of them run one after the other for one message.
 *
 * @module
 */
import type { CoreMessage, NatsHeaders, SourceMessage } from "./source.ts";

/**
 * The headers of a message: those of NATS, or an empty object. Hence every method is optional:
 * `msg.headers.get?.("Content-Type")`.
 */
export type RouterHeaders = Partial<NatsHeaders>;

/** What a handler gets to see of a message. */
export interface RouterMessage<Data = unknown> {
  /** The subject that the message was sent to. */
  readonly subject: string;
  /** What was given to `handle`; the payload's bytes when it came through `listen`. */
  readonly data: Data;
  /** The headers, or an empty object. */
  readonly headers: RouterHeaders;
  /** The message as the NATS client gave it, when it came through `listen`. */
  readonly source?: SourceMessage;
  /**
   * Answers a request that came through `listen` on a core subscription; returns false when the
   * sender wants no answer. Undefined otherwise.
   */
  readonly respond?: CoreMessage["respond"];
}

/** What may be given to {@link Next}. A function is called with the context. */
export type NextData<Ctx> =
  | object
  | string
  | number
  | boolean
  | bigint
  | null
  | undefined
  | ((ctx: Ctx) => unknown);

/**
 * Merges `data` into the context, runs the rest of the chain, and resolves to the next handler's
 * result, or to the context when it has none.
 *
 * An object's own properties go into the context; a scalar, an array or bytes become `_lastData`;
 * a function is called with the context, awaited, and its result treated likewise. Nothing runs
 * twice: a second call gives the first one's promise.
 */
export type Next<Ctx> = (data?: NextData<Ctx>) => Promise<Ctx>;

/**
 * Handles a message; middleware has the same form. One that does not call `next` ends the chain.
 */
export type Handler<Data = unknown, Ctx extends object = Record<string, unknown>> = (
  msg: RouterMessage<Data>,
  ctx: Ctx,
  next: Next<Ctx>,
) => Ctx | void | Promise<Ctx | void>;

/** One message on its way through its handlers. */
export interface Chain<Data, Ctx extends object> {
  readonly handlers: readonly Handler<Data, Ctx>[];
  readonly message: RouterMessage<Data>;
  /** Belongs to this message: `next` writes to it. */
  readonly context: Ctx;
  /** Called when the last handler called `next`. */
  readonly onEnd?: () => void;
}

/**
 * Runs the handlers of a chain, each when the one before calls `next`.
 *
 * @param chain The handlers and what they get.
 * @param index The handler to start with.
 * @returns That handler's result, or the context when it has none.
 * @throws {Error} what a handler throws and no handler before it catches.
 */
export async function runChain<Data, Ctx extends object>(
  chain: Chain<Data, Ctx>,
  index = 0,
): Promise<Ctx> {
  const { handlers, message, context } = chain;
  const handler = handlers[index];
  if (handler === undefined) {
    chain.onEnd?.();
    return context;
  }
  const state = { isTaken: false, hasReturned: false };
  let rest: Promise<Ctx> | undefined;
  const next: Next<Ctx> = (data) => {
    if (state.hasReturned && rest === undefined) return Promise.reject(tooLate(message.subject));
    const run = async () => {
      await mergeInto(context, data);
      return runChain(chain, index + 1);
    };
    return rest ??= watch(run(), () => state.isTaken = true);
  };
  try {
    const result = await handler(message, context, next);
    // A forgotten `await`: without this, the message would count as done while it is still
    // being handled, and an error further down would end the process.
    if (!state.isTaken) await rest;
    return result ?? context;
  } finally {
    state.hasReturned = true;
  }
}

/** The same promise, and it is told when it is awaited, returned or given handlers. */
function watch<T>(promise: Promise<T>, onTaken: () => void): Promise<T> {
  // The handler may look at it later; until then a failure is not an unhandled one.
  promise.catch(() => {});
  const take = () => {
    onTaken();
    return promise;
  };
  return {
    then: (onFulfilled, onRejected) => take().then(onFulfilled, onRejected),
    catch: (onRejected) => take().catch(onRejected),
    finally: (onFinally) => take().finally(onFinally),
    [Symbol.toStringTag]: "Promise",
  };
}

async function mergeInto<Ctx extends object>(context: Ctx, data: NextData<Ctx>): Promise<void> {
  const value: unknown = typeof data === "function" ? await data(context) : data;
  if (value === context) return;
  switch (typeof value) {
    case "object":
      if (value !== null) defineOn(context, isList(value) ? { _lastData: value } : value);
      return;
    case "string":
    case "number":
    case "boolean":
    case "bigint":
      defineOn(context, { _lastData: value });
  }
}

/** Not `Object.assign`: a payload with a key `__proto__` would change the context's prototype. */
function defineOn(context: object, properties: object): void {
  Object.defineProperties(context, Object.getOwnPropertyDescriptors({ ...properties }));
}

function isList(value: object): boolean {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

function tooLate(subject: string): Error {
  return new Error(
    `Cannot run the next handler of ${JSON.stringify(subject)}: the handler has already returned`,
  );
}

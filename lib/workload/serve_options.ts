/**
 * What `serve` is told: options, their defaults, and what of them is refused.
 *
 * @module
 */
import { isSubjectPrefix, toMethodToken } from "../mapping/subject.ts";
import { type ServedHost, type ServedPath, toServedHost, toServedPath } from "../mapping/served.ts";
import { type Clock, systemClock } from "../time/clock.ts";
import type { SocketHandlers } from "./socket/socket_handlers.ts";

const TOKENS = "literal tokens joined by dots, at most 128 characters";

/**
 * Where an error comes from.
 *
 * - `subscribe`: NATS refuses a subscription or ended it.
 * - `request`: a message that is no request.
 * - `handler`: the handler threw, or returned something else than a response. The client has a 500.
 * - `body`: the response's body failed on its way. The client sees a broken transfer.
 * - `reply`: the response could not be published, or NATS was lost in the middle of it.
 * - `open`, `message`, `close`: the handler of a WebSocket threw.
 * - `overflow`: a connection sends faster than its handler takes; it was closed with 1013.
 * - `registry`: a message about connections that cannot be read.
 * - `stop`: something was left undone when stopping.
 */
export type ServeStage =
  | "subscribe"
  | "request"
  | "handler"
  | "body"
  | "reply"
  | "open"
  | "message"
  | "close"
  | "overflow"
  | "registry"
  | "stop";

/** Told of everything that goes wrong. */
export type ServeErrorHook = (error: unknown, stage: ServeStage) => void;

/** How to serve. */
export interface ServeOptions {
  /**
   * The hosts that are served: names or IP addresses; a port does not count. `"*"` for any host, where
   * no other workload serves one of its own.
   */
  readonly host: string | readonly string[];
  /**
   * Only this path and what is below it. A path as in a URL; a final `/*` adds nothing.
   *
   * @default "/"
   */
  readonly path?: string;
  /**
   * `"exact"` for the path alone, without what is below it.
   *
   * @default "prefix"
   */
  readonly match?: "prefix" | "exact";
  /**
   * Only these methods; `[]` for none, where only WebSockets are served. With `GET`, `HEAD` is answered,
   * too: as a `GET` whose body is dropped (RFC 9110 §9.3.2). `OPTIONS` is answered with `Allow`. Name
   * either one to have the handler get it.
   *
   * @default any method
   */
  readonly methods?: readonly string[];
  /**
   * The queue group: of all workloads with the same one, one gets a request. The host is appended, so
   * that a request never goes to a member that does not serve its host. Deployments with different
   * queues each get, and answer, every request.
   *
   * @default "h8s", hence `h8s.com.example` for `example.com`
   */
  readonly queue?: string;
  /**
   * How many requests are in the handler at a time. A response's body that is still being sent does
   * not count, nor do WebSockets.
   *
   * @default 256
   */
  readonly concurrency?: number;
  /**
   * How many requests wait for their turn, in order. One more, and the client gets a 503 with
   * `Retry-After`.
   *
   * @default 1024
   */
  readonly maxWaiting?: number;
  /**
   * Handlers for the WebSockets of these hosts: one object for all paths that are served, or one per
   * path. `"/chat"` is that path alone, `"/rooms/*"` the path and everything below it.
   *
   * @default none
   */
  readonly websocket?: SocketHandlers | Readonly<Record<`/${string}`, SocketHandlers>>;
  /**
   * How long `stop` waits for what runs, in milliseconds. What is not done then is aborted.
   *
   * @default 10000
   */
  readonly drainTimeoutMs?: number;
  /**
   * The first tokens of every subject, as the gateway has them.
   *
   * @default "h8s"
   */
  readonly prefix?: string;
  /**
   * Told of everything that goes wrong.
   *
   * @default writes to `console.error`
   */
  readonly onError?: ServeErrorHook;
  /**
   * The time, for tests.
   *
   * @default the machine's
   */
  readonly clock?: Clock;
}

/** A path whose WebSockets are served. */
export interface SocketRoute {
  readonly path: ServedPath;
  readonly handlers: SocketHandlers;
}

/** {@link ServeOptions}, checked and complete. */
export interface ServeSettings {
  readonly hosts: readonly ServedHost[];
  readonly path: ServedPath;
  /** Those that are answered; undefined for any. */
  readonly methods: readonly string[] | undefined;
  /** What the handler gets for a `HEAD`. */
  readonly headMethod: "GET" | "HEAD";
  /** What `OPTIONS` is answered; undefined where the handler does that. */
  readonly allow: string | undefined;
  readonly queue: string;
  readonly concurrency: number;
  readonly maxWaiting: number;
  readonly sockets: readonly SocketRoute[];
  readonly drainTimeoutMs: number;
  readonly prefix: string;
  readonly onError: ServeErrorHook;
  readonly clock: Clock;
}

/**
 * Checks the options and fills in the defaults.
 *
 * @param options What the caller wants.
 * @returns All of it.
 * @throws {TypeError} when a host, a method, a path or another option is none.
 * @throws {RangeError} when a number is out of its range.
 */
export function toServeSettings(options: ServeOptions): ServeSettings {
  const { queue = "h8s", concurrency = 256, maxWaiting = 1024, drainTimeoutMs = 10_000 } = options;
  const { prefix = "h8s", onError = logError, clock = systemClock() } = options;
  const hosts = [options.host].flat();
  if (hosts.length === 0) throw new TypeError("Cannot serve: no host is given");
  if (!isSubjectPrefix(prefix)) throw refuse("prefix", prefix, TOKENS);
  if (!isSubjectPrefix(queue)) throw refuse("queue", queue, TOKENS);
  assertWhole("concurrency", concurrency, 1);
  assertWhole("maxWaiting", maxWaiting, 0);
  assertWhole("drainTimeoutMs", drainTimeoutMs, 0);
  const path = toServedPath(options.path ?? "/", options.match ?? "prefix");
  return {
    hosts: hosts.map(toServedHost),
    path,
    ...toMethods(options.methods?.map(toMethod)),
    queue,
    concurrency,
    maxWaiting,
    sockets: toSocketRoutes(options.websocket, path),
    drainTimeoutMs,
    prefix,
    onError: guard(onError),
    clock,
  };
}

function toSocketRoutes(
  websocket: ServeOptions["websocket"],
  path: ServedPath,
): readonly SocketRoute[] {
  if (websocket === undefined) return [];
  if (isSocketHandlers(websocket)) return [{ path, handlers: websocket }];
  return Object.entries(websocket).map(([path, handlers]) => {
    if (!isSocketHandlers(handlers)) {
      throw new TypeError(`Cannot serve WebSockets on ${JSON.stringify(path)}: no handlers`);
    }
    return { path: toServedPath(path, "exact"), handlers };
  });
}

function isSocketHandlers(value: object): value is SocketHandlers {
  const { open, message, close } = value as Record<string, unknown>;
  return [open, message, close].some((handler) => typeof handler === "function");
}

function toMethods(
  own: readonly string[] | undefined,
): Pick<ServeSettings, "methods" | "headMethod" | "allow"> {
  const isOwn = (method: string) => own === undefined || own.includes(method);
  if (own === undefined || own.length === 0) {
    return { methods: own, headMethod: "HEAD", allow: undefined };
  }
  const isHeadImplied = isOwn("GET") && !isOwn("HEAD");
  const methods = new Set([...own, ...(isHeadImplied ? ["HEAD"] : []), "OPTIONS"]);
  return {
    methods: [...methods],
    headMethod: isHeadImplied ? "GET" : "HEAD",
    allow: isOwn("OPTIONS") ? undefined : [...methods].join(", "),
  };
}

function toMethod(method: string): string {
  try {
    return toMethodToken(method);
  } catch (cause) {
    throw new TypeError(`Cannot serve the method ${JSON.stringify(method)}`, { cause });
  }
}

function assertWhole(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new RangeError(
    `Cannot serve: ${name} must be a whole number of at least ${least}, not "${value}"`,
  );
}

function refuse(name: string, value: string, expected: string): TypeError {
  return new TypeError(`Cannot serve: ${name} must be ${expected}, not ${JSON.stringify(value)}`);
}

/** A hook that throws must not end what it was told about. */
function guard(onError: ServeErrorHook): ServeErrorHook {
  return (error, stage) => {
    try {
      onError(error, stage);
    } catch (thrown) {
      console.error(`serve: onError threw in the ${stage} stage:`, toMessage(thrown));
    }
  };
}

/** Nor may one that cannot be printed, which may be why. */
function toMessage(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.stack) : String(thrown);
  } catch {
    return "something without a text";
  }
}

function logError(error: unknown, stage: ServeStage): void {
  console.error(`serve: the ${stage} stage failed:`, error);
}

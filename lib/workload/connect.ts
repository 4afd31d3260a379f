/**
 * Connecting to NATS, for a process that is to outlive it.
 *
 * @module
 */
import {
  type ConnectionOptions,
  errors,
  type NatsConnection,
  nuid,
  type Status,
  wsconnect,
} from "@nats-io/nats-core";
import { backoff, hasWsProtocol } from "@nats-io/nats-core/internal";
import { parseLogin, splitNatsUrl } from "../mapping/nats_url.ts";
import { FastLane } from "../nats/client/fast_lane.ts";
import { MAX_PINGS_OUT, PING_INTERVAL_MS, RETRY_DELAYS_MS } from "../nats/client/pace.ts";
import { pause } from "../time/within.ts";

/** One line for as many failed attempts: about a minute. */
const ATTEMPTS_PER_LINE = 30;

/** What a workload wants of its connection: what the NATS client takes, with other defaults. */
export interface ConnectOptions extends ConnectionOptions {
  /**
   * Told of what happens to the connection, in words.
   *
   * @default `console.error`
   */
  readonly log?: (line: string) => void;
}

/**
 * Connects to NATS, and stays so: waits for a server that is not there yet, comes back however long one is
 * away, notices one that hangs within seconds, and says what happens.
 *
 * Over TCP and TLS in Deno and Node; over WebSockets where a server is `ws://` or `wss://`, in browsers, too.
 * A login may stand in the URL. What is served over such a connection costs less, and is not in its `stats()`: it goes
 * past the NATS client on the same socket.
 *
 * @param options What differs: `servers`, a login, anything that the NATS client takes.
 * @returns The connection, once there is one.
 * @throws {Error} when an option cannot be used; with `waitOnFirstConnect: false` also when no server is there.
 *
 * @example
 * ```ts ignore
 * import { connect, serve } from "@h8s/gateway/workload";
 *
 * const nc = await connect({ servers: "nats://127.0.0.1:4222", name: "hello" });
 * await serve(nc, { host: "example.com" }, () => new Response("hello")).finished;
 * ```
 */
export async function connect(options: ConnectOptions = {}): Promise<NatsConnection> {
  const { log = (line: string) => console.error(line), ...rest } = options;
  const wanted = toConnectionOptions(rest);
  const delays = backoff(RETRY_DELAYS_MS);
  for (let attempt = 1;; attempt++) {
    try {
      const connection = await dialAny({ ...wanted, waitOnFirstConnect: false });
      log(`connected to NATS at ${connection.getServer()}`);
      void tell(connection, log);
      return connection;
    } catch (error) {
      if (!wanted.waitOnFirstConnect || error instanceof errors.InvalidArgumentError) throw error;
      if (attempt % ATTEMPTS_PER_LINE === 1) log(toFailure(error));
      await pause(delays.backoff(attempt - 1));
    }
  }
}

function toConnectionOptions({ servers = [], ...rest }: ConnectionOptions): ConnectionOptions {
  const parts = [servers].flat().map(splitNatsUrl);
  const login = parts.find(({ login }) => login !== undefined)?.login;
  return {
    name: `h8s-workload-${nuid.next()}`,
    maxReconnectAttempts: -1,
    waitOnFirstConnect: true,
    ignoreAuthErrorAbort: true,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: MAX_PINGS_OUT,
    ...(login === undefined ? {} : parseLogin(login)),
    ...rest,
    ...(parts.length === 0 ? {} : { servers: parts.map(({ address }) => address) }),
  };
}

/** A page has no sockets, need not load what opens them, and may not say whom to trust. */
async function dialAny(options: ConnectionOptions): Promise<NatsConnection> {
  if (hasWsProtocol(options) && !options.tls) return await wsconnect(options);
  const { dial } = await loadDial();
  return await dial(options, new FastLane({ isOn: true })) as NatsConnection;
}

async function loadDial(): Promise<typeof import("../nats/client/dial.ts")> {
  const message =
    "Cannot connect: a page has no sockets, expected a server that is ws:// or wss://, and no tls";
  try {
    const module = await import("../nats/client/dial.ts");
    // What a bundler leaves for a page is empty.
    if ("dial" in module) return module;
  } catch (cause) {
    throw new errors.InvalidArgumentError(message, { cause });
  }
  throw new errors.InvalidArgumentError(message);
}

/** Until the connection ends. */
async function tell(connection: NatsConnection, log: (line: string) => void): Promise<void> {
  for await (const status of connection.status()) {
    const line = toLine(status);
    if (line !== undefined) log(line);
  }
  const error = await connection.closed();
  if (error instanceof Error) log(`the connection to NATS has ended for good: ${error.message}`);
}

function toLine(status: Status): string | undefined {
  switch (status.type) {
    case "disconnect":
      return `NATS is away: ${status.server}; trying again`;
    case "reconnect":
      return `connected to NATS at ${status.server} again`;
    case "error":
      return toFailure(status.error);
    default:
      return undefined;
  }
}

function toFailure(error: unknown): string {
  const { message } = error as Error;
  return error instanceof errors.AuthorizationError
    ? `NATS refuses the login: ${message}`
    : `NATS: ${message}`;
}

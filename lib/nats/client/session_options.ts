/**
 * What a session is told.
 *
 * @module
 */
import type { ConnectionOptions } from "@nats-io/nats-core";
import { backoff } from "@nats-io/nats-core/internal";
import { INBOX } from "../../mapping/names.ts";
import type { Login } from "./login.ts";
import { MAX_PINGS_OUT, PING_INTERVAL_MS, RETRY_DELAYS_MS } from "./pace.ts";
import type { OnSessionFault } from "./wire.ts";

/** How long a server may take to answer. */
const CONNECT_TIMEOUT_MS = 5000;

/** How to reach NATS, and whom to tell what. */
export interface NatsSessionOptions {
  /** Where it is, and who one is there. */
  readonly login: Login;
  /** The connection's name in NATS monitoring. */
  readonly name: string;
  /**
   * Where replies to the client library's own requests go: within what one may subscribe to.
   *
   * @default "_INBOX.h8s"
   */
  readonly inboxPrefix?: string;
  /**
   * Whether messages pass by the client library, which costs less.
   *
   * @default true
   */
  readonly fastLane?: boolean;
  /**
   * Called when another server was gone to, since the present one is about to stop. Without it there is
   * no such move, for who hands `Session.connection` out for long: it becomes another one.
   */
  readonly onMove?: (server: string) => void;
  /** Called for each attempt at the first connection that failed. */
  readonly onRetry: (error: Error, attempt: number) => void;
  /** Called for what goes wrong later, e.g. a missing permission. */
  readonly onError: (error: Error) => void;
  /** Called for what those throw who are told something, and should not. @default onError */
  readonly onFault?: OnSessionFault;
}

/** How the client library is to connect: once, and then again for ever. */
export function toConnectionOptions(
  { login, name, inboxPrefix = INBOX }: Pick<
    NatsSessionOptions,
    "login" | "name" | "inboxPrefix"
  >,
  servers: string[],
): ConnectionOptions {
  const delays = backoff(RETRY_DELAYS_MS);
  return {
    ...login,
    servers,
    name,
    inboxPrefix,
    timeout: CONNECT_TIMEOUT_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: MAX_PINGS_OUT,
    maxReconnectAttempts: -1,
    reconnectDelayHandler: () => delays.backoff(1),
    ignoreAuthErrorAbort: true,
  };
}

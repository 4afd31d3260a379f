/**
 * What a session is told.
 *
 * @module
 */
import type { Login } from "./login.ts";

/** How to reach NATS, and whom to tell what. */
export interface SessionOptions {
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
}

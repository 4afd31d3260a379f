/**
 * What a client can be told.
 *
 * @module
 */
import type { Advice } from "../mapping/close.ts";
import type { End } from "./state.ts";

/** How a client behaves; all durations in milliseconds. */
export interface ClientOptions {
  /**
   * Whether `send()` waits until a stream has the message (`h8s.ack.v1`): true for must, false for must not; a
   * gateway that cannot do it refuses a client that must.
   *
   * @default where the gateway can
   */
  readonly ack?: boolean;
  /**
   * Whether what is sent to the client waits for it while it is away (`h8s.resume.v1`): true for must, false for
   * must not.
   *
   * @default where the gateway can
   */
  readonly resume?: boolean;
  /** The workload's own subprotocols, instead of the gateway's: nothing is acknowledged, and nothing waits. */
  readonly protocols?: readonly string[];
  /**
   * What the client shows (`bearer.<token>`): asked for before the first handshake, after the old one has expired
   * (4401), and after a handshake that failed, since browsers do not say why. Null ends the client; what it throws
   * counts as a failed attempt.
   *
   * @default none is shown
   */
  readonly token?: () => string | null | Promise<string | null>;
  /** Ends the client when it is aborted. */
  readonly signal?: AbortSignal;
  /**
   * The longest first pause before a new attempt; each failure doubles it. A pause is anything up to that, by
   * chance.
   *
   * @default 1000
   */
  readonly retryMs?: number;
  /**
   * The longest pause.
   *
   * @default 30_000
   */
  readonly maxRetryMs?: number;
  /**
   * How long a handshake may take.
   *
   * @default 10_000
   */
  readonly connectMs?: number;
  /**
   * After how much silence the client asks whether the gateway is still there; 0 for never, as for servers that
   * are no h8s gateway.
   *
   * @default 25_000
   */
  readonly pingMs?: number;
  /**
   * How long the answer may take.
   *
   * @default 10_000
   */
  readonly pongMs?: number;
  /**
   * How many messages may wait to be sent or acknowledged; one more is rejected.
   *
   * @default 1000
   */
  readonly maxHeld?: number;
  /**
   * How many bytes of them.
   *
   * @default 1_048_576
   */
  readonly maxHeldBytes?: number;
  /**
   * How many messages may be under way without an acknowledgement. 1 keeps their order in the stream even where
   * JetStream fails in between.
   *
   * @default 64
   */
  readonly maxInFlight?: number;
  /**
   * For how long after it was sent first a message that was not acknowledged is said again: while the stream
   * recognises it (`--persist-dupe-window`, 2 minutes). After that it is rejected as `unknown`. `Infinity` sends
   * rather twice than never.
   *
   * @default 110_000
   */
  readonly resendMs?: number;
  /**
   * How many messages a `for await` may be behind; past it the loop throws.
   *
   * @default 10_000
   */
  readonly maxUnread?: number;
  /**
   * What to do after a close, where the workload's own codes (3000 and above) mean more than "stop".
   *
   * @default what the table of docs/protocol.md says
   */
  readonly advise?: (end: End) => Advice | undefined;
  /**
   * The class to connect with.
   *
   * @default globalThis.WebSocket
   */
  readonly WebSocket?: typeof WebSocket;
}

type WithoutDefault = "ack" | "resume" | "protocols" | "token" | "signal" | "advise" | "WebSocket";

/** With all that has a default. */
export type Settings =
  & Pick<ClientOptions, WithoutDefault>
  & Required<Omit<ClientOptions, WithoutDefault>>;

/** Fills the defaults in. */
export function toSettings(options: ClientOptions): Settings {
  return {
    retryMs: 1000,
    maxRetryMs: 30_000,
    connectMs: 10_000,
    pingMs: 25_000,
    pongMs: 10_000,
    maxHeld: 1000,
    maxHeldBytes: 1_048_576,
    maxInFlight: 64,
    resendMs: 110_000,
    maxUnread: 10_000,
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
  };
}

/**
 * Which gateways live.
 *
 * @module
 */
import {
  fromHeartbeatSubject,
  HEARTBEAT_INTERVAL_MS,
  toHeartbeatPattern,
} from "../mapping/heartbeat.ts";
import type { BusMessage } from "./bus.ts";
import { type Clock, repeat } from "../time/clock.ts";

/** How often silence is looked for, in milliseconds: what it may be noticed late by. */
const SWEEP_INTERVAL_MS = 500;
/** Who has not heard itself for so long does not hear others either. */
const DEAF_MS = HEARTBEAT_INTERVAL_MS + 1000;

/** Why a gateway is taken for lost: it fell silent, or it said that it leaves. */
export type LossReason = "silent" | "gone";

/** What the watch needs of a connection to NATS. */
export interface HeartbeatSource {
  readonly isConnected: boolean;
  /** Subscribes, as `Bus` and `Link` do. */
  subscribe(
    subject: string,
    onMessage: (message: BusMessage) => void,
  ): { unsubscribe(): void };
}

/** Who is told. */
export interface GatewayWatchOptions {
  readonly prefix: string;
  /** Where others than gateways beat; @default that of gateways */
  readonly pattern?: string;
  readonly clock: Clock;
  /** After how many silent milliseconds a gateway is lost. */
  readonly silenceMs: number;
  /** Called at each heartbeat. */
  readonly onAlive: (gateway: string) => void;
  /** Called once for each gateway that was heard before. */
  readonly onLost: (gateway: string, reason: LossReason) => void;
  /** For a gateway that watches the others. */
  readonly own?: {
    readonly gateway: string;
    /** Called when it hears itself again after a silence for which the others take it for lost. */
    readonly onReturn: () => void;
  };
}

/**
 * Listens to heartbeats, and notices their absence. Who is cut off, or has been asleep, hears nobody; that
 * says nothing of the others. So nobody is lost while NATS is away, nor while a gateway does not even hear
 * its own heartbeats.
 */
export class GatewayWatch implements Disposable {
  readonly #options: GatewayWatchOptions;
  readonly #heardAt = new Map<string, number>();
  readonly #source: HeartbeatSource;
  readonly #subscription: { unsubscribe(): void };
  readonly #endSweeps: () => void;
  #heardSelfAt: number | undefined;
  #wasDeaf = false;

  /** Subscribes. */
  constructor(source: HeartbeatSource, options: GatewayWatchOptions) {
    this.#source = source;
    this.#options = options;
    const { prefix, clock, pattern = toHeartbeatPattern(prefix) } = options;
    this.#subscription = source.subscribe(
      pattern,
      ({ subject }) => this.#onHeartbeat(subject),
    );
    this.#endSweeps = repeat(clock, SWEEP_INTERVAL_MS, () => this.#sweep());
  }

  /** Those that are heard, this one not among them. */
  get living(): readonly string[] {
    return [...this.#heardAt.keys()];
  }

  /** Notes that a gateway has said something, heartbeat or not; from then on its silence counts. */
  heard(gateway: string): void {
    this.#heardAt.set(gateway, this.#options.clock.now());
  }

  /** Ends the subscription and the timer. */
  [Symbol.dispose](): void {
    this.#endSweeps();
    this.#subscription.unsubscribe();
  }

  #onHeartbeat(subject: string): void {
    const heartbeat = fromHeartbeatSubject(subject);
    if (heartbeat === undefined) return;
    const { gateway, event } = heartbeat;
    if (gateway === this.#options.own?.gateway) return this.#onOwnHeartbeat();
    switch (event) {
      case "draining":
        // What it runs is its own until the end.
        return this.heard(gateway);
      case "alive":
        this.heard(gateway);
        return this.#options.onAlive(gateway);
      case "gone":
        return this.#lose(gateway, "gone");
    }
  }

  #onOwnHeartbeat(): void {
    const { clock, silenceMs, own } = this.#options;
    const silentMs = clock.now() - (this.#heardSelfAt ?? clock.now());
    this.#heardSelfAt = clock.now();
    if (silentMs >= DEAF_MS) this.#startAgain();
    if (silentMs >= silenceMs) own?.onReturn();
  }

  #sweep(): void {
    const isDeaf = !this.#source.isConnected || !this.#hearsSelf();
    if (this.#wasDeaf && !isDeaf) this.#startAgain();
    this.#wasDeaf = isDeaf;
    if (isDeaf) return;
    const oldest = this.#options.clock.now() - this.#options.silenceMs;
    for (const [gateway, heardAt] of this.#heardAt) {
      if (heardAt <= oldest) this.#lose(gateway, "silent");
    }
  }

  #hearsSelf(): boolean {
    if (this.#options.own === undefined) return true;
    const { clock } = this.#options;
    return this.#heardSelfAt !== undefined && clock.now() - this.#heardSelfAt < DEAF_MS;
  }

  /** The silence so far counts for nothing. */
  #startAgain(): void {
    for (const gateway of this.#heardAt.keys()) this.heard(gateway);
  }

  #lose(gateway: string, reason: LossReason): void {
    if (this.#heardAt.delete(gateway)) this.#options.onLost(gateway, reason);
  }
}

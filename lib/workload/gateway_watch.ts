/**
 * Which gateways live.
 *
 * @module
 */
import { fromHeartbeatSubject, SILENCE_MS, toHeartbeatPattern } from "../mapping/heartbeat.ts";
import { type Clock, repeat } from "./clock.ts";
import type { Link, LinkSubscription } from "./link.ts";

/** How often silence is looked for, in milliseconds: what it may be noticed late by. */
const SWEEP_INTERVAL_MS = 500;

/** Why a gateway is taken for lost: it fell silent, or it said that it leaves. */
export type LossReason = "silent" | "gone";

/** Who is told. */
export interface GatewayWatchOptions {
  readonly prefix: string;
  readonly clock: Clock;
  /** Called at each heartbeat. */
  readonly onAlive: (gateway: string) => void;
  /** Called once for each gateway that was heard before. */
  readonly onLost: (gateway: string, reason: LossReason) => void;
}

/** Listens to heartbeats, and notices their absence. */
export class GatewayWatch implements Disposable {
  readonly #options: GatewayWatchOptions;
  readonly #heardAt = new Map<string, number>();
  readonly #link: Link;
  readonly #subscription: LinkSubscription;
  readonly #endState: () => void;
  readonly #endSweeps: () => void;

  /**
   * Subscribes.
   *
   * @param link The connection.
   * @param options Who is told.
   */
  constructor(link: Link, options: GatewayWatchOptions) {
    this.#link = link;
    this.#options = options;
    const { prefix, clock } = options;
    this.#subscription = link.subscribe(
      toHeartbeatPattern(prefix),
      ({ subject }) => this.#onHeartbeat(subject),
    );
    // While NATS is away all gateways are silent; that says nothing of them.
    this.#endState = link.onState((isConnected) => {
      if (isConnected) { for (const gateway of this.#heardAt.keys()) this.heard(gateway); }
    });
    this.#endSweeps = repeat(clock, SWEEP_INTERVAL_MS, () => this.#sweep());
  }

  /**
   * Notes that a gateway has said something, heartbeat or not; from then on its silence counts.
   *
   * @param gateway Its token.
   */
  heard(gateway: string): void {
    this.#heardAt.set(gateway, this.#options.clock.now());
  }

  /** Ends the subscription and the timer. */
  [Symbol.dispose](): void {
    this.#endSweeps();
    this.#endState();
    this.#subscription.unsubscribe();
  }

  #onHeartbeat(subject: string): void {
    const heartbeat = fromHeartbeatSubject(subject);
    if (heartbeat === undefined) return;
    const { gateway, event } = heartbeat;
    switch (event) {
      case "alive":
        this.heard(gateway);
        return this.#options.onAlive(gateway);
      case "gone":
        return this.#lose(gateway, "gone");
    }
  }

  #sweep(): void {
    if (!this.#link.isConnected) return;
    const oldest = this.#options.clock.now() - SILENCE_MS;
    for (const [gateway, heardAt] of this.#heardAt) {
      if (heardAt <= oldest) this.#lose(gateway, "silent");
    }
  }

  #lose(gateway: string, reason: LossReason): void {
    if (this.#heardAt.delete(gateway)) this.#options.onLost(gateway, reason);
  }
}

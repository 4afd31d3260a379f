/**
 * Telling the end of connections whose gateway is no more.
 *
 * @module
 */
import {
  type ConnectionRecord,
  parseConnectionRecord,
  RESUME,
  toRecordKey,
} from "../../mapping/connection_record.ts";
import { CLOSE } from "../../mapping/close.ts";
import { PEER_SILENCE_MS } from "../../mapping/heartbeat.ts";
import { GatewayWatch } from "../../nats/gateway_watch.ts";
import type { RecordStore, StoredRecord } from "../../nats/jetstream/records.ts";
import { Semaphore } from "../../nats/jetstream/semaphore.ts";
import { type ConnectionRecords, LOST } from "../lifetime/connection_records.ts";
import { type EventParts, tell } from "../lifetime/control_events.ts";
import type { EdgeParts } from "../parts.ts";
import type { Resumables } from "../resume/resumables.ts";

/** How much later the next one in line looks what is left: the first one may die, too. */
const NEXT_IN_LINE_MS = 500;
/** So many that JetStream is kept busy, and so few that the living need not wait for what the dead have left. */
const AT_ONCE = 32;
/** Of how many it is looked at once what they left: each takes some requests, and many may be lost together. */
const GATEWAYS_AT_ONCE = 4;
/** When it is tried again, after JetStream has failed. */
const RETRY_MS = 5000;

/** What it takes. */
export type LostParts =
  & EventParts
  & Pick<EdgeParts, "bus" | "clock" | "gatewayId" | "log" | "metrics">;

/**
 * Watches the other gateways. Whoever claims the record of a dead one's connection tells its end; the
 * survivors begin one after the other, so that as a rule the first one does it all. Where that takes long, each
 * begins at a place of its own, and nobody does what others have done.
 */
export class LostGateways implements Disposable {
  readonly #parts: LostParts;
  readonly #records: RecordStore;
  readonly #resumables: Resumables | undefined;
  readonly #watch: GatewayWatch;
  readonly #timers = new Set<() => void>();
  readonly #semaphore = new Semaphore(GATEWAYS_AT_ONCE);
  #hasEnded = false;

  /**
   * Begins to watch, and looks once for what was left by gateways that are not heard.
   *
   * @param options The parts of the edge; the records of this gateway's own connections, and those that
   * can be resumed.
   */
  constructor(
    records: RecordStore,
    { parts, own, resumables }: {
      parts: LostParts;
      own: ConnectionRecords;
      resumables: Resumables | undefined;
    },
  ) {
    this.#parts = parts;
    this.#records = records;
    this.#resumables = resumables;
    const { bus, clock, config, gatewayId } = parts;
    this.#watch = new GatewayWatch({
      get isConnected(): boolean {
        return bus.state === "connected";
      },
      subscribe: (subject, onMessage) => bus.subscribe(subject, onMessage),
    }, {
      ...{ prefix: config().prefix, clock, silenceMs: PEER_SILENCE_MS, onAlive: () => {} },
      onLost: (gateway) => this.#takeTurn(gateway),
      own: { gateway: gatewayId, onReturn: () => void own.resync() },
    });
    own.opened().then((isOn) => isOn && this.#after(PEER_SILENCE_MS, () => this.#findOrphans()))
      .catch((error) => this.#warn(error));
  }

  /** Watches no more. */
  [Symbol.dispose](): void {
    this.#hasEnded = true;
    this.#watch[Symbol.dispose]();
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  /** All gateways may have died at once. */
  async #findOrphans(): Promise<void> {
    const keys = await this.#records.keys(">");
    const gateways = new Set(keys.map((key) => key.slice(0, key.indexOf("."))));
    for (const owner of await this.#resumables?.takeover.owners() ?? []) gateways.add(owner);
    for (const known of [...this.#watch.living, this.#parts.gatewayId, LOST, RESUME]) {
      gateways.delete(known);
    }
    for (const gateway of gateways) this.#takeTurn(gateway);
  }

  #takeTurn(gateway: string): void {
    const { gatewayId } = this.#parts;
    const line = [...this.#watch.living, gatewayId].sort();
    const place = line.indexOf(gatewayId);
    const share = place / line.length;
    const close = () => this.#semaphore.run(() => this.#closeFor(gateway, share));
    this.#after(place * NEXT_IN_LINE_MS, close);
  }

  /** @param share Of what is left, those that others begin with. */
  async #closeFor(gateway: string, share: number): Promise<void> {
    if (this.#watch.living.includes(gateway)) return;
    const adopted = await this.#resumables?.takeover.adopt(gateway) ?? 0;
    if (adopted > 0) {
      this.#parts.log.info("holds what a lost gateway's clients may resume", {
        lost: gateway,
        connections: adopted,
      });
    }
    let left = await this.#records.list(toRecordKey(gateway, "*"));
    if (left.length === 0) {
      return this.#parts.log.debug("a lost gateway left no WebSockets", { lost: gateway });
    }
    // First of all, so that the gateway knows, should it come back.
    await this.#records.put(toRecordKey(LOST, gateway), new Uint8Array());
    let connections = 0;
    let told: number;
    do {
      connections += told = await this.#closeAll(left, Math.floor(left.length * share));
      left = await this.#records.list(toRecordKey(gateway, "*"));
    } while (told > 0 && left.length > 0);
    this.#parts.log.warn("a gateway was lost: told the end of its WebSockets", {
      lost: gateway,
      connections,
    });
  }

  /** Goes round from a place until it comes to what others have told; returns how many it has told itself. */
  async #closeAll(left: readonly StoredRecord[], begin: number): Promise<number> {
    const all = [...left.slice(begin), ...left.slice(0, begin)];
    let count = 0;
    for (let at = 0; at < all.length; at += AT_ONCE) {
      const some = all.slice(at, at + AT_ONCE).map((stored) => this.#close(stored));
      const told = (await Promise.all(some)).filter((isTold) => isTold).length;
      if (told === 0) break;
      count += told;
    }
    return count;
  }

  async #close({ key, value, revision }: StoredRecord): Promise<boolean> {
    const record = this.#parse(value);
    if (record === undefined || !await this.#records.claim(key, revision)) return false;
    tell({ type: "closed", ...(record.end ?? CLOSE.gatewayLost) }, record, this.#parts);
    this.#parts.metrics.lostClosed();
    return true;
  }

  #parse(value: Uint8Array): ConnectionRecord | undefined {
    try {
      return parseConnectionRecord(value);
    } catch (error) {
      this.#warn(error);
      return undefined;
    }
  }

  /** Not once it has ended: what was under way then may still come back and ask. */
  #after(delayMs: number, task: () => Promise<void>): void {
    if (this.#hasEnded) return;
    const cancel = this.#parts.clock.after(delayMs, () => {
      this.#timers.delete(cancel);
      task().catch((error) => {
        this.#warn(error);
        this.#after(RETRY_MS, task);
      });
    });
    this.#timers.add(cancel);
  }

  #warn(error: unknown): void {
    this.#parts.log.warn("what a lost gateway left cannot be looked after", {
      error: String(error),
    });
  }
}

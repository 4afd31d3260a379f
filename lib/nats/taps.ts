/**
 * Shows the heads of what this gateway publishes, while somebody watches.
 *
 * @module
 */
import { decodeLatin1 } from "../mapping/latin1.ts";
import { NO_LINES, parseHeaderBlock, toHeaderBlock } from "../mapping/headers.ts";
import { isCovered } from "../mapping/subject_pattern.ts";
import {
  parseTapRequest,
  renderTapReport,
  type TapHead,
  type TapReport,
  toTapHead,
  toTapSubject,
  WATCH_MS,
} from "../mapping/tap.ts";
import { type Clock, repeat } from "../time/clock.ts";
import type { Bus, BusMessage, BusSubscription, PublishOptions } from "./bus.ts";

const NO_BLOCK = toHeaderBlock(NO_LINES);
/** How often what has passed is shown, in milliseconds. */
const INTERVAL_MS = 100;
/** Of each interval, to each who watches: nobody reads more. The rest is counted. */
const MOST_HEADS = 20;
/** What one report may hold besides its last head, in characters. */
const MOST_CHARS = 128 * 1024;
/** More than anybody needs to look at; each costs what it matches. */
const MOST_WATCHERS = 16;

/** What it works with. */
export interface TapsOptions {
  readonly prefix: string;
  readonly gatewayId: string;
  readonly clock: Clock;
}

/** A bus that can be watched. */
export interface WatchedBus extends Pick<Bus, "publish" | "subscribe"> {
  /** Told of all that is published; undefined for nobody, which costs nothing. */
  onPublish: ((subject: string, data: Uint8Array, options: PublishOptions) => void) | undefined;
}

/** Who watches, by where it is told. */
interface Watcher {
  readonly subjects: readonly string[];
  readonly until: number;
  heads: TapHead[];
  chars: number;
  missed: number;
}

/** Answers all who want to watch. Nothing is looked at while nobody does. */
export class Taps implements Disposable {
  readonly #bus: WatchedBus;
  readonly #options: TapsOptions;
  readonly #subscription: BusSubscription;
  readonly #watchers = new Map<string, Watcher>();
  #endReports: (() => void) | undefined;

  constructor(bus: WatchedBus, options: TapsOptions) {
    this.#bus = bus;
    this.#options = options;
    this.#subscription = bus.subscribe(
      toTapSubject(options.prefix),
      (message) => this.#onRequest(message),
    );
  }

  /** Shows nothing more. */
  [Symbol.dispose](): void {
    this.#subscription.unsubscribe();
    this.#watchers.clear();
    this.#rest();
  }

  #onRequest({ data, reply }: BusMessage): void {
    if (reply === "") return;
    let subjects: readonly string[];
    try {
      subjects = parseTapRequest(data);
    } catch (error) {
      return this.#report(reply, { refused: (error as Error).message });
    }
    if (subjects.length === 0) {
      this.#watchers.delete(reply);
      if (this.#watchers.size === 0) this.#rest();
      return;
    }
    const known = this.#watchers.get(reply);
    if (known === undefined && this.#watchers.size >= MOST_WATCHERS) {
      return this.#report(reply, { refused: "Too many watch already" });
    }
    const until = this.#options.clock.now() + WATCH_MS;
    const { heads, chars, missed } = known ?? { heads: [], chars: 0, missed: 0 };
    this.#watchers.set(reply, { subjects, until, heads, chars, missed });
    if (known !== undefined) return;
    this.#bus.onPublish = (subject, data, options) => this.#onPublish(subject, data, options);
    this.#endReports ??= repeat(this.#options.clock, INTERVAL_MS, () => this.#tell());
    // So that it is known from when on it is watched.
    this.#report(reply, {});
  }

  #onPublish(subject: string, data: Uint8Array, { headers = NO_BLOCK }: PublishOptions): void {
    let head: TapHead | undefined;
    for (const watcher of this.#watchers.values()) {
      if (!watcher.subjects.some((pattern) => isCovered(subject, pattern))) continue;
      if (watcher.heads.length >= MOST_HEADS || watcher.chars > MOST_CHARS) watcher.missed++;
      else {
        head ??= readHead(subject, headers, data.length);
        watcher.heads.push(head);
        watcher.chars += head.headers.reduce((sum, [, { length }]) => sum + length, 0);
      }
    }
  }

  #tell(): void {
    const now = this.#options.clock.now();
    for (const [reply, watcher] of this.#watchers) {
      const { heads, missed, until } = watcher;
      if (until < now) this.#watchers.delete(reply);
      if (heads.length === 0) continue;
      [watcher.heads, watcher.chars, watcher.missed] = [[], 0, 0];
      this.#report(reply, { heads, missed });
    }
    if (this.#watchers.size === 0) this.#rest();
  }

  #rest(): void {
    this.#bus.onPublish = undefined;
    this.#endReports?.();
    this.#endReports = undefined;
  }

  /** What it shows is not itself watched. */
  #report(to: string, { heads = [], missed = 0, ...rest }: Partial<TapReport>): void {
    const { onPublish } = this.#bus;
    this.#bus.onPublish = undefined;
    const report = { gateway: this.#options.gatewayId, heads, missed, ...rest };
    this.#bus.publish(to, new TextEncoder().encode(renderTapReport(report)));
    this.#bus.onPublish = onPublish;
  }
}

function readHead(subject: string, headers: string | Uint8Array, size: number): TapHead {
  const block = typeof headers === "string" ? headers : decodeLatin1(headers);
  return toTapHead({ subject, headers: parseHeaderBlock(block), size }, Date.now());
}

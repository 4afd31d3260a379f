/**
 * Asks all gateways to show the heads of what they publish.
 *
 * @module
 */
import { createInbox } from "@nats-io/nats-core";
import { isNoResponders } from "../../mapping/headers.ts";
import { INBOX } from "../../mapping/names.ts";
import {
  parseTapReport,
  renderTapRequest,
  type TapReport,
  toTapSubject,
  WATCH_BEAT_MS,
} from "../../mapping/tap.ts";
import { type Clock, repeat } from "../../time/clock.ts";
import type { Bus } from "../bus.ts";

/** How long the first gateway may take to say that it is watched, in milliseconds. */
const FIRST_MS = 2000;

/** What is watched, and who is told. */
export interface HeadsOptions {
  readonly prefix: string;
  /** May hold wildcards. */
  readonly subjects: readonly string[];
  readonly clock: Clock;
  readonly onReport: (report: TapReport) => void;
}

/** Watches until it is disposed of. */
export class Heads implements Disposable {
  readonly #bus: Pick<Bus, "publish">;
  readonly #options: HeadsOptions;
  readonly #inbox = createInbox(INBOX);
  readonly #endings: readonly (() => void)[];
  readonly #begun = Promise.withResolvers<boolean>();

  /** Begins to watch. */
  constructor(bus: Pick<Bus, "publish" | "subscribe">, options: HeadsOptions) {
    this.#bus = bus;
    this.#options = options;
    const { clock, subjects, onReport } = options;
    const subscription = bus.subscribe(this.#inbox, ({ headers, data }) => {
      if (data.length === 0) {
        return isNoResponders(headers, 0) ? this.#begun.resolve(false) : undefined;
      }
      const report = read(data);
      if (report === undefined) return;
      this.#begun.resolve(report.refused === undefined);
      onReport(report);
    });
    this.#endings = [
      () => subscription.unsubscribe(),
      clock.after(FIRST_MS, () => this.#begun.resolve(false)),
      repeat(clock, WATCH_BEAT_MS, () => this.#say(subjects)),
    ];
    this.#say(subjects);
  }

  /** Resolves once a gateway shows what passes; false where none does. */
  get begun(): Promise<boolean> {
    return this.#begun.promise;
  }

  /** Watches no more. */
  [Symbol.dispose](): void {
    for (const end of this.#endings) end();
    this.#begun.resolve(false);
    this.#say([]);
  }

  #say(subjects: readonly string[]): void {
    const { prefix } = this.#options;
    const data = new TextEncoder().encode(renderTapRequest(subjects));
    this.#bus.publish(toTapSubject(prefix), data, { reply: this.#inbox });
  }
}

/** Undefined for what anybody else sends there. */
function read(data: Uint8Array): TapReport | undefined {
  try {
    return parseTapReport(data);
  } catch {
    return undefined;
  }
}

/**
 * Waiting for what a bus does: for the event itself, with an end where it never comes.
 *
 * @module
 */
import { within } from "../harness/waiting.ts";
import type { Bus, BusMessage, BusState, SubscribeOptions } from "../../lib/nats/bus.ts";

/**
 * Waits until a bus is in a state, at once if it is.
 *
 * @param bus The bus.
 * @param state Which one.
 * @param patienceMs How long, in milliseconds.
 */
export async function untilState(bus: Bus, state: BusState, patienceMs?: number): Promise<void> {
  if (bus.state === state) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = bus.onState((next) => {
    if (next === state) resolve();
  });
  try {
    await within(promise, `the state ${state}`, patienceMs);
  } finally {
    end();
  }
}

/** A subscription that keeps what comes. */
export class Received {
  readonly all: BusMessage[] = [];
  /** Ends the subscription. */
  readonly unsubscribe: () => void;
  readonly #subject: string;
  #waiting: { count: number; resolve: () => void } | undefined;

  private constructor(bus: Bus, subject: string, options: SubscribeOptions) {
    this.#subject = subject;
    const subscription = bus.subscribe(subject, (message) => this.#take(message), options);
    this.unsubscribe = () => subscription.unsubscribe();
  }

  /**
   * Subscribes, and waits until the server knows.
   *
   * @param bus The bus.
   * @param subject May hold wildcards.
   * @param options The queue group.
   * @returns What comes.
   */
  static async on(bus: Bus, subject: string, options: SubscribeOptions = {}): Promise<Received> {
    const received = new Received(bus, subject, options);
    await bus.flush();
    return received;
  }

  /**
   * Subscribes, without a word to the server: for a bus that is not connected.
   *
   * @param bus The bus.
   * @param subject May hold wildcards.
   * @returns What will come.
   */
  static later(bus: Bus, subject: string): Received {
    return new Received(bus, subject, {});
  }

  /**
   * Waits until so many have come.
   *
   * @param count How many, in all.
   * @returns All that came so far.
   */
  async until(count: number): Promise<BusMessage[]> {
    if (this.all.length >= count) return this.all;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting = { count, resolve };
    await within(promise, `${count} messages on ${this.#subject}`);
    return this.all;
  }

  /** The payloads of all that came so far, as text. */
  get texts(): string[] {
    return this.all.map(({ data }) => new TextDecoder().decode(data));
  }

  #take(message: BusMessage): void {
    this.all.push(message);
    if (this.#waiting !== undefined && this.all.length >= this.#waiting.count) {
      this.#waiting.resolve();
    }
  }
}

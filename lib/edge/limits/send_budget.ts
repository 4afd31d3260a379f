/**
 * What waits for clients, counted for each connection and for all.
 *
 * @module
 */
import { Crowd, type Seated } from "../../crowd.ts";
import type { Deadlines } from "./deadlines.ts";

/** Some of what waits. */
export interface Waiting extends Seated {
  /** How many bytes. */
  readonly waiting: number;
  /** Which connection they wait for; who has one alone may be it. */
  readonly connection: string | object;
  /** They have to go. */
  giveUp(): void;
}

/** The bytes of all responses, or of all WebSockets. */
export class SendBudget {
  readonly deadlines: Deadlines;
  readonly #limit: () => number;
  readonly #streams = new Crowd<Waiting>();
  #total = 0;

  /** @param limit Gives the bound that holds now, in bytes. */
  constructor(deadlines: Deadlines, limit: () => number) {
    this.deadlines = deadlines;
    this.#limit = limit;
  }

  /** How many bytes wait. */
  get total(): number {
    return this.#total;
  }

  /** Begins to count what waits for a client; once, however often it is called. */
  join(stream: Waiting): void {
    this.#streams.add(stream);
  }

  /** Nothing waits any more. */
  leave(stream: Waiting): void {
    this.#streams.delete(stream);
  }

  /**
   * Something was added, or taken: where too much waits, the connection with the most has to go.
   *
   * @param bytes How many; fewer than none where they were taken.
   */
  add(bytes: number): void {
    this.#total += bytes;
    if (this.#total <= this.#limit()) return;
    const largest = this.#findLargest();
    for (const stream of this.#streams) if (stream.connection === largest) stream.giveUp();
  }

  #findLargest(): Waiting["connection"] | undefined {
    const bytes = new Map<Waiting["connection"], number>();
    for (const { connection, waiting } of this.#streams) {
      bytes.set(connection, (bytes.get(connection) ?? 0) + waiting);
    }
    return [...bytes].sort(([, a], [, b]) => b - a)[0]?.[0];
  }
}

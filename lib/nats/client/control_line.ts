/**
 * How long a line of the protocol may be: subject, reply subject and sizes together.
 *
 * A server does not tell its `max_control_line`, and closes the connection of who says more, with all
 * that others wait for on it. So nothing long is said before it is known to fit.
 *
 * @module
 */

import type { ConnectionOptions } from "@nats-io/nats-core";
import { dial } from "./dial.ts";

/** No server is set to less. */
const SURELY_BYTES = 512;
/** nats-server's default. Where it is set to more, nobody needs that. */
const DEFAULT_BYTES = 4096;
/** How exactly it is found out where it is less than the default. */
const STEP_BYTES = 64;

/** What is known of the limit of the server one is connected to. */
export class ControlLine {
  readonly #ask: (bytes: number) => Promise<boolean>;
  #fits = SURELY_BYTES;
  #exceeds = DEFAULT_BYTES + 1;
  #asking: Promise<void> | undefined;

  /**
   * @param ask Says whether the server takes a line of so many bytes, at the cost of nobody's connection.
   */
  constructor(ask: (bytes: number) => Promise<boolean>) {
    this.#ask = ask;
  }

  /**
   * Says whether a line fits.
   *
   * @returns At once for what is short or known; else when the server has been asked.
   * @throws {Error} when the server cannot be asked.
   */
  fits(bytes: number): boolean | Promise<boolean> {
    if (bytes <= this.#fits) return true;
    if (bytes >= this.#exceeds) return false;
    this.#asking ??= this.#search().finally(() => this.#asking = undefined);
    return this.#asking.then(() => bytes <= this.#fits);
  }

  /** It may be another server, or the same one with another limit. */
  forget(): void {
    this.#fits = SURELY_BYTES;
    this.#exceeds = DEFAULT_BYTES + 1;
  }

  /** With the default limit, that is one question. */
  async #search(): Promise<void> {
    for (let bytes = DEFAULT_BYTES; this.#exceeds - this.#fits > STEP_BYTES;) {
      if (await this.#ask(bytes)) this.#fits = bytes;
      else this.#exceeds = bytes;
      bytes = Math.ceil((this.#fits + this.#exceeds) / 2);
    }
    this.#exceeds = this.#fits + 1;
  }
}

/**
 * Asks a server, over a connection that is made for it and that a refusal costs.
 *
 * @throws {Error} when it cannot be asked.
 */
export async function takesLine(bytes: number, options: ConnectionOptions): Promise<boolean> {
  const connection = await dial({ ...options, reconnect: false });
  try {
    // Nobody listens there, and one may publish there.
    const begin = `${connection.options.inboxPrefix}.`;
    connection.publish(begin.padEnd(bytes - " 0".length, "x"));
    // What the server says of it may be lost with the connection.
    return await Promise.race([
      connection.flush().then(() => true, () => false),
      connection.closed().then(() => false),
    ]);
  } finally {
    await connection.close();
  }
}

/**
 * Tells those who send to a WebSocket when its client has taken what they sent.
 *
 * @module
 */
import { renderFlowSignal } from "../../mapping/flow.ts";
import type { Bus } from "../../nats/bus.ts";
import { cancelAsk } from "../../nats/credit.ts";
import { encodeLatin1 } from "../../mapping/latin1.ts";

const EMPTY = new Uint8Array();
/** The platform does not tell when something was taken: so it is asked, less often where nothing moves. */
const FIRST_LOOK_MS = 4;
const MAX_LOOK_MS = 128;

/** A message whose sender waits for credit. */
interface Ask {
  readonly reply: string;
  readonly bytes: number;
  /** How much had been sent to the client with it. */
  readonly position: number;
}

/** What is asked for on one socket. */
export class SendCredit {
  readonly #bus: Bus;
  readonly #waiting: () => number;
  #asks: Ask[] = [];
  #sent = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lookMs = FIRST_LOOK_MS;

  /** @param waiting How many bytes wait for the client. */
  constructor(bus: Bus, waiting: () => number) {
    this.#bus = bus;
    this.#waiting = waiting;
  }

  /** A message was sent to the client. */
  onSent(bytes: number): void {
    this.#sent += bytes;
  }

  /** The last message asks for credit. */
  ask(reply: string, bytes: number): void {
    this.#asks.push({ reply, bytes, position: this.#sent });
    if (this.#timer === undefined) this.#look();
  }

  /** The client takes no more. */
  close(): void {
    clearTimeout(this.#timer);
    for (const { reply } of this.#asks) cancelAsk(this.#bus, reply);
    this.#asks = [];
  }

  /** What could not be told while NATS was away is told later. */
  readonly #look = (): void => {
    this.#timer = undefined;
    const taken = this.#sent - this.#waiting();
    const open = this.#asks.findIndex(({ reply, bytes, position }) =>
      position > taken || !this.#grant(reply, bytes)
    );
    const granted = open === -1 ? this.#asks.length : open;
    this.#lookMs = granted > 0 ? FIRST_LOOK_MS : Math.min(this.#lookMs * 2, MAX_LOOK_MS);
    this.#asks.splice(0, granted);
    if (this.#asks.length > 0) this.#timer = setTimeout(this.#look, this.#lookMs);
  };

  #grant(reply: string, bytes: number): boolean {
    const headers = encodeLatin1(renderFlowSignal({ kind: "credit", bytes }));
    return this.#bus.publish(reply, EMPTY, { headers });
  }
}

/**
 * How far a client has come in what is sent to it.
 *
 * @module
 */
import type { GatewayFrame, Payload } from "./wire.ts";

/**
 * Something is missing, or may be.
 *
 * - `lost`: the gateway says that what was sent under the numbers `from` to `to` is not there any more; without
 *   `to`, all that was sent while the client was away.
 * - `not_kept`: the connection broke, and nothing waits for this client (or what came to many at once does not):
 *   whatever was sent meanwhile.
 */
export interface Gap {
  /** Why it is missing. */
  readonly cause: "lost" | "not_kept";
  /** The first number. */
  readonly from?: number;
  /** The last number. */
  readonly to?: number;
}

/** What was sent to the client. */
export interface Message {
  /** Text, or bytes. */
  readonly data: Payload;
  /** Its number, where what is sent waits for the client; 0 for what came to many at once. */
  readonly seq?: number;
  /** What is missing before it, where something is; the event `gap` tells the same at once. */
  readonly gaps?: readonly Gap[];
}

/**
 * Adds to what is missing before the next message. Between two gaps nothing came, so that two of a cause are one,
 * however often a connection breaks.
 */
export function addGap(gaps: readonly Gap[], gap: Gap): Gap[] {
  const before = gaps.find(({ cause }) => cause === gap.cause);
  if (before === undefined) return [...gaps, gap];
  const { cause, from = 0, to } = gap;
  const both = cause === "not_kept" ? gap : {
    cause,
    from: Math.min(before.from ?? 0, from),
    ...(before.to === undefined || to === undefined ? {} : { to: Math.max(before.to, to) }),
  };
  return gaps.map((each) => each === before ? both : each);
}

/** Where a client goes on. */
export class Position {
  #token: string | undefined;
  #seq = 0;
  #wasOpen = false;
  /** What came to many at once has been heard: while the client is away it is lost. */
  #hearsUnkept = false;
  #isFresh = false;
  /** That all is lost has been told: the gateway's own word of it may not come. */
  #isTold = false;

  /** What to offer in a handshake, to come back. */
  get offer(): string[] {
    return this.#token === undefined ? [] : [`h8s.resume.token.${this.#token}.${this.#seq}`];
  }

  /** There is a connection; returns what is missing. */
  open(doesResume: boolean): Gap | undefined {
    const isMissed = this.#wasOpen &&
      (this.#hearsUnkept || !doesResume || this.#token === undefined);
    this.#wasOpen = true;
    if (!doesResume) this.#token = undefined;
    return isMissed ? { cause: "not_kept" } : undefined;
  }

  /** Something came; returns what of it is news. */
  take(frame: Exclude<GatewayFrame, { type: "ack" }>): Message | Gap | undefined {
    const isFresh = this.#isFresh;
    const isTold = this.#isTold;
    this.#isFresh = this.#isTold = false;
    switch (frame.type) {
      case "welcome": {
        const { token, isNew, seq } = frame;
        const from = this.#seq + 1;
        this.#isTold = isNew && this.#token !== undefined;
        this.#token = token;
        this.#isFresh = isNew;
        if (isNew) this.#seq = seq;
        return this.#isTold ? { cause: "lost", from } : undefined;
      }
      case "mark":
        this.#seq = Math.max(this.#seq, frame.seq);
        return undefined;
      case "gap": {
        const { from, to } = frame;
        if (to === undefined && isTold) return undefined;
        // The numbers begin anew, unless the welcome has just told them.
        if (to === undefined && !isFresh) this.#seq = 0;
        if (to !== undefined) this.#seq = Math.max(this.#seq, to);
        return { cause: "lost", from, ...(to === undefined ? {} : { to }) };
      }
      case "message": {
        const { data, seq } = frame;
        if (seq === undefined) return { data };
        if (seq === 0) this.#hearsUnkept = true;
        else if (seq <= this.#seq) return undefined;
        else this.#seq = seq;
        return { data, seq };
      }
    }
  }
}

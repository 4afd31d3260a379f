/**
 * What is said: held until there is a connection, and until it is acknowledged where that is promised.
 *
 * @module
 */
import { SendError } from "./errors.ts";
import type { Platform } from "./platform.ts";
import { type Payload, toNumbered } from "./wire.ts";

/** How much may be held and be under way. */
export interface OutgoingLimits {
  readonly maxHeld: number;
  readonly maxHeldBytes: number;
  readonly maxInFlight: number;
  readonly resendMs: number;
}

/** Where what is said goes. */
export interface Sink {
  readonly hasAcks: boolean;
  /** False from when its end is under way: what is written then goes nowhere. */
  readonly isOpen: boolean;
  /** Bytes that the platform has not sent yet. */
  readonly waiting: number;
  write(data: Payload): void;
}

/** A message that is not settled. */
interface Said {
  readonly id: number;
  readonly payload: Payload;
  readonly bytes: number;
  /** When it went over a socket for the first time; undefined before. */
  sentAt: number | undefined;
  /** Its signal takes it back no more. */
  readonly release: () => void;
  readonly resolve: (seq: number | undefined) => void;
  readonly reject: (error: SendError) => void;
}

/** Bytes that may be under way without an acknowledgement: the gateway closes past 1 MiB, headers included. */
const MAX_IN_FLIGHT_BYTES = 262_144;

/** In the order in which they were said. */
export class Outgoing {
  readonly #limits: OutgoingLimits;
  readonly #platform: Pick<Platform, "now" | "after">;
  readonly #said = new Map<number, Said>();
  #sink: Sink | undefined;
  /** All up to here have gone over the present socket. */
  #lastSent = 0;
  #lastId = 0;
  #bytes = 0;
  #inFlight = 0;
  #inFlightBytes = 0;
  /** Ends the wait for the oldest acknowledgement. */
  #cancelWait: (() => void) | undefined;

  constructor(limits: OutgoingLimits, platform: Pick<Platform, "now" | "after">) {
    this.#limits = limits;
    this.#platform = platform;
  }

  /** How many messages are not settled. */
  get size(): number {
    return this.#said.size;
  }

  #closed: SendError | undefined;

  /** Takes a message; resolves with its number in the stream, undefined where nobody acknowledges. */
  say(payload: Payload, signal?: AbortSignal): Promise<number | undefined> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const { maxHeld, maxHeldBytes } = this.#limits;
    const bytes = toSize(payload);
    const held = this.#bytes + (this.#sink?.waiting ?? 0);
    if (this.#said.size >= maxHeld || held + bytes > maxHeldBytes) {
      const reason =
        `${this.#said.size} messages of ${held} bytes wait already; expected at most ` +
        `${maxHeld} of ${maxHeldBytes}`;
      return Promise.reject(new SendError("full", reason));
    }
    if (signal?.aborted) return Promise.reject(toAborted(signal));
    return new Promise((resolve, reject) => {
      const onAbort = () => this.#takeBack(said, signal!);
      // A signal may outlive many messages.
      const release = () => signal?.removeEventListener("abort", onAbort);
      const id = ++this.#lastId;
      const said: Said = { id, payload, bytes, sentAt: undefined, release, resolve, reject };
      this.#said.set(id, said);
      this.#bytes += bytes;
      signal?.addEventListener("abort", onAbort);
      this.#flush();
    });
  }

  /** There is a connection: what was not acknowledged on the one before is said again, in order. */
  attach(sink: Sink): void {
    this.#sink = sink;
    this.#lastSent = this.#inFlight = this.#inFlightBytes = 0;
    // Without acknowledgements the stream recognises nothing: said again it may be there twice.
    this.#giveUp(sink.hasAcks ? this.#limits.resendMs : -Infinity);
    this.#flush();
  }

  /** The connection is gone. */
  detach(): void {
    this.#sink = undefined;
  }

  /** The stream has a message; one that was never sent it cannot have. */
  acknowledge(id: number, seq: number): void {
    const said = this.#said.get(id);
    if (said?.sentAt === undefined) return;
    this.#settle(said);
    said.resolve(seq);
    this.#flush();
  }

  /**
   * The gateway closed since a message was too large: that is the largest of those under way, whatever the limit.
   * False where none is.
   */
  dropLargest(reason: string): boolean {
    const sent = [...this.#said.values()].filter(({ sentAt }) => sentAt !== undefined);
    const largest = sent.reduce<Said | undefined>(
      (most, said) => most === undefined || said.bytes > most.bytes ? said : most,
      undefined,
    );
    if (largest !== undefined) this.#fail(largest, new SendError("too_big", reason));
    return largest !== undefined;
  }

  /** Nothing will be sent any more. */
  close(reason: string, cause?: unknown): void {
    this.#sink = undefined;
    this.#cancelWait?.();
    this.#closed ??= new SendError("closed", reason, { cause });
    for (const said of [...this.#said.values()]) this.#fail(said, this.#closed);
  }

  #flush(): void {
    const sink = this.#sink;
    if (!sink?.isOpen) return;
    for (const said of this.#said.values()) {
      if (said.id <= this.#lastSent) continue;
      if (sink.hasAcks && !this.#hasRoom(said)) return;
      this.#lastSent = said.id;
      said.sentAt ??= this.#platform.now();
      sink.write(sink.hasAcks ? toNumbered(said.id, said.payload) : said.payload);
      if (sink.hasAcks) {
        this.#inFlight++;
        this.#inFlightBytes += said.bytes;
        this.#await(this.#limits.resendMs);
      } else {
        this.#settle(said);
        said.resolve(undefined);
      }
    }
  }

  /** One timer for all: where the oldest was acknowledged meanwhile, it is set again. */
  #await(delayMs: number): void {
    if (delayMs === Infinity) return;
    this.#cancelWait ??= this.#platform.after(delayMs, () => {
      this.#cancelWait = undefined;
      this.#giveUp(this.#limits.resendMs);
      const oldest = [...this.#said.values()].find(({ sentAt }) => sentAt !== undefined);
      if (oldest !== undefined) {
        this.#await(oldest.sentAt! + this.#limits.resendMs - this.#platform.now());
      }
      this.#flush();
    });
  }

  /** Of what was sent so long ago nobody can say any more whether the stream has it. */
  #giveUp(agoMs: number): void {
    const latest = this.#platform.now() - agoMs;
    for (const said of [...this.#said.values()]) {
      if (said.sentAt === undefined || said.sentAt > latest) continue;
      this.#fail(said, new SendError("unknown", "it was sent, and not acknowledged"));
    }
  }

  #hasRoom({ bytes }: Said): boolean {
    if (this.#inFlight === 0) return true;
    return this.#inFlight < this.#limits.maxInFlight &&
      this.#inFlightBytes + bytes <= MAX_IN_FLIGHT_BYTES;
  }

  #takeBack(said: Said, signal: AbortSignal): void {
    if (said.sentAt !== undefined || !this.#said.has(said.id)) return;
    this.#fail(said, toAborted(signal));
  }

  #fail(said: Said, error: SendError): void {
    this.#settle(said);
    said.reject(error);
  }

  #settle(said: Said): void {
    said.release();
    this.#said.delete(said.id);
    this.#bytes -= said.bytes;
    if (this.#sink?.hasAcks && said.id <= this.#lastSent) {
      this.#inFlight--;
      this.#inFlightBytes -= said.bytes;
    }
  }
}

function toAborted({ reason: cause }: AbortSignal): SendError {
  return new SendError("aborted", "its signal took it back", { cause });
}

/** Of text, at most; exact for ASCII would cost a copy. */
function toSize(payload: Payload): number {
  return typeof payload === "string" ? new TextEncoder().encode(payload).length : payload.length;
}

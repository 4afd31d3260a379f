/**
 * What one client gets of the stream, each number once: as it comes, or read from the stream before that.
 *
 * @module
 */
import { CLOSE } from "../../mapping/close.ts";
import { renderGap, renderMark } from "../../mapping/resume.ts";
import type { BusMessage } from "../../nats/bus.ts";
import type { ResumeStore } from "../../nats/jetstream/resume_stream.ts";
import type { EdgeParts } from "../parts.ts";
import { deliver } from "./deliver.ts";
import { HeldBack, toSeq } from "./held_back.ts";
import { replay } from "./replay.ts";
import type { ResumableClient } from "./resume_client.ts";

/**
 * `live`: what comes is sent on; `behind`: what NATS being away has kept from it has to be read first, and
 * `replaying`: it is being read; `over`: it gets nothing more.
 */
type FlowState = "live" | "behind" | "replaying" | "over";

/** What it takes. */
export type FlowParts = Pick<EdgeParts, "bus" | "config" | "log" | "strays">;

/** What a flow is made of. */
export interface ClientFlowOptions {
  readonly parts: FlowParts;
  readonly stream: ResumeStore;
  /** Of the connection. */
  readonly inbox: string;
  /** The last number that the client has seen; from there on it is live until it is told otherwise. */
  readonly seq: number;
}

/** For as long as the client's socket lasts. */
export class ClientFlow {
  readonly #client: ResumableClient;
  readonly #options: ClientFlowOptions;
  #state: FlowState = "live";
  /** The largest number that the client was sent. */
  #position: number;
  /** What came while older messages are read. */
  readonly #waiting = new HeldBack();
  /** The stream was deleted: what comes next is of another one. */
  #isOfNewStream = false;
  /** Which numbers were read from the stream last: more than `after`, and at most `upTo`. */
  #read = { after: 0, upTo: 0 };

  constructor(client: ResumableClient, options: ClientFlowOptions) {
    this.#client = client;
    this.#options = options;
    this.#position = options.seq;
  }

  /** Sends on what came after the client's last number; what comes meanwhile waits for that. */
  resume(): Promise<void> {
    this.#state = "replaying";
    return this.#replay();
  }

  /** A message has come. */
  onMessage(message: BusMessage): void {
    switch (this.#state) {
      case "over":
        return;
      case "behind":
      case "replaying":
        if (this.#waiting.add(message) <= this.#options.parts.config().wsSendLimit) return;
        return this.#client.close(CLOSE.slowConsumer);
      case "live":
        return this.#forwardNew(message);
    }
  }

  /** NATS is away: what the stream takes meanwhile comes to nobody here. */
  onNatsLost(): void {
    if (this.#state === "live") this.#state = "behind";
  }

  /** Somebody deleted the stream: what it has not sent on is lost, and a new one counts anew. */
  onStreamGone(): void {
    if (this.#state !== "live") return;
    this.#state = "behind";
    this.#isOfNewStream = true;
  }

  /**
   * Sends on what the stream took while NATS was away, or what a new stream has.
   *
   * @param last The largest number of the stream; less than what was sent on where it begins anew.
   * @param run Runs so many of them at a time.
   */
  async catchUp(last: number, run: <T>(task: () => Promise<T>) => Promise<T>): Promise<void> {
    if (this.#state !== "behind") return;
    if (this.#isOfNewStream) {
      this.#isOfNewStream = false;
      this.#beginAnew(0);
    } else if (last < this.#position) {
      this.#beginAnew(last);
      return this.#goLive();
    }
    this.#state = "replaying";
    // What was heard before NATS was away cannot come once more.
    this.#read = { after: this.#position, upTo: 0 };
    await run(() => this.#replay());
  }

  /** Tells the client that it has everything up to a number that the stream had reached some time ago. */
  mark(seq: number): void {
    if (this.#state !== "live" || seq <= this.#position) return;
    this.#position = seq;
    this.#tell(renderMark(seq));
  }

  /** The client gets nothing more. */
  end(): void {
    this.#state = "over";
    this.#waiting.takeAll();
  }

  async #replay(): Promise<void> {
    const { inbox, stream, parts: { bus, log } } = this.#options;
    const isCurrent = () => this.#state === "replaying";
    try {
      await replay({ bus, stream }, {
        ...{ inbox, lastSeq: this.#position, isCurrent },
        onStart: (position, gap) => {
          if (gap !== undefined) this.#tell(gap);
          this.#position = position;
        },
        onMessage: (seq, message) => this.#forward(seq, message),
      });
      if (!isCurrent()) return;
      this.#read.upTo = this.#position;
      this.#goLive();
    } catch (error) {
      log.warn("a WebSocket cannot be resumed now", { error: String(error) });
      if (this.#state !== "over") this.#client.close(CLOSE.cannotResume);
    }
  }

  #goLive(): void {
    this.#state = "live";
    for (const message of this.#waiting.takeAll()) this.#forwardNew(message);
  }

  /** The stream was lost, or its end, and numbers come again. */
  #beginAnew(last: number): void {
    this.#tell(renderGap(this.#position + 1, undefined));
    this.#position = last;
    this.#read = { after: 0, upTo: 0 };
  }

  /**
   * What comes now is never older than what came: else the stream begins anew, or has lost its end. But what
   * was read from it may be heard as well, and later: JetStream republishes beside what consumers get.
   */
  #forwardNew(message: BusMessage): void {
    const seq = toSeq(message);
    if (seq > this.#read.after && seq <= this.#read.upTo) return;
    if (seq <= this.#position) this.#beginAnew(seq - 1);
    this.#forward(seq, message);
  }

  #forward(seq: number, message: BusMessage): void {
    if (seq <= this.#position) return;
    this.#position = seq;
    deliver(this.#client, message, { seq, strays: this.#options.parts.strays });
  }

  #tell(text: string): void {
    this.#client.push(text, text.length);
  }
}

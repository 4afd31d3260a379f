/**
 * A connection that outlives its socket: what is sent to it waits until its client comes back.
 *
 * @module
 */
import { toFrame } from "../../mapping/frame.ts";
import type { ListedConnection } from "../../mapping/listing.ts";
import { renderGap, renderMark, renderWelcome, toResumedSubject } from "../../mapping/resume.ts";
import { CLOSE, type CloseInfo, mayResume } from "../../mapping/close.ts";
import { OVER, type ResumeRecord } from "../../mapping/connection_record.ts";
import type { BusMessage, BusSubscription } from "../../nats/bus.ts";
import { deliver } from "./deliver.ts";
import { HeldBack, toSeq } from "./held_back.ts";
import { replay } from "./replay.ts";
import type { Place } from "../admission/load.ts";
import { tell } from "../lifetime/control_events.ts";
import type { Lease } from "../lifetime/lease.ts";
import type { Arrival, ResumableClient, ResumableOptions } from "./resume_client.ts";
import { ResumeParking } from "./resume_parking.ts";

type Phase = "detached" | "replaying" | "live" | "behind" | "over";

/**
 * How a connection ends here: the workloads are told, unless somebody else holds it by now; somebody else
 * does; it is left to other gateways, once what is known of it has been written; or whatever becomes of it.
 */
export type Ending =
  | { readonly how: "told"; readonly end: CloseInfo }
  | { readonly how: "lost" | "left" | "forgotten" };

/** Held by this gateway, with a client or without. */
export class Resumable {
  readonly #options: ResumableOptions;
  readonly #lease: Lease<ResumeRecord>;
  #phase: Phase = "detached";
  #client: ResumableClient | undefined;
  #subscription: BusSubscription | undefined;
  #endWindow: (() => void) | undefined;
  readonly #parking: ResumeParking;
  /** What came while older messages are read. */
  readonly #waiting = new HeldBack();
  /** The largest number that the client was sent. */
  #position = 0;
  /** Which numbers were read from the stream last: more than `after`, and at most `upTo`. */
  #read = { after: 0, upTo: 0 };

  constructor(options: ResumableOptions) {
    this.#options = options;
    this.#lease = options.lease;
    this.#parking = new ResumeParking(options.parts);
  }

  get id(): string {
    return this.#options.id;
  }

  /** Grows each time that it changes hands. */
  get revision(): number {
    return this.#lease.revision;
  }

  get inbox(): string {
    return this.#options.inbox;
  }

  /** What it takes among the connections, by itself or by its client. */
  get place(): Place | undefined {
    return this.#client?.place ?? this.#parking.place;
  }

  get hasClient(): boolean {
    return this.#client !== undefined;
  }

  /** What is told to those who ask who is connected. */
  describe(): ListedConnection {
    return this.#lease.record!.info;
  }

  /** The largest number that a client was sent. */
  get position(): number {
    return this.#position;
  }

  /** Makes a new connection. */
  begin(record: ResumeRecord): void {
    this.#listen();
    this.#lease.write(record);
  }

  /** Takes a connection over, and waits for its client; false when somebody was faster. */
  async claim(
    record: ResumeRecord,
    { revision, place }: { revision: number; place: () => Place },
  ): Promise<boolean> {
    if (!await this.#lease.claim(record, revision)) return false;
    this.#parking.enter(place());
    this.#listen();
    this.#wait();
    return true;
  }

  /** Looks whether it is still held here. */
  verify(): Promise<void> {
    return this.#lease.verify();
  }

  /** A client has come, or come back. One that is still there has lost its connection without knowing. */
  attach(client: ResumableClient, { token, lastSeq, lostFrom }: Arrival): void {
    this.#endWindow?.();
    const previous = this.#client;
    this.#client = client;
    previous?.close(CLOSE.resumedElsewhere);
    this.#parking.leave();
    if (this.#phase === "over") return client.close(CLOSE.heldElsewhere);
    const seq = lastSeq ?? this.#options.safeSeq();
    const { windowMs } = this.#lease.record!;
    this.#tell(renderWelcome({ token, windowMs, seq, isNew: lastSeq === undefined }));
    if (lastSeq === undefined) {
      if (lostFrom !== undefined) this.#tell(renderGap(lostFrom, undefined));
      this.#position = seq;
      this.#phase = "live";
      return;
    }
    // It may come from elsewhere, with a newer token: what its messages say is what its events say.
    const record = this.#lease.record!;
    const info = { ...client.describe(), since: record.info.since };
    this.#lease.write({ ...record, connection: client.record, info, detached: undefined });
    this.#phase = "replaying";
    this.#read = { after: 0, upTo: 0 };
    this.#replay(client, lastSeq).catch((error) => this.#onReplayFailed(client, error));
  }

  /** A client's socket is gone; an older client's does not matter any more. */
  detach(client: ResumableClient, end: CloseInfo): void {
    if (client !== this.#client || this.#phase === "over") return client.place[Symbol.dispose]();
    this.#client = undefined;
    this.#parking.enter(client.place);
    this.#stopReplay("detached");
    if (!mayResume(end)) return this.end({ how: "told", end });
    const record = this.#lease.record!;
    this.#lease.write({ ...record, detached: { end, at: Date.now() + record.windowMs } });
    this.#wait();
  }

  /** Closes its socket, if it has one: a client that may come back will. */
  close(end: CloseInfo): void {
    this.#client?.close(end);
  }

  /** NATS is back. */
  onReconnect(): void {
    this.#client?.onReconnect();
  }

  /** Tells the client that it has everything up to a number that the stream had reached some time ago. */
  mark(seq: number): void {
    if (this.#phase !== "live" || seq <= this.#position) return;
    this.#position = seq;
    this.#tell(renderMark(seq));
  }

  /** NATS is away: what the stream takes meanwhile comes to nobody here. */
  onNatsLost(): void {
    if (this.#phase === "live") this.#phase = "behind";
  }

  /**
   * Sends on what the stream took while NATS was away.
   *
   * @param last The largest number of the stream; less than what was sent on where it begins anew.
   * @param run Runs so many of them at a time.
   */
  async catchUp(last: number, run: <T>(task: () => Promise<T>) => Promise<T>): Promise<void> {
    const client = this.#client;
    if (client === undefined || this.#phase !== "behind") return;
    if (last < this.#position) {
      this.#beginAnew(last);
      for (const message of this.#stopReplay("live")) this.#forwardNew(message);
      return;
    }
    this.#phase = "replaying";
    // What was heard before NATS was away cannot come once more.
    this.#read = { after: this.#position, upTo: 0 };
    await run(() => this.#replay(client, this.#position))
      .catch((error) => this.#onReplayFailed(client, error));
  }

  /** Is held here no more; once. */
  end(ending: Ending): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#endWindow?.();
    this.#subscription?.unsubscribe();
    this.#parking.leave();
    this.#settle(ending).then(this.#options.onOver).catch((error) =>
      this.#options.parts.onFault("websocket", error)
    );
  }

  async #settle(ending: Ending): Promise<void> {
    const { parts } = this.#options;
    switch (ending.how) {
      case "told": {
        const { end } = ending;
        const record = this.#lease.record!;
        return await this.#lease.end(
          { ...record, detached: { end, at: OVER } },
          () => tell({ type: "closed", ...end }, record.connection, parts),
        );
      }
      case "lost": {
        const client = this.#client;
        this.#client = undefined;
        this.#lease.drop();
        return client?.close(CLOSE.resumedElsewhere);
      }
      case "left":
        return await this.#lease.settled;
      case "forgotten":
        return;
    }
  }

  #listen(): void {
    const { bus, config: { prefix } } = this.#options.parts;
    const subject = toResumedSubject(this.id, prefix);
    this.#subscription = bus.subscribe(subject, (message) => this.#onMessage(message));
  }

  #wait(): void {
    const { end, at } = this.#lease.record!.detached!;
    this.#endWindow?.();
    this.#endWindow = this.#options.parts.clock.after(
      Math.max(0, at - Date.now()),
      () => this.end({ how: "told", end }),
    );
  }

  #onMessage(message: BusMessage): void {
    switch (this.#phase) {
      case "over":
        return;
      case "detached": {
        const frame = toFrame(message.headers, message.data);
        return frame.kind === "close" ? this.end({ how: "told", end: frame }) : this.#miss(message);
      }
      case "behind":
      case "replaying":
        if (this.#waiting.add(message) <= this.#options.parts.config.wsSendLimit) return;
        return this.#client?.close(CLOSE.slowConsumer);
      case "live":
        return this.#forwardNew(message);
    }
  }

  #miss(message: BusMessage): void {
    if (this.#parking.hasRoom(message)) return;
    this.end({ how: "told", end: CLOSE.tooMuchWaits });
    const { stream, parts: { log } } = this.#options;
    stream.forget(this.inbox).catch((error) => {
      log.warn("what waited for a client cannot be removed", { error: String(error) });
    });
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
    if (this.#client !== undefined) {
      deliver(this.#client, message, { seq, strays: this.#options.parts.strays });
    }
  }

  async #replay(client: ResumableClient, lastSeq: number): Promise<void> {
    const { parts: { bus }, stream } = this.#options;
    const isCurrent = () => this.#client === client && this.#phase === "replaying";
    await replay({ bus, stream }, {
      inbox: this.inbox,
      lastSeq,
      isCurrent,
      onStart: (position, gap) => {
        if (gap !== undefined) this.#tell(gap);
        this.#position = position;
      },
      onMessage: (seq, message) => this.#forward(seq, message),
    });
    if (!isCurrent()) return;
    this.#read = { ...this.#read, upTo: this.#position };
    for (const message of this.#stopReplay("live")) this.#forwardNew(message);
  }

  #onReplayFailed(client: ResumableClient, error: unknown): void {
    this.#options.parts.log.warn("a WebSocket cannot be resumed now", { error: String(error) });
    if (client === this.#client) client.close(CLOSE.cannotResume);
  }

  #stopReplay(phase: Phase): BusMessage[] {
    this.#phase = phase;
    return this.#waiting.takeAll();
  }

  #tell(text: string): void {
    this.#client?.push(text, text.length);
  }
}

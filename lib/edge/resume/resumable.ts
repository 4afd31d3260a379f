/**
 * A connection that outlives its socket: what is sent to it waits until its client comes back.
 *
 * @module
 */
import type { Seated } from "../../crowd.ts";
import { toFrame } from "../../mapping/frame.ts";
import type { ListedConnection } from "../../mapping/listing.ts";
import { renderGap, renderWelcome, toResumedSubject } from "../../mapping/resume.ts";
import { CLOSE, type CloseInfo, mayResume } from "../../mapping/close.ts";
import { OVER, type ResumeRecord } from "../../mapping/connection_record.ts";
import type { BusMessage, BusSubscription } from "../../nats/bus.ts";
import type { Place } from "../admission/load.ts";
import { tell } from "../lifetime/control_events.ts";
import type { Lease } from "../lifetime/lease.ts";
import { ClientFlow } from "./client_flow.ts";
import type { Arrival, ResumableClient, ResumableOptions } from "./resume_client.ts";
import { ResumeParking } from "./resume_parking.ts";

/**
 * How a connection ends here: the workloads are told, unless somebody else holds it by now; somebody else
 * does; it is left to other gateways, once what is known of it has been written; or whatever becomes of it.
 */
export type Ending =
  | { readonly how: "told"; readonly end: CloseInfo }
  | { readonly how: "lost" | "left" | "forgotten" };

/** The socket of the moment, and what it gets. */
interface Attached {
  readonly client: ResumableClient;
  readonly flow: ClientFlow;
}

/** Held by this gateway, with a client or without. */
export class Resumable implements Seated {
  readonly #options: ResumableOptions;
  readonly #lease: Lease<ResumeRecord>;
  readonly #parking: ResumeParking;
  #state: "held" | "over" = "held";
  #attached: Attached | undefined;
  #subscription: BusSubscription | undefined;
  #endWindow: (() => void) | undefined;
  seat: number | undefined;
  /** Among the connections of this gateway; for these alone. */
  number = 0;

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
    return this.#attached?.client.place ?? this.#parking.place;
  }

  get hasClient(): boolean {
    return this.#attached !== undefined;
  }

  /** What its client gets; undefined while that is away. */
  get flow(): ClientFlow | undefined {
    return this.#attached?.flow;
  }

  /** What is told to those who ask who is connected. */
  describe(): ListedConnection {
    return this.#lease.record!.info;
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
    if (this.#state === "over") return client.close(CLOSE.heldElsewhere);
    const { parts, stream, inbox, safeSeq } = this.#options;
    const seq = lastSeq ?? safeSeq();
    const previous = this.#detach();
    const flow = new ClientFlow(client, { parts, stream, inbox, seq });
    this.#attached = { client, flow };
    previous?.close(CLOSE.resumedElsewhere);
    this.#parking.leave();
    const record = this.#lease.record!;
    const { windowMs } = record;
    const say = (text: string) => client.push(text, text.length);
    say(renderWelcome({ token, windowMs, seq, isNew: lastSeq === undefined }));
    if (lastSeq === undefined) {
      if (lostFrom !== undefined) say(renderGap(lostFrom, undefined));
      return;
    }
    // It may come from elsewhere, with a newer token: what its messages say is what its events say.
    const info = { ...client.describe(), since: record.info.since };
    this.#lease.write({ ...record, connection: client.record, info, detached: undefined });
    void flow.resume();
  }

  /** A client's socket is gone; an older client's does not matter any more. */
  detach(client: ResumableClient, end: CloseInfo): void {
    if (client !== this.#attached?.client || this.#state === "over") {
      return client.place[Symbol.dispose]();
    }
    this.#detach();
    this.#parking.enter(client.place);
    if (!mayResume(end)) return this.end({ how: "told", end });
    const record = this.#lease.record!;
    this.#lease.write({ ...record, detached: { end, at: Date.now() + record.windowMs } });
    this.#wait();
  }

  /** Closes its socket, if it has one: a client that may come back will. */
  close(end: CloseInfo): void {
    this.#attached?.client.close(end);
  }

  /** NATS is back. */
  onReconnect(): void {
    this.#attached?.client.onReconnect();
  }

  /** Is held here no more; once. */
  end(ending: Ending): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#endWindow?.();
    this.#subscription?.unsubscribe();
    this.#parking.leave();
    this.#attached?.flow.end();
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
      case "lost":
        this.#lease.drop();
        return this.#detach()?.close(CLOSE.resumedElsewhere);
      case "left":
        return await this.#lease.settled;
      case "forgotten":
        return;
    }
  }

  /** The client of the moment, which gets nothing more. */
  #detach(): ResumableClient | undefined {
    const attached = this.#attached;
    this.#attached = undefined;
    attached?.flow.end();
    return attached?.client;
  }

  #listen(): void {
    const { bus, config } = this.#options.parts;
    const subject = toResumedSubject(this.id, config().prefix);
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
    if (this.#state === "over") return;
    if (this.#attached !== undefined) return this.#attached.flow.onMessage(message);
    const frame = toFrame(message.headers, message.data);
    if (frame.kind === "close") this.end({ how: "told", end: frame });
    else this.#miss(message);
  }

  #miss(message: BusMessage): void {
    if (this.#parking.hasRoom(message)) return;
    this.end({ how: "told", end: CLOSE.tooMuchWaits });
    const { stream, parts: { log } } = this.#options;
    stream.forget(this.inbox).catch((error) => {
      log.warn("what waited for a client cannot be removed", { error: String(error) });
    });
  }
}

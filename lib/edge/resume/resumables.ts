/**
 * The resumable connections that this gateway holds, from wherever they came, until they end or are left.
 *
 * @module
 */
import {
  encodeResumeRecord,
  readResumeRecord,
  RESUME,
  type ResumeRecord,
  toRecordKey,
} from "../../mapping/connection_record.ts";
import { toMovedSubject } from "../../mapping/control.ts";
import { toResumeInbox } from "../../mapping/resume.ts";
import type { BusSubscription } from "../../nats/bus.ts";
import { Semaphore } from "../../nats/jetstream/semaphore.ts";
import type { ResumeStore } from "../../nats/jetstream/resume_stream.ts";
import type { Load } from "../admission/load.ts";
import { repeat } from "../../time/clock.ts";
import { Lease, type LeaseHome, type RecordKind } from "../lifetime/lease.ts";
import type { EdgeParts } from "../parts.ts";
import { Resumable } from "./resumable.ts";
import { ResumeEntrance } from "./resume_entrance.ts";
import { type Holder, Takeover } from "./takeover.ts";
import type { ResumableParts } from "./resume_client.ts";

/** How often clients are told how far they have come, at most. */
const MARK_INTERVAL_MS = 15_000;
/** How many connections catch up at once after NATS was away: each asks JetStream for a consumer. */
const CATCHING_UP = 16;

/** What it takes. */
export type ResumablesParts = ResumableParts & Pick<EdgeParts, "gatewayId">;

/** What is worked with. */
export interface ResumablesOptions {
  readonly parts: ResumablesParts;
  readonly home: LeaseHome;
  readonly stream: ResumeStore;
  /** Where what waits for its client is counted. */
  readonly load: Load;
  /** Called when a connection is held from now on. */
  readonly onHeld: (resumable: Resumable) => void;
  /** Called when it is no longer. */
  readonly onOver: (resumable: Resumable) => void;
}

/** Knows them by id. */
export class Resumables implements Holder, Disposable {
  readonly #options: ResumablesOptions;
  readonly #kind: RecordKind<ResumeRecord>;
  readonly #held = new Map<string, Resumable>();
  readonly #moved: BusSubscription;
  readonly #endMarks: () => void;
  readonly #endState: () => void;
  /** What the stream had reached one interval ago: all of it has been sent on since. */
  #safeSeq = 0;
  readonly #catchingUp = new Semaphore(CATCHING_UP);
  #isLeaving = false;

  /** Takes connections over from other gateways. */
  readonly takeover: Takeover;
  /** Lets clients in. */
  readonly entrance: ResumeEntrance;

  /** Listens to who takes connections from here. */
  constructor(options: ResumablesOptions) {
    this.#options = options;
    const { parts, stream, load, home: { records } } = options;
    const { bus, clock, gatewayId } = parts;
    const { prefix, resume } = parts.config();
    this.#kind = {
      encode: encodeResumeRecord,
      isOurs: (stored) => readResumeRecord(stored)?.owner === gatewayId,
      // Nobody else may hold it when its end is told: only the record knows.
      attempts: Number.POSITIVE_INFINITY,
    };
    const common = { parts, records, load, holder: this };
    this.takeover = new Takeover(common);
    this.entrance = new ResumeEntrance({ ...common, stream, takeover: this.takeover });
    this.#moved = bus.subscribe(
      toMovedSubject(prefix, gatewayId),
      ({ data }) => this.#onMoved(new TextDecoder().decode(data)),
    );
    this.#endState = bus.onState((state) => {
      if (state === "connected") return;
      for (const { flow } of this.#held.values()) flow?.onNatsLost();
    });
    stream.onReady(() => this.#onStream());
    stream.onGone(() => {
      for (const { flow } of this.#held.values()) flow?.onStreamGone();
    });
    const interval = Math.min(MARK_INTERVAL_MS, Math.max(100, resume / 2));
    this.#endMarks = repeat(clock, interval, () => this.#mark());
  }

  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  find(id: string): Resumable | undefined {
    return this.#held.get(id);
  }

  make(id: string): Resumable {
    const { parts, home, stream } = this.#options;
    const lease = new Lease({
      ...{ home, kind: this.#kind, key: toRecordKey(RESUME, id) },
      onLost: () => resumable.end({ how: "lost" }),
    });
    const resumable: Resumable = new Resumable({
      ...{ parts, stream, lease, id, inbox: toResumeInbox(id, parts.config().prefix) },
      safeSeq: () => this.#safeSeq,
      onOver: () => {
        if (this.#held.get(id) === resumable) this.#held.delete(id);
        this.#options.onOver(resumable);
      },
    });
    return resumable;
  }

  /** Two clients that come back at once may both have got it, one after the other. */
  hold(resumable: Resumable): void {
    const other = this.#held.get(resumable.id);
    if (other !== undefined && other.revision > resumable.revision) {
      return resumable.end({ how: "lost" });
    }
    other?.end({ how: "lost" });
    this.#held.set(resumable.id, resumable);
    this.#options.onHeld(resumable);
  }

  /** Looks which connections are still held here. */
  async verify(): Promise<void> {
    await Promise.all([...this.#held.values()].map((resumable) => resumable.verify()));
  }

  /** Leaves all connections to other gateways; those with a client once that is gone. */
  leave(): void {
    this.#isLeaving = true;
    for (const resumable of this.#held.values()) {
      if (!resumable.hasClient) resumable.end({ how: "left" });
    }
  }

  /** Waits for nothing any more. */
  giveUp(): void {
    for (const resumable of this.#held.values()) resumable.end({ how: "lost" });
  }

  /** Holds nothing any more. */
  [Symbol.dispose](): void {
    this.#endMarks();
    this.#endState();
    this.#moved.unsubscribe();
    for (const resumable of this.#held.values()) resumable.end({ how: "forgotten" });
    this.#held.clear();
  }

  /** By now it may have come back: then what was left is not what is held. */
  #onMoved(text: string): void {
    const [id = "", revision] = text.split(" ");
    const held = this.#held.get(id);
    if (held !== undefined && held.revision < Number(revision)) held.end({ how: "lost" });
  }

  /** NATS is back, or the stream is. A stream that ends before what clients have seen is another one. */
  async #onStream(): Promise<void> {
    const { last } = await this.#options.stream.extent();
    this.#safeSeq = last;
    const run = <T>(task: () => Promise<T>) => this.#catchingUp.run(task);
    const all = [...this.#held.values()].map(({ flow }) => flow?.catchUp(last, run));
    Promise.all(all).catch((error) => this.#options.parts.onFault("websocket", error));
  }

  /** One question for all connections. */
  #mark(): void {
    const { stream, parts: { bus, log } } = this.#options;
    if (this.#held.size === 0 || bus.state !== "connected") return;
    stream.extent().then(({ last }) => {
      for (const { flow } of this.#held.values()) flow?.mark(this.#safeSeq);
      this.#safeSeq = last;
    }).catch((error) => log.debug("no mark", { error: String(error) }));
  }
}

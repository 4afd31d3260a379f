/**
 * Who gets which resumable connection: an older one, or one of its own.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { GatewayError } from "../../errors.ts";
import {
  OVER,
  readResumeRecord,
  RESUME,
  type ResumeRecord,
  toRecordKey,
} from "../../mapping/connection_record.ts";
import {
  parseResumeRequest,
  renderNumbered,
  type ResumeRequest,
  toResumeToken,
} from "../../mapping/resume.ts";
import { CLOSE } from "../../mapping/close.ts";
import type { RecordStore } from "../../nats/jetstream/records.ts";
import type { ResumeStore } from "../../nats/jetstream/resume_stream.ts";
import type { Admitted } from "../admission.ts";
import type { Load, Place } from "../admission/load.ts";
import { type EventParts, tell } from "../lifetime/control_events.ts";
import type { EdgeParts } from "../parts.ts";
import type { Connection, ConnectionOwner, Opening } from "../socket/websocket.ts";
import type { Resumable } from "./resumable.ts";
import type { Arrival } from "./resume_client.ts";
import { isSame, toProof } from "./resume_token.ts";
import type { Holder, Takeover } from "./takeover.ts";

/** How often a record that changes hands is tried to be had. */
const MAX_ATTEMPTS = 3;

/** What a handshake has led to. */
interface ResumeEntry extends Arrival {
  readonly resumable: Resumable;
  /** What the client has to show when it comes back. */
  readonly proof: string;
}

/** A handshake that is let in. */
interface Entered {
  readonly admitted: Admitted;
  readonly place: Place;
  readonly entry: ResumeEntry;
}

/** What is worked with. */
export interface ResumeEntranceOptions {
  readonly parts: EventParts & Pick<EdgeParts, "gatewayId">;
  readonly records: RecordStore;
  readonly stream: Pick<ResumeStore, "isReady">;
  readonly load: Load;
  readonly holder: Holder;
  readonly takeover: Takeover;
}

/** Lets clients in that ask for a resumable connection. */
export class ResumeEntrance {
  readonly #options: ResumeEntranceOptions;

  constructor(options: ResumeEntranceOptions) {
    this.#options = options;
  }

  /**
   * Finds the connection that a client asks for, or begins one.
   *
   * @returns The same with its place, and what is told of the socket that comes of it.
   * @throws {GatewayError} `nats_unavailable` while JetStream is away; or that no place is left.
   */
  async open(handshake: Admitted): Promise<Opening> {
    const { admitted, place, entry } = await this.#find(handshake);
    return { admitted, place, owner: this.#toOwner(entry) };
  }

  #toOwner(entry: ResumeEntry): ConnectionOwner {
    const { resumable } = entry;
    return {
      inbox: resumable.inbox,
      // What comes to all at once is kept for nobody; 0 stands for its number.
      wrap: (frame) => renderNumbered(frame, 0),
      add: (connection) => this.#attach(connection, entry),
      remove: (connection, end) => {
        resumable.detach(connection, end);
        if (this.#options.holder.isLeaving) resumable.end({ how: "left" });
      },
    };
  }

  #attach(
    connection: Connection,
    { resumable, token, proof, lastSeq, lostFrom }: ResumeEntry,
  ): void {
    const { parts, holder } = this.#options;
    if (lastSeq === undefined) {
      const { record, route, windowMs } = connection;
      const info = connection.describe();
      const owner = parts.gatewayId;
      resumable.begin({ owner, proof, windowMs, connection: record, info, route });
      holder.hold(resumable);
      tell({ type: "established" }, record, parts);
    }
    resumable.attach(connection, { token, lastSeq, lostFrom });
    if (holder.isLeaving) connection.close(CLOSE.draining);
  }

  async #find(admitted: Admitted): Promise<Entered> {
    const resumeToken = admitted.offer?.asides.resumeToken;
    const request = resumeToken === undefined ? undefined : parseResumeRequest(resumeToken);
    // Who asks in words that cannot be read has missed something, too, whatever it was.
    const lastSeq = request?.lastSeq ?? (resumeToken === undefined ? undefined : 0);
    try {
      if (!this.#options.stream.isReady) throw new Error("its stream is not there");
      const claimed = request && await this.#claim(request, admitted);
      return claimed ?? this.#begin(admitted, lastSeq);
    } catch (cause) {
      if (cause instanceof GatewayError) throw cause;
      throw new GatewayError("nats_unavailable", "Resuming needs JetStream, which is away", {
        cause,
      });
    }
  }

  #begin(admitted: Admitted, lastSeq: number | undefined): Entered {
    const { load, parts, holder } = this.#options;
    const id = admitted.connectionId!;
    const secret = randomBytes(32).toString("base64url");
    return {
      admitted,
      place: load.connect(admitted.remoteAddress, parts.config()),
      entry: {
        resumable: holder.make(id),
        token: toResumeToken(id, secret),
        proof: this.#toProof(secret, admitted),
        lastSeq: undefined,
        lostFrom: lastSeq === undefined ? undefined : lastSeq + 1,
      },
    };
  }

  /** Undefined when there is no such connection, or it is somebody else's. */
  async #claim(
    { id, secret, lastSeq }: ResumeRequest,
    admitted: Admitted,
  ): Promise<Entered | undefined> {
    const proof = this.#toProof(secret, admitted);
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const stored = await this.#options.records.get(toRecordKey(RESUME, id));
      if (stored === undefined) return undefined;
      const record = readResumeRecord(stored.value);
      if (record === undefined) return undefined;
      if (record.detached?.at === OVER || !isSame(record.proof, proof)) return undefined;
      const entered = await this.#enter(admitted, record, stored.revision);
      if (entered === undefined) continue;
      const { connection: { subject }, route } = record;
      const token = toResumeToken(id, secret);
      const entry = { resumable: entered.resumable, token, proof, lastSeq, lostFrom: undefined };
      const { place } = entered;
      return { admitted: { ...admitted, ...route, subject, connectionId: id }, place, entry };
    }
    // It is there: to begin another one would be to lose it.
    throw new GatewayError("nats_unavailable", "The connection changes hands; try again");
  }

  /** The place that the connection has already is no reason to turn its client away. */
  async #enter(
    { remoteAddress }: Admitted,
    record: ResumeRecord,
    revision: number,
  ): Promise<{ place: Place; resumable: Resumable } | undefined> {
    const { load, parts, holder, takeover } = this.#options;
    const known = holder.find(record.info.id);
    const place = load.connect(remoteAddress, parts.config(), known?.place);
    // Another gateway may have taken it over, and this one not have heard of it yet.
    const held = record.owner === parts.gatewayId ? known : undefined;
    let resumable: Resumable | undefined;
    try {
      resumable = held ?? await takeover.take(record, revision);
      return resumable && { resumable, place };
    } finally {
      if (resumable === undefined) place[Symbol.dispose]();
    }
  }

  #toProof(secret: string, admitted: Admitted): string {
    const { jwt } = this.#options.parts.config();
    return toProof(admitted, { secret, tokenParameter: jwt?.query });
  }
}

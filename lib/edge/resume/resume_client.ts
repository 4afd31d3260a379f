/**
 * What a resumable connection knows of its clients, and what it is made of.
 *
 * @module
 */
import type { CloseInfo } from "../../mapping/close.ts";
import type { ConnectionRecord, ResumeRecord } from "../../mapping/connection_record.ts";
import type { ListedConnection } from "../../mapping/listing.ts";
import type { ResumeStore } from "../../nats/jetstream/resume_stream.ts";
import type { Place } from "../admission/load.ts";
import type { Lease } from "../lifetime/lease.ts";
import type { EdgeParts } from "../parts.ts";
import type { EventParts } from "../lifetime/control_events.ts";

/** The socket of the moment. */
export interface ResumableClient {
  /** Its place among the connections. */
  readonly place: Place;
  /** What its control events are made of. */
  readonly record: ConnectionRecord;
  /** What is told to those who ask who is connected. */
  describe(): ListedConnection;
  /** Sends something to the client, unless it is too slow. */
  push(data: string | Uint8Array, length: number): void;
  /** Closes the socket from our side. */
  close(end: CloseInfo): void;
  /** NATS is back. */
  onReconnect(): void;
}

/** How a client is let in. */
export interface Arrival {
  /** What it comes back with next time. */
  readonly token: string;
  /** The last number that it has seen; undefined for a new connection. */
  readonly lastSeq: number | undefined;
  /** From which number on it is not told what it asked for; undefined where it has not asked. */
  readonly lostFrom: number | undefined;
}

/** What it takes to hold one. */
export type ResumableParts =
  & EventParts
  & Pick<EdgeParts, "bus" | "clock" | "log" | "metrics" | "onFault" | "strays">;

/** What a connection is made of. */
export interface ResumableOptions {
  readonly parts: ResumableParts;
  readonly stream: ResumeStore;
  readonly lease: Lease<ResumeRecord>;
  readonly id: string;
  /** What is published there reaches its client. */
  readonly inbox: string;
  /** A number that the stream had reached before the connection was made. */
  readonly safeSeq: () => number;
  /** Called when it is no longer held here. */
  readonly onOver: () => void;
}

/**
 * The WebSockets of this gateway.
 *
 * @module
 */
import { Crowd, type Seated } from "../../crowd.ts";
import { CLOSE, type CloseInfo } from "../../mapping/close.ts";
import { renderData } from "../../mapping/ack.ts";
import type { DataFrame } from "../../mapping/frame.ts";
import { speaksAck } from "../../mapping/resume.ts";
import type { ListedConnection } from "../../mapping/listing.ts";
import type { BusState } from "../../nats/bus.ts";
import type { Load } from "../admission/load.ts";
import { ConnectionRecords, type RecordParts } from "../lifetime/connection_records.ts";
import { tell } from "../lifetime/control_events.ts";
import type { EdgeParts } from "../parts.ts";
import { Resumables, type ResumablesParts } from "../resume/resumables.ts";
import type { Connection, ConnectionOwner } from "../socket/websocket.ts";

/** What is listed as a connection: one that ends with its socket, or one that can be resumed. */
interface Member extends Seated {
  /** Grows from one to the next. */
  number: number;
  describe(): ListedConnection;
  close(end: CloseInfo): void;
  onReconnect(): void;
}

/** What it takes. */
export type ConnectionsParts = RecordParts & ResumablesParts & Pick<EdgeParts, "resume">;

/** Knows who is connected and tells it, closes them when NATS stays away, and when the gateway drains. */
export class Connections implements ConnectionOwner, Disposable {
  readonly #parts: ConnectionsParts;
  readonly #connections = new Crowd<Member>();
  /** Of those who came; a cursor for those who list them. */
  #count = 0;
  readonly #endState: () => void;
  readonly #onFault = (error: unknown): void => this.#parts.onFault("websocket", error);
  #endGrace: (() => void) | undefined;
  #onEmpty: (() => void) | undefined;

  readonly inbox = undefined;
  /** What outlives this gateway. */
  readonly records: ConnectionRecords;
  /** What outlives its sockets; undefined where nothing does. */
  readonly resumables: Resumables | undefined;

  /** @param load Where what waits for its client is counted. */
  constructor(parts: ConnectionsParts, load: Load) {
    this.#parts = parts;
    this.records = new ConnectionRecords(parts, async () => await this.resumables?.verify());
    const { resume: stream } = parts;
    this.resumables = parts.records && stream && new Resumables({
      ...{ parts, home: this.records, stream, load },
      onHeld: (resumable) => this.#hold(resumable),
      onOver: (resumable) => this.#forget(resumable),
    });
    this.#endState = parts.bus.onState((state) => this.#onState(state));
  }

  /** How many are connected. */
  get size(): number {
    return this.#connections.size;
  }

  wrap(frame: DataFrame, protocol: string | undefined): string | Uint8Array {
    if (frame.kind === "binary") return frame.bytes;
    return speaksAck(protocol) ? renderData(frame.text) : frame.text;
  }

  add(connection: Connection): void {
    const { id, record } = connection;
    connection.lease = this.records.keep(id, record, () => this.#abandon(connection));
    tell({ type: "established" }, record, this.#parts);
    this.#hold(connection);
    if (this.#onEmpty !== undefined) connection.close(CLOSE.draining);
  }

  remove(connection: Connection, end: CloseInfo): void {
    connection.place[Symbol.dispose]();
    const tellEnd = () => tell({ type: "closed", ...end }, connection.record, this.#parts);
    const { lease } = connection;
    if (lease === undefined) {
      tellEnd();
      return this.#forget(connection);
    }
    this.records.end(lease, end, tellEnd).catch(this.#onFault)
      .then(() => this.#forget(connection)).catch(this.#onFault);
  }

  /**
   * Describes the connections in the order in which they came.
   *
   * @param after Only those with a larger number.
   * @returns Number and description of each.
   */
  *describe(after: number): Iterable<[number: number, info: ListedConnection]> {
    const later = [...this.#connections].filter(({ number }) => number > after);
    for (const connection of later.sort((a, b) => a.number - b.number)) {
      yield [connection.number, connection.describe()];
    }
  }

  /**
   * Closes all connections, and those that are still opening as they open.
   *
   * @returns When the end of each has been told.
   */
  drain(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onEmpty = resolve;
    this.resumables?.leave();
    if (this.#connections.size === 0) resolve();
    this.#closeAll(CLOSE.draining);
    return promise;
  }

  /** Waits no more for NATS: leaves it to others to tell what has not been told. */
  giveUp(): void {
    this.records.giveUp();
    this.resumables?.giveUp();
  }

  /** Ends what waits for NATS. */
  [Symbol.dispose](): void {
    this.resumables?.[Symbol.dispose]();
    this.records[Symbol.dispose]();
    this.#endGrace?.();
    this.#endState();
  }

  #onState(state: BusState): void {
    const { clock, config } = this.#parts;
    this.#endGrace?.();
    switch (state) {
      case "connected":
        for (const connection of this.#connections) connection.onReconnect();
        break;
      case "disconnected":
        this.#endGrace = clock.after(
          config().natsGrace,
          () => this.#closeAll(CLOSE.natsAway),
        );
        break;
      case "connecting":
      case "closed":
        break;
    }
  }

  #closeAll(end: CloseInfo): void {
    for (const connection of this.#connections) connection.close(end);
  }

  /** Another gateway, which took this one for lost, has told their end: nobody may hear of them again. */
  #abandon(connection: Connection): void {
    this.#forget(connection);
    connection.close(CLOSE.cutOff);
  }

  #hold(connection: Member): void {
    connection.number = ++this.#count;
    this.#connections.add(connection);
  }

  #forget(connection: Member): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }
}

/**
 * Gateways that hold resumable connections, their bucket and their stream: nothing happens by itself.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { GatewayOptions } from "../../../lib/config/options.ts";
import type { Admitted } from "../../../lib/edge/admission.ts";
import { Load } from "../../../lib/edge/admission/load.ts";
import { ConnectionRecords } from "../../../lib/edge/lifetime/connection_records.ts";
import { Resumables } from "../../../lib/edge/resume/resumables.ts";
import type { Resumable } from "../../../lib/edge/resume/resumable.ts";
import type { Connection, ConnectionOwner } from "../../../lib/edge/socket/websocket.ts";
import type { CloseInfo } from "../../../lib/mapping/close.ts";
import { FakeEdge, turn } from "../../harness/fake_edge.ts";
import { FakeResumeStream } from "../../harness/fake_resume_stream.ts";

/** How long clients may be away. */
export const WINDOW_MS = 60_000;
/** A client that has gone without a word. */
export const VANISHED: CloseInfo = { code: 1006, reason: "" };

/** What tells one client from another. */
export interface ClientOptions {
  /** With what it comes back, and the last number that it has seen. */
  readonly token?: string | undefined;
  readonly lastSeq?: number;
  readonly subject?: string;
  readonly remote?: string;
}

/** A client's socket, as the edge sees it. */
export class FakeClient {
  /** What it was sent, the texts of messages with their numbers: `7 hello`. */
  readonly got: string[] = [];
  /** Why the gateway closed it. */
  readonly closed: string[] = [];
  /** What it comes back with. */
  token = "";
  /** Called by the edge as its socket ends. */
  owner!: ConnectionOwner;
  readonly #connection: Connection;

  constructor({ id, place, gateway, lines = "" }: {
    id: string;
    place: unknown;
    gateway: string;
    lines?: string;
  }) {
    const info = { id, inbox: `_INBOX.h8s.resume.${id}`, subject: "h8s.ws.ws.a", host: "a" };
    this.#connection = {
      id,
      place,
      windowMs: WINDOW_MS,
      record: {
        ...{ inbox: info.inbox, subject: info.subject, hostTokens: "a" },
        lines: `${lines}X-H8s-Connection-Id: ${id}\r\nX-H8s-Gateway-Id: ${gateway}\r\n`,
      },
      route: { subscribe: [], mode: "request", isPersistent: false },
      describe: () => ({ ...info, path: "/", query: "", remote: "", since: "now", protocol: "" }),
      push: (data: string) => this.#read(JSON.parse(data)),
      close: ({ code, reason }: CloseInfo) => this.closed.push(`${code} ${reason}`),
      onReconnect: () => {},
    } as unknown as Connection;
  }

  /** Its socket is there. */
  arrive(owner: ConnectionOwner): void {
    this.owner = owner;
    owner.add(this.#connection);
  }

  /** Its socket is gone. */
  leave(end: CloseInfo = VANISHED): void {
    this.owner.remove(this.#connection, end);
  }

  #read(
    { resume, seq, data, mark, gap }: {
      resume?: { token: string; isNew: boolean };
      seq?: number;
      data?: string;
      mark?: number;
      gap?: { from: number; to: number | null };
    },
  ): void {
    if (resume !== undefined) {
      this.token = resume.token;
      this.got.push(resume.isNew ? "new" : "resumed");
    } else if (mark !== undefined) this.got.push(`mark ${mark}`);
    else if (gap !== undefined) this.got.push(`gap ${gap.from}-${gap.to ?? ""}`);
    else this.got.push(`${seq} ${data}`);
  }
}

/** One gateway. */
export class Gateway implements Disposable {
  readonly edge: FakeEdge;
  readonly stream: FakeResumeStream;
  readonly load = new Load();
  readonly records: ConnectionRecords;
  readonly resumables: Resumables;
  /** Those that it holds. */
  readonly held = new Set<Resumable>();
  #count = 0;

  /**
   * @param options Its token; the other gateway whose bucket and stream it shares; its configuration.
   */
  constructor({ id = "G1", beside, config = {} }: {
    id?: string;
    beside?: Gateway;
    config?: GatewayOptions;
  } = {}) {
    const bucket = beside?.edge.records.bucket;
    this.edge = new FakeEdge({
      ...{ id, config: { resume: "60s", ...config } },
      ...(bucket && { bucket }),
    });
    this.stream = beside?.stream ?? new FakeResumeStream();
    const { parts } = this.edge;
    this.records = new ConnectionRecords(parts, () => this.resumables.verify());
    this.resumables = new Resumables({
      ...{ parts, home: this.records, stream: this.stream, load: this.load },
      onHeld: (resumable) => this.held.add(resumable),
      onOver: (resumable) => this.held.delete(resumable),
    });
  }

  /** Its bucket is open. */
  static async open(options: ConstructorParameters<typeof Gateway>[0] = {}): Promise<Gateway> {
    const gateway = new Gateway(options);
    await gateway.records.opened();
    return gateway;
  }

  /** A handshake is let in, and its socket opens. */
  async connect(options: ClientOptions = {}): Promise<FakeClient> {
    const { client, owner } = await this.admit(options);
    client.arrive(owner);
    await turn();
    return client;
  }

  /** A handshake is let in; its socket is still to open. */
  async admit(options: ClientOptions): Promise<{ client: FakeClient; owner: ConnectionOwner }> {
    const { token, lastSeq, subject = "ann", remote = "192.0.2.1" } = options;
    const { gatewayId } = this.edge.parts;
    const handshake = {
      connectionId: `${gatewayId}-${++this.#count}`,
      identity: { subject },
      session: undefined,
      target: { hostTokens: "a", path: "/", query: "" },
      protocol: "h8s.resume.v1",
      remoteAddress: remote,
      subject: "h8s.ws.ws.a",
      offer: { names: [], asides: token ? { resumeToken: `${token}.${lastSeq}` } : {} },
    } as unknown as Admitted;
    const { admitted, place, owner } = await this.resumables.entrance.open(handshake);
    const { connectionId: id = "" } = admitted;
    return { client: new FakeClient({ id, place, gateway: gatewayId }), owner };
  }

  /** How many places are taken: the fewest that would all be. */
  get placesTaken(): number {
    for (let count = 0;; count++) {
      try {
        this.load.checkConnection("", { maxConnections: count + 1, maxConnectionsPerAddress: 0 });
        return count;
      } catch {
        // There are more.
      }
    }
  }

  /** A workload sends to a client: the stream keeps it, and whoever listens hears it. */
  send(id: string, text: string, listeners: readonly Gateway[] = [this]): void {
    const message = this.keep(id, text);
    for (const { edge } of listeners) edge.bus.deliver(`h8s.resumed.${id}`, text, message.headers);
  }

  /** The stream keeps something that nobody hears now. */
  keep(id: string, text: string) {
    return this.stream.keep(`_INBOX.h8s.resume.${id}`, text);
  }

  /** What was kept is heard at last. */
  hear(id: string, message: { headers: string; data: Uint8Array }): void {
    const text = new TextDecoder().decode(message.data);
    this.edge.bus.deliver(`h8s.resumed.${id}`, text, message.headers);
  }

  /** What others are told at a subject. */
  heard(subject: string): string[] {
    return this.edge.bus.published.filter((message) => message.subject === subject)
      .map(({ data }) => new TextDecoder().decode(data));
  }

  [Symbol.dispose](): void {
    this.resumables[Symbol.dispose]();
    this.records[Symbol.dispose]();
    this.edge[Symbol.dispose]();
    assert.equal(this.edge.clock.waiting, 0, "timers");
    assert.deepEqual(this.edge.faults, []);
  }
}

/**
 * One request from when it comes until all of it is over; a WebSocket until it is closed. What becomes known of
 * it is written here, and told once, at its end.
 *
 * @module
 */
import type { ErrorCode, GatewayError } from "../errors.ts";
import type { EndReason } from "../mapping/control.ts";
import type { HeaderEntry, RequestKind } from "../mapping/headers.ts";
import { withoutParameter } from "../mapping/credentials.ts";
import { splitUrl, type Target } from "../mapping/request.ts";
import type { Following, Observation, SocketObservation } from "../telemetry/observation.ts";
import type { Direction } from "../telemetry/metrics.ts";
import type { LogFields } from "../telemetry/log.ts";
import { free } from "../nats/free.ts";
import type { Cors, Page } from "./cors.ts";
import type { EdgeParts } from "./parts.ts";
import type { Peer } from "./peer.ts";

type Ending = EndReason | "refused";

/** What it takes. */
export type VisitParts = Pick<EdgeParts, "config" | "ids" | "log" | "metrics" | "observers">;

/** What a visit is made of. */
export interface VisitOptions {
  readonly parts: VisitParts;
  readonly peer: Peer;
  /** Which TCP connection it came on, of all that there are. */
  readonly connection: string;
  /** Called once its response is out, or given up. */
  readonly onLeft: () => void;
}

/** What needs no word in the log. */
const IN_ORDER: ReadonlySet<Ending> = new Set(["completed", "termination_chunk", "ctx_done"]);
const NOBODY: readonly Following[] = [];

export class Visit implements Observation, Page {
  readonly #parts: VisitParts;
  readonly #onLeft: () => void;
  readonly #begun = performance.now();
  readonly #following: readonly Following[];
  readonly #url: string;
  #target: Target | undefined;
  #hasLeft = false;
  #isOver = false;
  #isAnswered = false;
  #end: Ending | undefined;
  #lent: Uint8Array | undefined;

  readonly peer: Peer;
  readonly connection: string;
  kind: RequestKind = "http";
  time = 0;
  readonly method: string;
  userAgent: string | undefined;
  traceparent: string | undefined;
  subject: string | undefined;
  route: string | undefined;
  status = 0;
  error: ErrorCode | undefined;
  bytesIn = 0;
  bytesOut = 0;
  firstByteMs = 0;
  durationMs = 0;
  socket: SocketObservation | undefined;
  messagesIn = 0;
  messagesOut = 0;
  cors: Cors | undefined;

  constructor(request: Request, { parts, peer, connection, onLeft }: VisitOptions) {
    const { observers } = this.#parts = parts;
    this.#onLeft = onLeft;
    this.peer = peer;
    this.connection = connection;
    this.method = request.method;
    this.#url = request.url;
    this.traceparent = peer.traceparent;
    this.#following = observers.isEmpty ? NOBODY : observers.begin(this);
  }

  get client(): string {
    return this.peer.clientAddress;
  }

  get scheme(): "http" | "https" {
    return this.peer.scheme;
  }

  get requestId(): string {
    return this.peer.requestId;
  }

  get end(): Ending {
    return this.#end ?? "completed";
  }

  get tracestate(): string | undefined {
    return this.peer.tracestate;
  }

  get host(): string {
    if (this.#target !== undefined) return this.#target.authority;
    const { authority } = splitUrl(this.#url);
    return authority.slice(authority.lastIndexOf("@") + 1);
  }

  get path(): string {
    return (this.#target ?? splitUrl(this.#url)).path;
  }

  get query(): string {
    const { query } = this.#target ?? splitUrl(this.#url);
    const { jwt } = this.#parts.config();
    return jwt?.query === undefined ? query : withoutParameter(query, jwt.query);
  }

  /** Its headers are read, with names in lower case; when its end comes the request may be gone. */
  onHeaders(headers: readonly HeaderEntry[]): void {
    this.userAgent = headers.findLast(([name]) => name === "user-agent")?.[1];
  }

  /** Its shape is right: this is what it asks for. */
  onTarget(target: Target): void {
    this.#target = target;
    this.subject = target.subject;
  }

  /** It may go on: this is where its messages go. Returns the `traceparent` that they carry. */
  onAdmitted(subject: string): string {
    this.subject = subject;
    const { observers, ids } = this.#parts;
    const followed = this.#following.length === 0
      ? undefined
      : observers.tell("admitted", this.#following, this);
    return this.traceparent = followed ?? this.traceparent ?? ids.nextTraceparent();
  }

  onSent(): void {
    if (this.#following.length > 0) this.#tell("sent");
  }

  /** A workload takes its body, and at last has all of it. */
  onUpload(step: "uploading" | "uploaded"): void {
    if (this.#following.length > 0) this.#tell(step);
  }

  onChunk(bytes: number): void {
    if (this.bytesOut === 0 && this.#following.length > 0) this.#tell("chunk");
    this.onBody("out", bytes);
  }

  onBody(direction: Direction, bytes: number): void {
    if (direction === "in") this.bytesIn += bytes;
    else this.bytesOut += bytes;
    this.#parts.metrics.bodyBytes(direction, bytes);
  }

  /** All of its response is handed to the platform as it is, and given back when that has it. */
  onWhole(bytes: Uint8Array): void {
    this.onBody("out", bytes.length);
    this.#lent = bytes;
  }

  onMessage(direction: Direction, bytes: number): void {
    if (direction === "in") {
      this.messagesIn++;
      this.bytesIn += bytes;
    } else {
      this.messagesOut++;
      this.bytesOut += bytes;
    }
    this.#parts.metrics.message(direction, bytes);
  }

  /** How it ended, as its close subject tells. */
  onEnd(reason: Ending): void {
    this.#end = reason;
  }

  /** The gateway itself answers, with an error. */
  onError({ code, status, message, cause }: GatewayError): void {
    this.error = code;
    this.#end ??= "refused";
    const { log } = this.#parts;
    const fields = {
      ...this.#toLogFields(status),
      code,
      cause: cause === undefined ? undefined : String(cause),
    };
    if (status === 500) log.error(message, fields);
    else if (status > 500) log.info(`request failed: ${code}`, { ...fields, detail: message });
    else log.info(`request refused: ${code}`, { ...fields, detail: message });
  }

  /** Somebody who was asked does not let it in. */
  onRefused(status: number): void {
    this.#end = "refused";
    this.#parts.log.info("request refused: by a workload", this.#toLogFields(status));
  }

  /** It is a WebSocket from now on; one that is resumed says what it did before. */
  onUpgraded(subject: string): void {
    this.subject = subject;
    // It holds the request.
    this.cors = undefined;
  }

  /** The head of the response goes out now. */
  onAnswered(status: number): void {
    this.status = status;
    if (status === 499) this.#end = "ctx_done";
    this.firstByteMs = performance.now() - this.#begun;
    this.#isAnswered = true;
    if (this.#following.length > 0) this.#tell("answered");
    if (this.#hasLeft && status !== 101) this.#finish();
  }

  /** The response is out; or its client is gone. */
  onLeft(isTaken: boolean): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    if (isTaken && this.#lent !== undefined) free(this.#lent);
    this.#lent = undefined;
    if (!isTaken && IN_ORDER.has(this.end)) this.#end = "ctx_done";
    this.#onLeft();
    // Its response may not be known: one that is upgraded is over before, and so is one whose client has gone.
    const status = this.status || (this.kind === "websocket" ? 101 : 499);
    this.durationMs = performance.now() - this.#begun;
    this.#parts.metrics.requestEnded(status, this);
    if (this.#isAnswered && status !== 101) this.#finish();
  }

  /** It takes nothing, and is waited for no longer. */
  onGivenUp(): void {
    this.onLeft(false);
  }

  /** A WebSocket is over. */
  onClosed(connectionId: string, { code, reason }: { code: number; reason: string }): void {
    const { messagesIn, messagesOut } = this;
    this.socket = { connectionId, messagesIn, messagesOut, closeCode: code, closeReason: reason };
    this.#finish();
  }

  #toLogFields(status: number): LogFields {
    const { requestId, client: remoteAddress, method, host, path, subject } = this;
    return { requestId, remoteAddress, method, host, path, subject, status };
  }

  #tell(step: Exclude<keyof Following, "admitted">): void {
    this.#parts.observers.tell(step, this.#following, this);
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#report();
    const { observers } = this.#parts;
    if (observers.isEmpty) return;
    this.durationMs = performance.now() - this.#begun;
    this.time = Date.now() - this.durationMs;
    if (this.#following.length > 0) this.#tell("end");
    observers.end(this);
  }

  /** Of what the gateway itself answered it has been told; a workload's failure is one as well. */
  #report(): void {
    const { end, error, status } = this;
    if (error !== undefined || end === "refused") return;
    const { log } = this.#parts;
    if (!IN_ORDER.has(end)) log.info(`response broken off: ${end}`, this.#toLogFields(status));
    else if (status >= 500) log.info("a workload answered an error", this.#toLogFields(status));
  }
}

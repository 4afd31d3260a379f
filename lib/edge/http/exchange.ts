/**
 * One HTTP request: out as a NATS message, its reply back as the response.
 *
 * @module
 */
import { GatewayError } from "../../errors.ts";
import { type EndReason, toEndPayload, toRequestClosedSubject } from "../../mapping/control.ts";
import { DEFAULT_WINDOW_BYTES, parseFlowSignal } from "../../mapping/flow.ts";
import { isBodyless, parseReply, type Reply, toStreamEnd } from "../../mapping/reply.ts";
import { toBodyLines, toReplyHeaders, toUploadSubject } from "../../mapping/request.ts";
import { type BusMessage, toKept } from "../../nats/bus.ts";
import type { AbortReason, Receiver, Slot } from "../../nats/inbox.ts";
import type { Admitted } from "../admission.ts";
import type { Visit } from "../visit.ts";
import { type ClientBody, NOTHING } from "./body.ts";
import type { Burst, Runner } from "../limits/bursts.ts";
import { type HttpParts, openBody } from "./delivery.ts";
import { encodeHeaders, natsUnavailable } from "./publish.ts";
import { LENT_BYTES } from "./lend.ts";
import { type Answer, type Content, toResponse } from "./response.ts";
import { ResponseFlow } from "./response_flow.ts";
import type { ResponseStream, ResponseStreamOwner } from "./stream.ts";
import { nobodyStreams, Upload, type UploadOwner, type UploadPhase } from "./upload.ts";

const EMPTY = new Uint8Array();
/** Of what is larger it is seen to that the client takes it. */
const WATCHED_BYTES = 256 * 1024;

/** One request that waits for its reply. */
export class Exchange implements Receiver, Runner, UploadOwner, ResponseStreamOwner {
  readonly visit: Visit;
  readonly borrows = true;
  ticket = 0;
  readonly #admitted: Admitted;
  readonly #parts: HttpParts;
  /** Undefined once it has gone: it is not kept while the reply is waited for. */
  #body: ClientBody | undefined;
  #burst: Burst | undefined;
  readonly #slot: Slot;
  readonly #closeSubject: string;
  readonly #windowBytes: number;
  readonly #response = Promise.withResolvers<Response>();
  #upload: Upload | undefined;
  #stream: ResponseStream | undefined;
  #flow: ResponseFlow | undefined;
  /** How long a stream may be quiet. */
  #idleMs = 0;
  /** Of a stream whose length is known; infinite for any other. */
  #missingBytes = Number.POSITIVE_INFINITY;
  #isWatching = false;
  /** All of the reply is there, and its client has not taken it. */
  #isLeft = false;
  #isEnded = false;

  constructor(admitted: Admitted, { body, parts }: { body: ClientBody; parts: HttpParts }) {
    [this.visit, this.#admitted, this.#body, this.#parts] = [admitted.visit, admitted, body, parts];
    this.#burst = parts.bursts.of(admitted.subject);
    this.#slot = parts.inbox.open(this);
    const wanted = Math.min(DEFAULT_WINDOW_BYTES, parts.config().responseBuffer);
    this.#windowBytes = parts.windows.take(wanted);
    const token = `${parts.gatewayId}-${this.#slot.id}`;
    this.#closeSubject = toRequestClosedSubject(parts.config().prefix, token);
  }

  run(): Promise<Response> {
    this.#slot.setDeadline(this.#admitted.replyMs);
    if (this.#burst?.enter(this)) this.start();
    return this.#response.promise;
  }

  start(): void {
    try {
      if (this.#body !== undefined) this.#publish(this.#body);
    } catch (error) {
      this.#fail(error, "ctx_done");
    }
  }

  onMessage(message: BusMessage): void {
    if (this.#isEnded) return;
    const signal = message.headers === "" ? undefined : parseFlowSignal(message.headers);
    if (signal?.kind === "continue") {
      return this.#upload?.begin(message.reply, signal.windowBytes);
    }
    if (this.#stream !== undefined) {
      if (signal?.kind !== "cancel") return this.#onChunk(this.#stream, message);
      return this.#fail(new Error(signal.reason), "aborted");
    }
    try {
      this.#onHead(parseReply(message.headers, message.data.length), message);
    } catch (error) {
      this.#fail(error, "completed");
    }
  }

  onDeadline(): void {
    const { replyMs } = this.#admitted;
    const detail = `The workload did not reply within ${replyMs} ms`;
    this.#fail(new GatewayError("reply_timeout", detail), "timeout");
  }

  onAbort(reason: AbortReason): void {
    if (reason === "nats_disconnected") return this.#fail(natsUnavailable(), reason);
    this.#fail(new GatewayError("draining", "The gateway stops"), reason);
  }

  /** Watching the signal costs more than most requests; only those that wait are worth it. */
  onWaiting(): void {
    this.#isWatching = true;
    this.#admitted.request.signal.addEventListener("abort", this.#onClientGone);
  }

  onPhase(phase: UploadPhase): void {
    if (this.#isEnded) return;
    this.#slot.setDeadline(phase === "workload" ? this.#admitted.replyMs : Infinity);
  }

  onFailure(error: unknown): void {
    this.#fail(error, "ctx_done");
  }

  onTaken(bytes: number, isDrained: boolean): void {
    if (this.#isEnded) return isDrained ? this.#leaveBurst() : undefined;
    this.#flow?.onTaken(bytes, isDrained);
    this.#restartDeadline();
  }

  onCancel(): void {
    this.#leaveBurst();
    this.#end("ctx_done");
  }

  onStalled(): void {
    this.#leaveBurst();
    if (!this.#isEnded) return this.#fail(new Error("The client takes nothing"), "write_error");
    this.#parts.metrics.responseAborted("write_error");
    this.#stream?.abort("write_error");
    this.visit.onGivenUp();
  }

  #onClientGone = (): void => {
    this.#end("ctx_done");
    this.#response.resolve(new Response(null, { status: 499 }));
  };

  #publish(body: ClientBody): void {
    const { contentLength, subject, headerLines } = this.#admitted;
    const { bus, config } = this.#parts;
    const reply = this.#slot.subject;
    const isUpload = body.kind === "stream";
    const { bytes, giveBack: onWritten } = isUpload ? NOTHING : body;
    if (isUpload) this.#upload = new Upload(body.chunks, this.#parts, this);
    const headers = encodeHeaders([
      headerLines,
      toBodyLines(contentLength, isUpload ? undefined : bytes.length),
      toReplyHeaders({ reply, closeSubject: this.#closeSubject, windowBytes: this.#windowBytes }),
    ], this.#parts);
    const to = isUpload ? toUploadSubject(subject, config().prefix) : subject;
    if (!bus.publish(to, bytes, { reply, headers, onWritten })) throw natsUnavailable();
    this.#body = undefined;
    this.visit.onSent();
  }

  #onHead(reply: Reply, message: BusMessage): void {
    // What comes by credit has been asked for.
    this.#burst?.heard(this, message.reply === "" ? message.data.length : 0);
    switch (reply.kind) {
      case "no_responders":
        if (this.#upload !== undefined) throw nobodyStreams(this.#parts.bus.maxPayload);
        throw new GatewayError("no_responders", "No workload subscribes to this host and path");
      case "bare":
        if (this.#parts.config().bareReplies === "stream") return this.#onStream(reply, message);
        this.#parts.strays.bare(this.#slot.subject);
        return this.#onWhole(reply, message);
      case "single":
        return this.#onWhole(reply, message);
      case "stream":
        return this.#onStream(reply, message);
    }
  }

  /** A small one goes at once. A large one is watched: the client may not take it. */
  #onWhole(reply: Answer, message: BusMessage): void {
    // Of what is small the platform makes a copy at once.
    const { data } = message.data.length < LENT_BYTES ? message : toKept(message);
    if (data.length <= WATCHED_BYTES || this.#isBodyless(reply)) this.#respond(reply, data);
    else {
      this.visit.onBody("out", data.length);
      const stream = this.#stream = openBody(this, { to: this.visit, parts: this.#parts });
      const { headers } = this.#respond(reply, stream.readable);
      headers.set("content-length", String(data.length));
      stream.push(data);
      stream.close();
      this.#isLeft = true;
    }
    this.#end("completed");
  }

  #onStream(reply: Answer, message: BusMessage): void {
    const { data, reply: creditSubject } = message;
    if (creditSubject !== "") {
      const windowBytes = this.#windowBytes;
      this.#flow = new ResponseFlow(this.#parts.bus, { subject: creditSubject, windowBytes });
    }
    if (this.#isBodyless(reply)) {
      this.#respond(reply, EMPTY);
      this.#flow?.cancel("completed");
      return this.#end("completed");
    }
    this.#stream = openBody(this, { to: this.visit, parts: this.#parts });
    this.#idleMs = reply.isEventStream ? Number.POSITIVE_INFINITY : this.#admitted.idleMs;
    if (reply.contentLength !== undefined) this.#missingBytes = Number(reply.contentLength);
    this.#respond(reply, this.#stream.readable);
    if (data.length === 0 && reply.isHeadAlone) return this.#restartDeadline();
    return this.#onChunk(this.#stream, message);
  }

  #isBodyless({ status }: Answer): boolean {
    return this.#admitted.request.method === "HEAD" || isBodyless(status);
  }

  #respond(answer: Answer, body: Content): Response {
    this.#upload?.stop("completed");
    if (body instanceof Uint8Array) this.visit.onWhole(body);
    const isHead = this.#admitted.request.method === "HEAD";
    const response = toResponse(answer, { body, isHead });
    this.#response.resolve(response);
    return response;
  }

  #onChunk(stream: ResponseStream, { data, isBorrowed }: BusMessage): void {
    const end = toStreamEnd(data);
    const missing = this.#missingBytes;
    const isWrong = end === undefined ? data.length > missing : missing > 0 && missing !== Infinity;
    if (isWrong) return this.#fail(new Error("not of the length that was told"), "aborted");
    if (end !== undefined) {
      stream.close();
      return this.#end(end);
    }
    this.#missingBytes -= data.length;
    if (!stream.push(data, isBorrowed)) {
      const { responseBuffer } = this.#parts.config();
      this.#parts.log.warn("response aborted: the client is too slow", { responseBuffer });
      return this.#fail(new Error("overflow"), "overflow");
    }
    this.#flow?.onReceived(data.length);
    this.visit.onChunk(data.length);
    this.#restartDeadline();
  }

  /** Sliding; and a workload that waits for its client's credit is not late. */
  #restartDeadline(): void {
    if (this.#isEnded) return;
    this.#slot.setDeadline(this.#flow?.isExhausted ? Number.POSITIVE_INFINITY : this.#idleMs);
  }

  #fail(error: unknown, reason: EndReason): void {
    if (this.#isEnded) return;
    if (this.#stream !== undefined) {
      this.#parts.metrics.responseAborted(reason);
      this.#stream.abort(reason);
      this.visit.onGivenUp();
    }
    this.#response.reject(error);
    this.#end(reason);
  }

  #end(reason: EndReason): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#slot.release();
    if (!this.#isLeft) this.#leaveBurst();
    this.#parts.windows.giveBack(this.#windowBytes);
    this.#upload?.stop(reason);
    if (reason !== "completed" && reason !== "termination_chunk") this.#flow?.cancel(reason);
    if (this.#isWatching) {
      this.#admitted.request.signal.removeEventListener("abort", this.#onClientGone);
    }
    // Of what has never gone nobody waits for the end.
    if (this.#body?.kind === "stream") this.#body.chunks.return?.().catch(() => {});
    if (this.#body !== undefined) return;
    this.visit.onEnd(reason);
    this.#parts.outbox.publish(this.#closeSubject, toEndPayload(reason));
  }

  #leaveBurst(): void {
    this.#burst?.leave(this);
    this.#burst = undefined;
  }
}

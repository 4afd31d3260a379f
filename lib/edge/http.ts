/**
 * One HTTP request: out as a NATS message, its reply back as the response.
 *
 * @module
 */
import { GatewayError } from "../errors.ts";
import { type EndReason, toRequestClosedSubject } from "../mapping/control.ts";
import { toHeaderBlock } from "../mapping/headers.ts";
import { isBodyless, parseReply, type Reply, toStreamEnd } from "../mapping/reply.ts";
import { toReplyHeaders } from "../mapping/request.ts";
import type { BusMessage } from "../nats/bus.ts";
import type { AbortReason, Receiver, Slot } from "../nats/inbox.ts";
import { encodeLatin1 } from "../nats/wire.ts";
import type { Admitted } from "./admission.ts";
import { readBody, tooLarge } from "./body.ts";
import type { EdgeParts } from "./parts.ts";
import { ResponseStream } from "./stream.ts";

const EMPTY = new Uint8Array();

/**
 * Publishes a request and waits for its reply.
 *
 * @param admitted The request, and where it goes.
 * @param parts Of the edge.
 * @returns The response; its body may still be on its way.
 * @throws {GatewayError} with what the client is to be told.
 */
export async function serveHttp(admitted: Admitted, parts: EdgeParts): Promise<Response> {
  const body = await readBody(admitted.request, parts.config.maxBodySize);
  parts.metrics.bodyBytes("in", body.length);
  const response = admitted.mode === "publish"
    ? publishOnly(admitted, { body, parts })
    : await new Exchange(admitted, parts).run(body);
  const setCookie = admitted.session?.setCookie;
  if (setCookie !== undefined) response.headers.append("set-cookie", setCookie);
  return response;
}

function publishOnly(
  { subject, headerLines }: Admitted,
  { body, parts }: { body: Uint8Array; parts: EdgeParts },
): Response {
  const headers = encodeHeaders(headerLines, { body, parts });
  if (!parts.bus.publish(subject, body, { headers })) throw natsUnavailable();
  return new Response(null, { status: 200 });
}

/** One request that waits for its reply. */
class Exchange implements Receiver {
  readonly #admitted: Admitted;
  readonly #parts: EdgeParts;
  readonly #slot: Slot;
  readonly #closeSubject: string;
  readonly #response = Promise.withResolvers<Response>();
  #stream: ResponseStream | undefined;
  #isWatching = false;
  #isEnded = false;

  constructor(admitted: Admitted, parts: EdgeParts) {
    this.#admitted = admitted;
    this.#parts = parts;
    this.#slot = parts.inbox.open(this);
    const token = `${parts.gatewayId}-${this.#slot.id}`;
    this.#closeSubject = toRequestClosedSubject(parts.config.prefix, token);
  }

  run(body: Uint8Array): Promise<Response> {
    const { subject, headerLines } = this.#admitted;
    const reply = this.#slot.subject;
    const lines = headerLines + toReplyHeaders({ reply, closeSubject: this.#closeSubject });
    try {
      const headers = encodeHeaders(lines, { body, parts: this.#parts });
      if (!this.#parts.bus.publish(subject, body, { reply, headers })) {
        throw natsUnavailable();
      }
    } catch (error) {
      this.#slot.release();
      throw error;
    }
    this.#slot.setDeadline(this.#parts.config.requestTimeout);
    return this.#response.promise;
  }

  onMessage({ headers, data }: BusMessage): void {
    if (this.#isEnded) return;
    this.#slot.setDeadline(this.#parts.config.requestTimeout);
    if (this.#stream !== undefined) return this.#onChunk(this.#stream, data);
    try {
      this.#onHead(parseReply(headers, data.length), data);
    } catch (error) {
      this.#fail(error, "completed");
    }
  }

  onDeadline(): void {
    const { requestTimeout } = this.#parts.config;
    const detail = `The workload did not reply within ${requestTimeout} ms`;
    this.#fail(new GatewayError("reply_timeout", detail), "timeout");
  }

  onAbort(reason: AbortReason): void {
    switch (reason) {
      case "nats_disconnected":
        return this.#fail(natsUnavailable(), reason);
      case "draining":
        return this.#fail(new GatewayError("draining", "The gateway stops"), reason);
    }
  }

  /** Watching the signal costs more than most requests; only those that wait are worth it. */
  onWaiting(): void {
    this.#isWatching = true;
    this.#admitted.request.signal.addEventListener("abort", this.#onClientGone);
  }

  #onClientGone = (): void => {
    this.#end("ctx_done");
    this.#response.resolve(new Response(null, { status: 499 }));
  };

  #onHead(reply: Reply, data: Uint8Array): void {
    switch (reply.kind) {
      case "no_responders":
        throw new GatewayError("no_responders", "No workload subscribes to this host and path");
      case "single":
        this.#respond(reply, data);
        return this.#end("completed");
      case "stream": {
        if (isBodyless(reply.status) || this.#admitted.request.method === "HEAD") {
          this.#respond(reply, EMPTY);
          return this.#end("completed");
        }
        const { responseBuffer } = this.#parts.config;
        const stream = new ResponseStream(responseBuffer, () => this.#end("ctx_done"));
        this.#stream = stream;
        this.#respond(reply, stream.readable);
        return this.#onChunk(stream, data);
      }
    }
  }

  #respond(
    { status, headers, contentLength }: Exclude<Reply, { kind: "no_responders" }>,
    body: Uint8Array | ReadableStream<Uint8Array<ArrayBuffer>>,
  ): void {
    const isHead = this.#admitted.request.method === "HEAD";
    const isEmpty = isHead || isBodyless(status);
    const response = new Response(isEmpty ? null : body as BodyInit, { status });
    for (const [name, value] of headers) response.headers.append(name, value);
    if (isHead && contentLength !== undefined) {
      response.headers.set("content-length", contentLength);
    }
    if (body instanceof Uint8Array) this.#parts.metrics.bodyBytes("out", body.length);
    this.#response.resolve(response);
  }

  #onChunk(stream: ResponseStream, data: Uint8Array): void {
    const end = toStreamEnd(data);
    if (end !== undefined) {
      stream.close();
      return this.#end(end);
    }
    if (!stream.push(data)) {
      const { responseBuffer } = this.#parts.config;
      this.#parts.log.warn("response aborted: the client is too slow", { responseBuffer });
      return this.#fail(new Error("overflow"), "overflow");
    }
    this.#parts.metrics.bodyBytes("out", data.length);
  }

  #fail(error: unknown, reason: EndReason): void {
    if (this.#isEnded) return;
    if (this.#stream !== undefined) {
      this.#parts.metrics.responseAborted(reason);
      this.#stream.abort(reason);
    }
    this.#response.reject(error);
    this.#end(reason);
  }

  #end(reason: EndReason): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#slot.release();
    if (this.#isWatching) {
      this.#admitted.request.signal.removeEventListener("abort", this.#onClientGone);
    }
    this.#parts.outbox.publish(this.#closeSubject, new TextEncoder().encode(reason));
  }
}

function encodeHeaders(
  lines: string,
  { body, parts }: { body: Uint8Array; parts: EdgeParts },
): Uint8Array {
  const headers = encodeLatin1(toHeaderBlock(lines));
  const room = parts.bus.maxPayload - headers.length;
  if (room < 0) {
    throw new GatewayError("headers_too_large", "The header block is larger than NATS can carry");
  }
  if (body.length > room) throw tooLarge(room);
  return headers;
}

function natsUnavailable(): GatewayError {
  return new GatewayError("nats_unavailable", "The gateway has lost its connection to NATS");
}

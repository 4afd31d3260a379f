/**
 * One HTTP request in a workload: message → `Request` → handler → `Response` → reply.
 *
 * @module
 */
import { type Incoming, toRequestUrl } from "../../mapping/incoming.ts";
import { findHeader } from "../../mapping/headers.ts";
import { HEADER } from "../../mapping/names.ts";
import { toInbox } from "../../mapping/socket_message.ts";
import { ConsumerSpan } from "../../router/consumer_span.ts";
import type { BusMessage } from "../../nats/bus.ts";
import type { CloseWatch } from "../close_watch.ts";
import { type Link, LinkLostError } from "../link.ts";
import { type ProblemKind, toFailure } from "./problem.ts";
import { CreditPace } from "./credit_pace.ts";
import type { FlowInbox } from "./flow_inbox.ts";
import { FlushPace, ReplyWriter } from "./reply_writer.ts";
import { BodyError, sendResponse } from "./respond.ts";
import { type RequestBody, type ServeHandler, toHandlerRequest, toServeInfo } from "./handler.ts";
import type { ServeErrorHook } from "../serve_options.ts";
import { UploadBody } from "./upload_body.ts";
import type { PathTokens } from "../../mapping/subject.ts";

/** What all of a workload share. */
export interface AnsweringParts {
  readonly link: Link;
  readonly handler: ServeHandler;
  readonly closeWatch: CloseWatch;
  readonly flow: FlowInbox;
  readonly onError: ServeErrorHook;
}

/** A request that is for this workload. */
export interface AnsweringInput {
  readonly message: BusMessage;
  readonly incoming: Incoming;
  /**
   * From `toPathTokens`; stands in for an original path that is missing. Undefined where nobody knows
   * where in the subject it begins.
   */
  readonly pathTokens: PathTokens | undefined;
  readonly method: string;
  /** What the handler is to think of it. */
  readonly handlerMethod: string;
  /** The answer to an `OPTIONS` that is none for the handler. */
  readonly allow?: string;
  /** Stands in for a host that is missing. */
  readonly host: string;
}

/** What to do where a message has no host: the gateway in Go sends none with HTTP. */
const SAY_THE_HOST = `serve it by its name instead of "*", or send ${HEADER.originalHost}`;

/** A request in flight. */
export class Answering {
  readonly #parts: AnsweringParts;
  readonly #input: AnsweringInput;
  readonly #abort = new AbortController();
  readonly #inbox: string;
  readonly #unwatch: () => void;
  readonly #endState: () => void;
  readonly #ended = Promise.withResolvers<void>();
  #span: ConsumerSpan | undefined;
  #upload: UploadBody | undefined;
  #writer: ReplyWriter | undefined;

  constructor(input: AnsweringInput, parts: AnsweringParts) {
    this.#input = input;
    this.#parts = parts;
    const { message, incoming: { control } } = input;
    this.#inbox = toInbox(input.incoming, message.reply);
    this.#unwatch = parts.closeWatch.watch(control.get("connection-close-subject") ?? "", {
      gateway: toGateway(this.#inbox),
      onGone: (reason) => this.abort(`the client is gone: ${reason}`),
    });
    this.#endState = parts.link.onState((isConnected) => {
      if (!isConnected) this.#onLinkLost();
    });
  }

  /** Resolves when the whole response has been published, or will never be. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /**
   * Calls the handler, then begins to send what it returned.
   *
   * @returns When the handler is done; the response's body may go on. Never rejects.
   */
  async handle(): Promise<void> {
    if (this.#abort.signal.aborted) return this.#end();
    const { pathTokens, allow, message: { subject } } = this.#input;
    if (allow !== undefined) {
      return this.#send(new Response(null, { status: 204, headers: { allow } }));
    }
    if (pathTokens === undefined) {
      this.#parts.onError(
        new Error(`Cannot tell host from path in "${subject}": ${SAY_THE_HOST}`),
        "request",
      );
      return this.#send(this.#toProblem("unknown_host"));
    }
    const body = this.#toBody();
    const request = this.#toRequest(pathTokens, body);
    if (request === undefined) return this.#send(this.#toProblem("malformed_request"));
    const span = this.#span = this.#startSpan(request);
    try {
      const info = toServeInfo(this.#input, body);
      const response: unknown = await span.run(() => this.#parts.handler(request, info));
      this.#send(toResponse(response));
    } catch (error) {
      span.fail(error);
      if (!this.#isAbort(error)) this.#parts.onError(error, "handler");
      this.#send(this.#toProblem("internal"));
    }
  }

  /** Answers 503 without calling the handler: too many requests wait. */
  refuse(): void {
    this.#send(this.#toProblem("overloaded"));
  }

  /** Aborts the request's signal, and sends nothing more. */
  abort(reason: string): void {
    this.#abortWith(new DOMException(`The request was aborted: ${reason}`, "AbortError"));
  }

  /**
   * Aborts the request because the workload stops: the client waits still, and is told so.
   */
  giveUp(): void {
    const writer = this.#writer;
    this.abort("the workload stops");
    if (writer === undefined) this.#sendStopping();
    else if (writer.isBegun && this.#heedsFlow) writer.breakOff();
  }

  #sendStopping(): void {
    // The request's own signal, which would keep it back, is for what the handler still returns.
    const { signal } = new AbortController();
    const writer = new ReplyWriter(this.#parts.link, { subject: this.#inbox, signal });
    const { method } = this.#input;
    if (this.#inbox === "") return;
    sendResponse(this.#toProblem("stopping"), { writer, method, signal })
      .catch((error) => this.#parts.onError(error, "reply"));
  }

  #abortWith(error: Error): void {
    this.#abort.abort(error);
    this.#upload?.abort(error);
  }

  /** What was on its way is lost, so a stream has a hole now, whichever way it goes. */
  #onLinkLost(): void {
    const error = new LinkLostError("Cannot go on: NATS was lost in the middle of a stream");
    this.#upload?.cutOff(error);
    if (!this.#writer?.isBegun) return;
    this.#parts.onError(error, "reply");
    this.#abortWith(error);
  }

  #send(response: Response): void {
    this.#respond(response)
      .catch((error) => this.#parts.onError(error, "reply"))
      .finally(() => this.#end());
  }

  #end(): void {
    this.#unwatch();
    this.#endState();
    this.#span?.end();
    this.#upload?.abort(new DOMException("The request was answered", "AbortError"));
    this.#ended.resolve();
  }

  async #respond(response: Response): Promise<void> {
    const { signal } = this.#abort;
    // Where nobody wants a reply (`nats pub`, a route with `mode: publish`), the handler ran all the same.
    if (signal.aborted || this.#inbox === "") {
      return await response.body?.cancel(signal.reason).catch(() => {});
    }
    // Not `using`: the library is for Node releases, too, that do not know it.
    const pace = this.#toPace();
    const writer = new ReplyWriter(this.#parts.link, { subject: this.#inbox, signal, pace });
    this.#writer = writer;
    const { method } = this.#input;
    try {
      await sendResponse(response, { writer, method, signal });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof BodyError) this.#parts.onError(error.cause, "body");
      else this.#parts.onError(error, "reply");
      if (this.#parts.link.isClosed) return;
      if (writer.isBegun) return this.#heedsFlow ? writer.breakOff() : undefined;
      await sendResponse(this.#toProblem("internal"), { writer, method, signal });
    } finally {
      pace[Symbol.dispose]();
    }
  }

  /** In bytes; 0 where the gateway, e.g. the one in Go, speaks no flow control. */
  get #windowBytes(): number {
    return Number(this.#input.incoming.control.get("window") ?? 0);
  }

  get #heedsFlow(): boolean {
    return this.#windowBytes > 0;
  }

  #toPace(): CreditPace | FlushPace {
    const { link, flow: inbox } = this.#parts;
    if (!this.#heedsFlow) return new FlushPace(link);
    const windowBytes = this.#windowBytes;
    const onCancel = (reason: string) => this.abort(`the client is gone: ${reason}`);
    return new CreditPace({ inbox, windowBytes, signal: this.#abort.signal, onCancel });
  }

  #toRequest(pathTokens: PathTokens, body: RequestBody): Request | undefined {
    const { incoming, handlerMethod: method, host } = this.#input;
    const { signal } = this.#abort;
    try {
      const url = toRequestUrl(incoming, { host, pathTokens });
      return toHandlerRequest(url, { method, incoming, body, signal });
    } catch (error) {
      this.#parts.onError(error, "request");
      return undefined;
    }
  }

  /** The handler's part of the trace; what it passes on by hand belongs to it, too. */
  #startSpan(request: Request): ConsumerSpan {
    const { incoming, message: { subject }, method } = this.#input;
    const traceparent = findHeader(incoming.headers, "traceparent");
    const span = new ConsumerSpan({ name: `process ${method}`, subject, traceparent });
    if (span.traceparent !== undefined) request.headers.set("traceparent", span.traceparent);
    return span;
  }

  #toBody(): RequestBody {
    const { incoming: { control }, message: { data } } = this.#input;
    if (control.get("body") === "stream") {
      const { link, flow } = this.#parts;
      this.#upload = new UploadBody(link, { flow, inbox: this.#inbox });
      return this.#upload.readable as ReadableStream<Uint8Array<ArrayBuffer>>;
    }
    return data.length === 0 ? null : data as Uint8Array<ArrayBuffer>;
  }

  #toProblem(kind: ProblemKind): Response {
    const requestId = findHeader(this.#input.incoming.headers, "x-request-id") ?? "";
    return toFailure(kind, requestId);
  }

  /** A handler that gives up because the client did is no failure. */
  #isAbort(error: unknown): boolean {
    const { aborted, reason } = this.#abort.signal;
    return aborted && (error === reason || (error as Error | undefined)?.name === "AbortError");
  }
}

/** A response of another realm or a polyfill is as good; a `Response.error()` is none. */
function toResponse(value: unknown): Response {
  const response = value as Partial<Response> | null | undefined;
  if (typeof response?.status !== "number" || response.headers === undefined) {
    throw new TypeError("Cannot reply: the handler did not return a Response");
  }
  const { status } = response;
  if (!(Number.isInteger(status) && status >= 200 && status <= 599)) {
    throw new RangeError(`Cannot reply: the status "${status}" is no whole number of 200–599`);
  }
  if (response.bodyUsed) throw new TypeError("Cannot reply: the response's body was used already");
  if (response instanceof Response) return response;
  // Those of another realm are checked: a line break in a value would be another header.
  const { body = null } = response;
  return { status, headers: new Headers([...response.headers]), body } as Response;
}

/** `_INBOX.h8s.<gateway>.<id>`; empty where the inbox is another. */
function toGateway(inbox: string): string {
  return /^_INBOX\.h8s\.([^.]+)\.[^.]+$/.exec(inbox)?.[1] ?? "";
}

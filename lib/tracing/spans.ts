/**
 * Spans of what comes in, by OpenTelemetry's semantic conventions: one of the server, and one of the message
 * that it becomes, whose child a workload's own is.
 *
 * @module
 */
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from "@opentelemetry/api";
import { parseTraceparent, toTraceparent } from "../router/traceparent.ts";
import type { Following, Observation, Observer } from "../telemetry/observation.ts";

/** What is traced. */
export interface SpanOptions {
  /** Its sampler takes everything: the choice is made before, so that what is not traced costs nothing. */
  readonly tracer: Tracer;
  /** The share of requests, from 0 to 1; where a trusted proxy's `traceparent` says, it decides. */
  readonly share: number;
}

const SAMPLED = 1;
/** HTTP's and PATCH; any other is one label, since clients make them up. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]);

/** Makes spans of what is observed. */
export function createSpans({ tracer, share }: SpanOptions): Observer {
  return {
    begin(observation) {
      const parent = parseTraceparent(observation.traceparent);
      const isSampled = parent === undefined
        ? Math.random() < share
        : (parent.traceFlags & SAMPLED) !== 0;
      return isSampled ? new TracedRequest(tracer, { observation, parent }) : undefined;
    },
  };
}

/** One request, or one handshake, that is traced. */
class TracedRequest implements Following {
  readonly #tracer: Tracer;
  readonly #server: Span;
  readonly #context: Context;
  #message: Span | undefined;
  #isOver = false;

  constructor(
    tracer: Tracer,
    { observation, parent }: { observation: Observation; parent: SpanContext | undefined },
  ) {
    this.#tracer = tracer;
    const method = toMethod(observation.method);
    const context = parent === undefined
      ? ROOT_CONTEXT
      : trace.setSpanContext(ROOT_CONTEXT, parent);
    const attributes = toRequestAttributes(observation, method);
    const options = { kind: SpanKind.SERVER, attributes };
    this.#server = tracer.startSpan(method === "_OTHER" ? "HTTP" : method, options, context);
    this.#context = trace.setSpan(context, this.#server);
  }

  admitted({ method, subject, route, requestId }: Observation): string {
    if (route !== undefined) {
      this.#server.setAttribute("http.route", route);
      this.#server.updateName(`${toMethod(method)} ${route}`);
    }
    const attributes: Attributes = {
      "messaging.system": "nats",
      "messaging.operation.name": "publish",
      "messaging.operation.type": "send",
      "messaging.destination.name": subject,
      "messaging.destination.template": route,
      "messaging.message.id": requestId,
    };
    const name = route === undefined ? "publish" : `publish ${route}`;
    const options = { kind: SpanKind.PRODUCER, attributes };
    this.#message = this.#tracer.startSpan(name, options, this.#context);
    return toTraceparent(this.#message.spanContext());
  }

  sent(): void {
    this.#message?.end();
  }

  uploading(): void {
    this.#server.addEvent("upload");
  }

  uploaded(): void {
    this.#server.addEvent("uploaded");
  }

  chunk(): void {
    this.#server.addEvent("first chunk");
  }

  answered(observation: Observation): void {
    this.#server.addEvent("first byte");
    // A WebSocket may live for days; what it says has spans of its own, linked to this one.
    if (observation.status === 101) this.#finish(observation);
  }

  end(observation: Observation): void {
    this.#finish(observation);
  }

  #finish({ status, error, end, bytesIn, bytesOut, userAgent }: Observation): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#message?.end();
    const span = this.#server;
    span.setAttribute("http.response.status_code", status);
    if (userAgent !== undefined) span.setAttribute("user_agent.original", userAgent);
    if (bytesIn > 0) span.setAttribute("http.request.body.size", bytesIn);
    if (bytesOut > 0) span.setAttribute("http.response.body.size", bytesOut);
    const isWhole = end === "completed" || end === "termination_chunk" || end === "refused";
    if (!isWhole) span.addEvent("aborted", { reason: end });
    const failure = error ?? (isWhole || end === "ctx_done" ? `${status}` : end);
    if (status >= 500 || !(isWhole || end === "ctx_done")) {
      span.setAttribute("error.type", failure);
      span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
    }
    span.end();
  }
}

function toRequestAttributes(observation: Observation, method: string): Attributes {
  const { scheme, path, host, client, requestId, method: asked } = observation;
  return {
    "http.request.method": method,
    "http.request.method_original": method === asked ? undefined : asked,
    "url.scheme": scheme,
    "url.path": path,
    "server.address": host,
    "client.address": client,
    "h8s.request.id": requestId,
  };
}

function toMethod(method: string): string {
  return METHODS.has(method) ? method : "_OTHER";
}

/**
 * The trace goes on in whoever takes a message: a span that is its sender's child. Without an OpenTelemetry
 * SDK in the process nothing of it does anything.
 *
 * @module
 */
import {
  type Context,
  context,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { parseTraceparent, toTraceparent } from "./traceparent.ts";

/** A message that is taken. */
export interface Consumed {
  /** What the span is called, e.g. `"process /chat"`. */
  readonly name: string;
  readonly subject: string;
  /** The message's `Traceparent` (W3C Trace Context). */
  readonly traceparent: string | undefined;
  /** A WebSocket's messages carry its handshake's, which may be days old: they are linked to it. */
  readonly relation?: "child" | "link";
}

/** A consumer's span. */
export class ConsumerSpan {
  readonly #context: Context;
  readonly #span: Span;

  constructor({ name, subject, traceparent, relation = "child" }: Consumed) {
    const sender = parseTraceparent(traceparent);
    const isLinked = sender !== undefined && relation === "link";
    const outer = context.active();
    const parent = sender === undefined || isLinked ? outer : trace.setSpanContext(outer, sender);
    this.#span = trace.getTracer("h8s").startSpan(name, {
      kind: SpanKind.CONSUMER,
      attributes: {
        "messaging.system": "nats",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": subject,
      },
      links: isLinked ? [{ context: sender }] : [],
    }, parent);
    this.#context = trace.setSpan(parent, this.#span);
  }

  /** What is done in it, a `fetch()` say, continues the trace. */
  run<T>(work: () => T): T {
    return context.with(this.#context, work);
  }

  /** What its own messages carry; undefined where nothing is traced. */
  get traceparent(): string | undefined {
    return this.#span.isRecording() ? toTraceparent(this.#span.spanContext()) : undefined;
  }

  fail(error: unknown): void {
    const message = toText(error);
    this.#span.recordException(error instanceof Error ? error : message);
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message });
  }

  end(status?: number): void {
    if (status !== undefined) this.#span.setAttribute("http.response.status_code", status);
    this.#span.end();
  }
}

/** Anything may be thrown, what has no text too: `Object.create(null)`. */
function toText(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return "something without a text";
  }
}

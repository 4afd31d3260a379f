/**
 * What is counted of messages and events on their way into streams.
 *
 * @module
 */
import { Counter, type Registry } from "prom-client";

/** By what became of them, all at zero from the beginning. */
export class StreamMetrics {
  readonly #messages: Counter;
  readonly #repeats: Counter;
  readonly #events: Counter;

  /** Registers the metrics. */
  constructor(registry: Registry) {
    const registers = [registry];
    this.#messages = new Counter({
      name: "h8s_persisted_messages_total",
      help: "Messages for the stream, by what became of them",
      labelNames: ["outcome"],
      registers,
    });
    this.#repeats = new Counter({
      name: "h8s_persisted_messages_repeated_total",
      help: "Messages for the stream that were published again under their id, by why",
      labelNames: ["cause"],
      registers,
    });
    this.#events = new Counter({
      name: "h8s_events_kept_total",
      help: "Events for their stream, by what became of them",
      labelNames: ["outcome"],
      registers,
    });
    for (const outcome of ["stored", "refused", "unavailable"]) this.#messages.inc({ outcome }, 0);
    for (const cause of ["late", "reconnect"]) this.#repeats.inc({ cause }, 0);
    for (const outcome of ["stored", "refused"]) this.#events.inc({ outcome }, 0);
  }

  /** It is known what became of a message. */
  messagePersisted(outcome: string): void {
    this.#messages.inc({ outcome });
  }

  /** A message is published again. */
  messageRepeated(cause: string): void {
    this.#repeats.inc({ cause });
  }

  /** It is known what became of an event. */
  eventKept(outcome: string): void {
    this.#events.inc({ outcome });
  }
}

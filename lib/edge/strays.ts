/**
 * What comes to the gateway's inbox and is nobody's answer: acknowledgements of streams that captured a
 * request, and what follows a reply that was whole. Nothing of it vanishes in silence.
 *
 * @module
 */
import type { Bus, BusMessage } from "../nats/bus.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { cancelAsk } from "../nats/credit.ts";
import { asksForCredit } from "../mapping/flow.ts";

/** How many names of streams are remembered, so that each is told once. */
const MAX_STREAMS = 100;
/** How many requests are remembered that were answered without headers. */
const MAX_BARE = 1024;

/** Counts them, and says once what is wrong and what to do. */
export class Strays {
  readonly #bus: Bus;
  readonly #metrics: Metrics;
  readonly #log: Log;
  readonly #streams = new Set<string>();
  /** The inboxes of the last requests with a bare reply, the oldest first. */
  readonly #bare = new Set<string>();
  #hasToldFollowers = false;

  constructor({ bus, metrics, log }: { bus: Bus; metrics: Metrics; log: Log }) {
    this.#bus = bus;
    this.#metrics = metrics;
    this.#log = log;
  }

  /** A stream has acknowledged what was no message for it. */
  ack(stream: string): void {
    this.#metrics.streamAckIgnored();
    if (this.#streams.has(stream) || this.#streams.size === MAX_STREAMS) return;
    this.#streams.add(stream);
    this.#log.warn("a stream captures what clients send, and answers it: ignored", {
      stream,
      advice: `set no_ack on the stream, or take the gateway's subjects out of it`,
    });
  }

  /** A request was answered by a message that did not say whether more would follow. */
  bare(inbox: string): void {
    this.#bare.add(inbox);
    if (this.#bare.size <= MAX_BARE) return;
    const [oldest = ""] = this.#bare;
    this.#bare.delete(oldest);
  }

  /** A message has come that nobody waits for any more. */
  unclaimed(message: BusMessage): void {
    const { subject, data, reply } = message;
    if (asksForCredit(message)) return cancelAsk(this.#bus, reply);
    if (data.length === 0 || !this.#bare.has(subject)) return;
    this.#metrics.bareReplyFollowed();
    if (this.#hasToldFollowers) return;
    this.#hasToldFollowers = true;
    this.#log.warn("a workload sent more after a reply without headers: ignored", {
      advice: "begin a stream with the header Status-Code: 200, or set --bare-replies stream",
    });
  }
}

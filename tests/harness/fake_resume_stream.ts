/**
 * The stream of resumable connections, in memory: it is late, fails, forgets or begins anew when a test says so.
 *
 * @module
 */
import type { BusMessage } from "../../lib/nats/bus.ts";
import type { Extent, ResumeStore } from "../../lib/nats/jetstream/resume_stream.ts";

interface Kept {
  readonly seq: number;
  readonly message: BusMessage;
}

/** What several gateways read. */
export class FakeResumeStream implements ResumeStore {
  isReady = true;
  readonly ready = Promise.resolve();
  /** Whether what is read waits for {@link FakeResumeStream.arrive}. */
  isLate = false;
  /** Whether reading fails. */
  fails = false;
  /** The connections whose messages were removed. */
  readonly forgotten: string[] = [];
  /** How many are reading, and how many have at once at most. */
  reading = 0;
  mostReading = 0;
  #kept: Kept[] = [];
  #last = 0;
  readonly #late: (() => void)[] = [];
  readonly #tasks: (() => Promise<void>)[] = [];

  /** Takes a message; returns it with its number, as it is republished. */
  keep(inbox: string, text: string): BusMessage {
    const seq = ++this.#last;
    const headers = `NATS/1.0\r\nNats-Sequence: ${seq}\r\n\r\n`;
    const message = { subject: inbox, reply: "", headers, data: new TextEncoder().encode(text) };
    this.#kept.push({ seq, message });
    return message;
  }

  /** Has nothing left that is older. */
  forgetBefore(seq: number): void {
    this.#kept = this.#kept.filter((kept) => kept.seq >= seq);
  }

  /** Is another one, of the same name. */
  beginAnew(): void {
    this.#kept = [];
    this.#last = 0;
  }

  /** What is late arrives, in order. */
  arrive(): void {
    for (const done of this.#late.splice(0)) done();
  }

  /** NATS is back, and the stream with it. */
  async comeBack(): Promise<void> {
    for (const task of this.#tasks) await task();
  }

  onReady(task: () => Promise<void>): void {
    this.#tasks.push(task);
  }

  /** Nobody deletes it. */
  onGone(): void {}

  extent(): Promise<Extent> {
    return Promise.resolve({ first: this.#kept[0]?.seq ?? this.#last + 1, last: this.#last });
  }

  async replay(
    inbox: string,
    { from, onMessage }: { from: number; onMessage: (seq: number, message: BusMessage) => void },
  ): Promise<void> {
    this.mostReading = Math.max(this.mostReading, ++this.reading);
    if (this.isLate) await new Promise<void>((resolve) => this.#late.push(resolve));
    this.reading--;
    if (this.fails) throw new Error("Cannot replay: JetStream does not answer");
    for (const { seq, message } of this.#kept) {
      if (seq >= from && message.subject === inbox) onMessage(seq, message);
    }
  }

  forget(inbox: string): Promise<void> {
    this.forgotten.push(inbox);
    return Promise.resolve();
  }

  [Symbol.dispose](): void {}
}

/**
 * What a client missed, read from the stream.
 *
 * @module
 */
import { renderGap } from "../../mapping/resume.ts";
import type { Bus, BusMessage } from "../../nats/bus.ts";
import type { ResumeStore } from "../../nats/jetstream/resume_stream.ts";

/** Whose messages are read, and who gets them. */
export interface ReplayOptions {
  /** The connection's. */
  readonly inbox: string;
  /** The last number that the client has seen. */
  readonly lastSeq: number;
  /** False once nobody waits for it any more. */
  readonly isCurrent: () => boolean;
  /** Called first: up to which number nothing will come, and what to tell the client if some of it is lost. */
  readonly onStart: (position: number, gap: string | undefined) => void;
  /** Called for each message, in order. */
  readonly onMessage: (seq: number, message: BusMessage) => void;
}

/**
 * Reads what was sent to a connection after a number. Whoever calls it listens to what comes live already.
 *
 * @param parts The connection to NATS, and the stream.
 * @returns When all has been read.
 * @throws {Error} when the stream does not tell all of it.
 */
export async function replay(
  { bus, stream }: { bus: Bus; stream: ResumeStore },
  { inbox, lastSeq, isCurrent, onStart, onMessage }: ReplayOptions,
): Promise<void> {
  // The server knows of our subscription from here on: nothing is missed.
  await bus.flush();
  const { first, last } = await stream.extent();
  if (!isCurrent()) return;
  const next = lastSeq + 1;
  // A stream that ends before what the client has seen is another one; its numbers begin anew.
  const isOther = lastSeq > last;
  const from = isOther ? first : Math.max(first, next);
  const to = isOther ? undefined : first - 1;
  onStart(from - 1, from === next ? undefined : renderGap(next, to));
  if (from > last) return;
  await stream.replay(inbox, {
    from: Math.max(1, from),
    onMessage: (seq, message) => {
      if (isCurrent()) onMessage(seq, message);
    },
  });
}

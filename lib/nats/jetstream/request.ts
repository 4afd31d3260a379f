/**
 * Requests to JetStream by a slot of the gateway's own inbox and its own way to the socket: through the client
 * library one takes several times as much of the processor.
 *
 * @module
 */
import type { HeaderBlock } from "../../mapping/headers.ts";
import { parseApiAnswer } from "../../mapping/jetstream.ts";
import type { Bus, BusMessage } from "../bus.ts";
import type { Inbox } from "../inbox.ts";

/** What is asked. */
export interface JetStreamRequest {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers?: HeaderBlock;
  /** How long JetStream may take to answer, in milliseconds. */
  readonly timeoutMs: number;
}

/** What it takes to ask. */
export interface RequestParts {
  readonly bus: Pick<Bus, "publish">;
  readonly inbox: Pick<Inbox, "open">;
}

/** JetStream does not do what it was asked. */
export class JetStreamError extends Error {
  override readonly name = "JetStreamError";

  /** @param code Its own, e.g. 10071 for another last sequence than was expected; undefined where nobody answers. */
  constructor(message: string, readonly code?: number) {
    super(message);
  }
}

/**
 * Asks JetStream. The request is on its way when this returns.
 *
 * @returns The fields of its answer.
 * @throws {JetStreamError} when it refuses, or there is nobody who could answer.
 * @throws {Error} when NATS is away, or the answer does not come in time: it may be done or not.
 */
export async function requestJetStream(
  { subject, data, headers, timeoutMs }: JetStreamRequest,
  { bus, inbox }: RequestParts,
): Promise<Readonly<Record<string, unknown>>> {
  const { promise, resolve, reject } = Promise.withResolvers<BusMessage>();
  const slot = inbox.open({
    takesAcks: true,
    onMessage: resolve,
    onDeadline: () => reject(new Error(`JetStream did not answer within ${timeoutMs} ms`)),
  });
  try {
    slot.setDeadline(timeoutMs);
    const isOut = bus.publish(subject, data, {
      reply: slot.subject,
      ...(headers === undefined ? {} : { headers }),
    });
    if (!isOut) throw new Error("Cannot ask JetStream: NATS is not connected");
    const message = await promise;
    const answer = parseApiAnswer(message.headers, message.data);
    if (answer.kind === "done") return answer.fields;
    if (answer.kind === "refused") throw new JetStreamError(answer.reason, answer.code);
    throw new JetStreamError(`Nobody takes what is published to "${subject}"`);
  } finally {
    slot.release();
  }
}

/**
 * What the doctor asks of NATS.
 *
 * @module
 */
import { createInbox } from "@nats-io/nats-core";
import { type HeaderBlock, toHeaderBlock, toHeaderLine } from "../../mapping/headers.ts";
import { HEADER, INBOX } from "../../mapping/names.ts";
import { toAckedStream } from "../../mapping/stream_ack.ts";
import type { BusMessage } from "../../nats/bus.ts";
import type { Session } from "../../nats/client/session.ts";
import { pause } from "../../time/within.ts";
import type { OpenNats } from "../nats.ts";
import { settle } from "../rights.ts";
import type { Need } from "./needs.ts";

/** How long a stream may take to answer for another. */
const ANSWER_MS = 500;
/** No stream has this name, so that none keeps what is tried (ADR-8: the expected stream). */
const NOT_KEPT = toHeaderBlock(toHeaderLine(HEADER.natsExpectedStream, "H8S_DOCTOR"));

/** What became of the rights. */
export interface Tried {
  readonly missing: readonly Need[];
  /** Streams that capture what is tried, by its subject. */
  readonly captured: ReadonlyMap<string, string>;
}

/**
 * Tries rights.
 *
 * @param options The connection, and what NATS complains of.
 * @returns Those that NATS refused, and streams that answered.
 */
export async function tryRights(
  needs: readonly Need[],
  { session, errors }: Pick<OpenNats, "session" | "errors">,
): Promise<Tried> {
  const inbox = createInbox(INBOX);
  const captured = new Map<string, string>();
  const subscriptions = [session.subscribe(`${inbox}.*`, ({ subject, headers, data }) => {
    const need = needs[Number(subject.slice(inbox.length + 1))];
    const stream = toAckedStream(headers, data);
    if (need !== undefined && stream !== undefined) captured.set(need.subject, stream);
  })];
  for (const [index, { verb, subject, payload }] of needs.entries()) {
    if (verb === "subscribe") {
      // Who asks what this one listens to is not answered.
      subscriptions.push(session.subscribe(subject, () => {}));
      continue;
    }
    session.publish(subject, new TextEncoder().encode(payload), {
      reply: `${inbox}.${index}`,
      ...(subject.startsWith("$JS.") ? {} : { headers: NOT_KEPT }),
    });
  }
  const violations = await settle(session, errors);
  await pause(ANSWER_MS);
  for (const subscription of subscriptions) subscription.unsubscribe();
  const missing = needs.filter(({ verb, subject }) =>
    violations.some((violation) =>
      violation.subject === subject && (violation.operation === "publish") === (verb === "publish")
    )
  );
  return { missing, captured };
}

/**
 * Asks once.
 *
 * @param request Where, with what; and how long an answer may take, in milliseconds.
 * @returns The answer; undefined where there is none in time.
 */
export async function askOnce(
  session: Session,
  { subject, payload = "", headers, timeoutMs = 2000 }: {
    subject: string;
    payload?: string;
    headers?: HeaderBlock;
    timeoutMs?: number;
  },
): Promise<BusMessage | undefined> {
  const inbox = createInbox(INBOX);
  const { promise, resolve } = Promise.withResolvers<BusMessage | undefined>();
  const subscription = session.subscribe(inbox, resolve);
  const timer = setTimeout(() => resolve(undefined), timeoutMs);
  session.publish(subject, new TextEncoder().encode(payload), {
    reply: inbox,
    ...(headers === undefined ? {} : { headers }),
  });
  const answer = await promise;
  clearTimeout(timer);
  subscription.unsubscribe();
  return answer;
}

/**
 * Asks JetStream's API.
 *
 * @param call E.g. `"STREAM.INFO.said"`.
 * @param request JSON; empty for none.
 * @returns What it answers; undefined where it does not.
 */
export async function askJetStream(
  session: Session,
  call: string,
  request = "",
): Promise<Record<string, unknown> | undefined> {
  const answer = await askOnce(session, { subject: `$JS.API.${call}`, payload: request });
  if (answer === undefined || answer.data.length === 0) return undefined;
  return JSON.parse(new TextDecoder().decode(answer.data));
}

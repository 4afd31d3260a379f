/**
 * A request that waits for no workload: it is published, and answered at once.
 *
 * @module
 */
import { GatewayError } from "../../errors.ts";
import {
  type HeaderBlock,
  type HeaderLines,
  joinLines,
  toHeaderBlock,
} from "../../mapping/headers.ts";
import { toPersistLines } from "../../mapping/jetstream.ts";
import { toFingerprint, toKeyId } from "../../mapping/message_id.ts";
import { toBodyLines } from "../../mapping/request.ts";
import type { Outcome, Persist } from "../../nats/jetstream/persist.ts";
import { encodeLatin1 } from "../../mapping/latin1.ts";
import type { Admitted } from "../admission.ts";
import { isKnown, toWho } from "../admission/identity.ts";
import type { ClientBody } from "./body.ts";
import { tooLarge } from "./body_reader.ts";
import type { EdgeParts } from "../parts.ts";

/** What it takes. */
export type PublishParts = Pick<EdgeParts, "bus" | "ids" | "keys" | "persist">;

/**
 * Publishes a request.
 *
 * @param admitted The request, and where it goes.
 * @returns 202 with `{"stream","seq","duplicate"}` once a stream has it, where it is persisted; else 200.
 * @throws {GatewayError} `not_stored` when the stream does not take it, or does not say so in time;
 * `key_reused` when its `Idempotency-Key` was another request's.
 */
export async function publishOnly(
  admitted: Admitted,
  { body, parts }: { body: ClientBody; parts: PublishParts },
): Promise<Response> {
  if (body.kind === "stream") {
    body.chunks.return?.().catch(() => {});
    throw tooLarge(parts.bus.maxPayload);
  }
  const lines = [admitted.headerLines, toBodyLines(admitted.contentLength, body.bytes.length)];
  if (admitted.isPersistent && parts.persist !== undefined) {
    return await store(admitted, { lines, data: body.bytes, persist: parts.persist, parts });
  }
  const headers = encodeHeaders(lines, parts);
  if (!parts.bus.publish(admitted.subject, body.bytes, { headers })) throw natsUnavailable();
  admitted.visit.onSent();
  return new Response(null, { status: 200 });
}

async function store(
  admitted: Admitted,
  { lines, data, persist, parts }: {
    lines: readonly HeaderLines[];
    data: Uint8Array;
    persist: Persist;
    parts: PublishParts;
  },
): Promise<Response> {
  const messageId = await toMessageId(admitted, { data, parts });
  const own = toPersistLines({ stream: persist.stream, messageId });
  const headers = encodeLatin1(encodeHeaders([...lines, own], parts));
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  persist.publish({ subject: admitted.subject, data, headers }, resolve);
  admitted.visit.onSent();
  const outcome = await promise;
  if (outcome.kind === "refused" && outcome.isTooLarge) throw tooLarge(parts.bus.maxPayload);
  if (outcome.kind !== "stored") {
    throw new GatewayError("not_stored", `The message is not stored: ${outcome.reason}`);
  }
  const { stream, seq, duplicate } = outcome;
  return Response.json({ stream, seq, duplicate }, { status: 202 });
}

/** Only the client's own key makes two requests one; what a proxy calls a request does not. */
async function toMessageId(
  { request: { method }, subject, target, identity, session, idempotencyKey: key }: Admitted,
  { data, parts }: { data: Uint8Array; parts: PublishParts },
): Promise<string> {
  if (key === undefined) return parts.ids.nextRequestId();
  const { hostTokens, pathTokens, query } = target;
  const who = isKnown(identity) ? toWho(identity) : session?.id ?? "";
  const messageId = toKeyId(key, { who, method, subject, hostTokens, pathTokens });
  await parts.keys?.use(messageId, toFingerprint(query, data));
  return messageId;
}

/**
 * Makes a header block of lines.
 *
 * @returns The block as latin-1 text, which is encoded where it is written.
 * @throws {GatewayError} `headers_too_large` when NATS cannot carry them.
 */
export function encodeHeaders(
  lines: readonly HeaderLines[],
  { bus }: Pick<EdgeParts, "bus">,
): HeaderBlock {
  const headers = toHeaderBlock(joinLines(...lines));
  if (headers.length <= bus.maxPayload) return headers;
  throw new GatewayError("headers_too_large", "The header block is larger than NATS can carry");
}

/** The error for a request that cannot be published. */
export function natsUnavailable(): GatewayError {
  return new GatewayError("nats_unavailable", "The gateway has lost its connection to NATS");
}

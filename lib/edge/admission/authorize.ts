/**
 * Identity: a workload says who may come in.
 *
 * @module
 */
import type { SessionConfig } from "../../config/options/routing.ts";
import { GatewayError } from "../../errors.ts";
import { parseVerdict, toAuthorizeSubject, type Verdict } from "../../mapping/authorize.ts";
import {
  type HeaderEntry,
  type HeaderLines,
  joinLines,
  toHeaderBlock,
  toHeaderLine,
  valueOf,
} from "../../mapping/headers.ts";
import { findBearer } from "../../mapping/credentials.ts";
import { isSecretHeader } from "../../mapping/masking.ts";
import { digest } from "../../mapping/message_id.ts";
import { isBodyless } from "../../mapping/reply.ts";
import { toRequestHeaders } from "../../mapping/request.ts";
import type { BusMessage } from "../../nats/bus.ts";
import { encodeLatin1 } from "../../mapping/latin1.ts";
import type { EdgeParts } from "../parts.ts";
import type { Candidate } from "./check.ts";
import { type Identify, type Identity, isKnown } from "./identity.ts";
import { withoutSession } from "./session_cookie.ts";

const EMPTY = new Uint8Array();

/** An authorizer's own answer to a client that it does not let in. */
export class Refusal extends Error {
  /** Always `"Refusal"`. */
  override readonly name = "Refusal";
  readonly #headers: readonly HeaderEntry[];
  readonly #body: Uint8Array<ArrayBuffer>;

  /** @param status 300–599. */
  constructor(
    readonly status: number,
    { headers, body }: { headers: readonly HeaderEntry[]; body: Uint8Array },
  ) {
    super(`The authorizer refused with ${status}`);
    this.#headers = headers;
    this.#body = new Uint8Array(body);
  }

  /** The answer as the client gets it. */
  toResponse(): Response {
    const { status } = this;
    const response = new Response(isBodyless(status) ? null : this.#body, { status });
    for (const [name, value] of this.#headers) response.headers.append(name, value);
    return response;
  }
}

/**
 * A workload is asked, with the request's headers, credentials included.
 *
 * @returns What finds out; it throws a {@link Refusal} with the workload's own answer.
 */
export function authorizedIdentity(parts: AuthorizerParts): Identify {
  return async (candidate) => {
    const { kind, target: { hostTokens } } = candidate;
    const subject = toAuthorizeSubject(kind, { prefix: parts.config().prefix, hostTokens });
    const { headers, data } = await askInTime(
      { subject, lines: toQuestion(candidate, parts) },
      parts,
    );
    const verdict = parseVerdict(headers, data.length);
    switch (verdict.kind) {
      case "no_responders":
        throw new GatewayError("identity_unavailable", "Nobody answers who may come in");
      case "refused":
        throw new Refusal(verdict.status, { headers: verdict.headers, body: data });
      case "accepted":
        return toIdentity(verdict, { candidate, session: parts.config().session });
    }
  };
}

function toIdentity(
  { protocol, ...rest }: Extract<Verdict, { kind: "accepted" }>,
  shown: { candidate: Candidate; session: SessionConfig | undefined },
): Identity {
  if (protocol === undefined || shown.candidate.offer?.names.includes(protocol)) {
    const credential = isKnown(rest) ? undefined : toCredential(shown);
    return { protocol, ...rest, credential };
  }
  const detail = "The authorizer's reply picks a subprotocol that was not offered";
  throw new GatewayError("malformed_reply", detail);
}

/** Secret, but of one request alone: proofs (RFC 9449, RFC 9421) among them, which a client makes anew for a retry. */
const OF_ONE_REQUEST: ReadonlySet<string> = new Set(
  "dpop idempotency-key sec-websocket-key signature signature-input x-csrf-token x-xsrf-token"
    .split(" "),
);

/**
 * An authorizer that does not say who it is has let in whoever holds what was shown, in whichever header it
 * looked. A token is the same one in a header and among the subprotocols.
 */
function toCredential(
  { candidate, session }: { candidate: Candidate; session: SessionConfig | undefined },
): string | undefined {
  const { headers, peer } = candidate;
  const token = findBearer(headers) ?? findAside(candidate);
  const isSecure = peer.scheme === "https";
  const shown = token === undefined ? [] : [token];
  for (const [name, value] of headers) {
    if (!isSecretHeader(name) || OF_ONE_REQUEST.has(name)) continue;
    if (name === "authorization" && token !== undefined) continue;
    const isCookie = name === "cookie" && session !== undefined;
    const rest = isCookie ? withoutSession(value, { config: session, isSecure }) : value;
    if (rest !== "") shown.push(`${name}: ${rest}`);
  }
  return shown.length === 0 ? undefined : digest(JSON.stringify(shown));
}

/** What it takes to ask a workload. */
export type AskParts = Pick<EdgeParts, "bus" | "config" | "inbox">;
/** And to ask about a request. */
export type AuthorizerParts = AskParts & Pick<EdgeParts, "ids">;

/** A question about a request, before it is let in. */
interface Question {
  readonly subject: string;
  /** Of its header block. */
  readonly lines: HeaderLines;
  /** Says whether a reply is meant for this question; @default any that has headers */
  readonly isAnswer?: (message: BusMessage) => boolean;
}

/**
 * Asks a workload.
 *
 * @throws {GatewayError} when there is none in time.
 */
export function askInTime(
  { subject, lines, isAnswer = hasHeaders }: Question,
  parts: AskParts,
): Promise<BusMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<BusMessage>();
  const { authorizeTimeout } = parts.config();
  const slot = parts.inbox.open({
    onMessage(message) {
      if (isAnswer(message)) resolve(message);
    },
    onDeadline() {
      const detail = `The workload that decides did not reply within ${authorizeTimeout} ms`;
      reject(new GatewayError("reply_timeout", detail));
    },
    onAbort: () => reject(new GatewayError("nats_unavailable", "NATS is not connected")),
  });
  const headers = encodeLatin1(toHeaderBlock(lines));
  slot.setDeadline(authorizeTimeout);
  const isTaken = headers.length <= parts.bus.maxPayload &&
    parts.bus.publish(subject, EMPTY, { reply: slot.subject, headers });
  if (!isTaken) reject(new GatewayError("nats_unavailable", "NATS does not take the question"));
  return promise.finally(() => slot.release());
}

/** A stream that captures the question answers without: that is no verdict. */
function hasHeaders({ headers }: BusMessage): boolean {
  return headers !== "";
}

/** The token among the subprotocols, which counts where there is no header for it. */
function findAside({ headers, offer }: Candidate): string | undefined {
  return valueOf(headers, "authorization") === undefined ? offer?.asides.bearer : undefined;
}

/** A token among the subprotocols is asked about, too, as if it were in its header. */
function toQuestion(candidate: Candidate, { ids }: Pick<EdgeParts, "ids">): HeaderLines {
  const { headers, target, kind, peer } = candidate;
  const provenance = {
    ...peer,
    traceparent: peer.traceparent ?? ids.nextTraceparent(),
    sessionId: undefined,
  };
  const { subject } = target;
  const lines = toRequestHeaders(headers, { target, subject, kind, provenance });
  const token = findAside(candidate);
  if (token === undefined) return lines;
  return joinLines(lines, toHeaderLine("Authorization", `Bearer ${token}`));
}

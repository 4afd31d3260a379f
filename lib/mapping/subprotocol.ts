/**
 * `Sec-WebSocket-Protocol`: what a client offers, and which one it gets.
 *
 * @module
 */
import { GatewayError } from "../errors.ts";
import { HTTP_TOKEN } from "./headers.ts";

/** What a client may say in passing; a browser can set no header but this one. */
const ASIDES = {
  "bearer.": "bearer",
  "h8s.ack.client.": "ackClient",
  "h8s.ping.": "ping",
  "h8s.resume.token": "resumeToken",
} as const;

/** The gateway's own subprotocols begin so; no workload is asked for them. */
const OWN_PREFIX = "h8s.";

/** Credentials for the workload, as Kubernetes has them: passed on, and never picked. */
const CREDENTIAL_PREFIX = "base64url.bearer.";

/** A client's offer, read. */
export interface Offer {
  /** What may be picked, in the client's order; all that a workload gets to see. */
  readonly names: readonly string[];
  /** What it says in passing; never picked, never forwarded. */
  readonly asides: Readonly<Partial<Record<typeof ASIDES[keyof typeof ASIDES], string>>>;
}

const NOTHING: Offer = { names: [], asides: {} };

/**
 * Reads an offer. Empty elements of the list do not count (RFC 9110 §5.6.1.2), but one has to be there.
 *
 * @param header The value of `Sec-WebSocket-Protocol`; null without one. `a,b` and `a, b` are the same.
 * @throws {GatewayError} `malformed_request` when it is not a list of tokens.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseOffer } from "./subprotocol.ts";
 *
 * const { names, asides } = parseOffer("chat, bearer.secret");
 * assert.deepEqual(names, ["chat"]);
 * assert.equal(asides.bearer, "secret");
 * ```
 */
export function parseOffer(header: string | null): Offer {
  if (header === null) return NOTHING;
  const items = header.split(",").map((item) => item.trim()).filter((item) => item !== "");
  if (items.length === 0 || !items.every((item) => HTTP_TOKEN.test(item))) {
    const detail = "Cannot upgrade: Sec-WebSocket-Protocol is not a list of tokens";
    throw new GatewayError("malformed_request", detail);
  }
  const names: string[] = [];
  const asides: Record<string, string> = {};
  for (const item of items) {
    const prefix = Object.keys(ASIDES).find((prefix) => item.startsWith(prefix));
    if (prefix === undefined) names.push(item);
    else {asides[ASIDES[prefix as keyof typeof ASIDES]] ??= item.slice(prefix.length).replace(
        /^\./,
        "",
      );}
  }
  return { names, asides };
}

/**
 * Picks a subprotocol: the first that is offered, since browsers fail the connection when none is; but of
 * the gateway's own only one that it speaks on this connection.
 *
 * @param names From {@link parseOffer}.
 * @param spoken The gateway's own that can be had.
 * @returns The one; undefined where none is offered.
 * @throws {GatewayError} `malformed_request` when nothing is offered but what cannot be had.
 */
export function pickSubprotocol(
  names: readonly string[],
  spoken: readonly string[],
): string | undefined {
  const choice = names.filter((name) => !name.startsWith(CREDENTIAL_PREFIX));
  const picked = choice.find((name) => !isOwn(name) || spoken.includes(name));
  if (picked !== undefined || choice.length === 0) return picked;
  const detail = `Cannot upgrade: ${names.join(", ")} is not spoken here`;
  throw new GatewayError("malformed_request", detail);
}

/**
 * Says whether a subprotocol is the gateway's own.
 *
 * @returns True for what no workload is asked for.
 */
export function isOwn(name: string): boolean {
  return name.startsWith(OWN_PREFIX);
}

/**
 * What of an offer a workload may pick.
 *
 * @param names From {@link parseOffer}.
 * @returns The names without the gateway's own and without credentials.
 */
export function listPickable(names: readonly string[]): readonly string[] {
  return names.filter((name) => !isOwn(name) && !name.startsWith(CREDENTIAL_PREFIX));
}

/**
 * Subjects that a server would not take: it would close the connection that all clients share.
 *
 * @module
 */
import { GatewayError } from "../errors.ts";
import type { EdgeParts } from "./parts.ts";
import { natsUnavailable } from "./http/publish.ts";
import type { Routed } from "./admission/routing.ts";

/** What stands beside a subject in a line of the protocol: a reply subject, sizes, blanks. */
const BESIDE_BYTES = 100;

/**
 * Refuses a request whose subjects do not fit.
 *
 * @returns Nothing for all but long ones: then the server may have to be asked.
 * @throws {GatewayError} `uri_too_long`; `nats_unavailable` when it cannot be asked.
 */
export function checkSubjects(
  { subject, subscribe }: Pick<Routed, "subject" | "subscribe">,
  { controlLine }: Pick<EdgeParts, "controlLine">,
): void | Promise<void> {
  let longest = subject.length;
  for (const { length } of subscribe) longest = Math.max(longest, length);
  const fits = controlLine.fits(longest + BESIDE_BYTES);
  if (fits instanceof Promise) return fits.then((fits) => refuseUnless(fits, longest), unavailable);
  refuseUnless(fits, longest);
}

function refuseUnless(fits: boolean, length: number): void {
  if (fits) return;
  const detail = `The path makes a subject of ${length} bytes, more than NATS takes here`;
  throw new GatewayError("uri_too_long", detail);
}

function unavailable(): never {
  throw natsUnavailable();
}

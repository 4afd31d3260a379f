/**
 * Close codes as a label.
 *
 * @module
 */

/** The last of RFC 6455 §7.4.1 and of the IANA's registry besides. */
const LAST_OF_PROTOCOL = 1015;
const REGISTERED: ReadonlySet<number> = new Set([3000, 3003, 3008]);
/** What the gateway itself says, and its clients. */
const OWN: ReadonlySet<number> = new Set([4401, 4499]);

/**
 * The label of a close code. A client may choose among four thousand, and each would be a series for ever.
 *
 * @returns The code where it is a known one, else `other`.
 */
export function toCodeLabel(code: number): string {
  const isKnown = code <= LAST_OF_PROTOCOL || REGISTERED.has(code) || OWN.has(code);
  return isKnown ? String(code) : "other";
}

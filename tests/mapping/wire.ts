/**
 * What may stand on the wire, said once more and independently of `lib/mapping`, and generators for it.
 *
 * @module
 */
import fc from "fast-check";

/** A subject that can be published to: tokens of the contract's alphabet, none of them empty. */
export const SUBJECT = /^[A-Za-z0-9\-_~$&+:=@%]+(?:\.[A-Za-z0-9\-_~$&+:=@%]+)*$/;
/** One line of a header block, as RFC 9110 and NATS ADR-4 allow it. */
export const HEADER_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t\x20-\x7e\x80-\xff]*$/;

/** RFC 9110 §5.6.2 `tchar`, not too rarely a name that means something. */
export const headerName: fc.Arbitrary<string> = fc.oneof(
  fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,16}$/),
  fc.constantFrom(
    ...["accept", "set-cookie", "content-type", "content-length", "transfer-encoding"],
    ...["connection", "upgrade", "host", "forwarded", "x-forwarded-for", "traceparent"],
    ...["x-h8s-replysubject", "x-h8s-close", "x-h8s-", "nats-rollup", "nats-msg-id"],
    ...["status", "status-code", "client-id", "reply-to", "keep-alive", "te"],
  ).chain((name) => fc.mixedCase(fc.constant(name))),
);

/** RFC 9110 §5.5 `field-value`: no control characters, no blanks around it. */
export const headerValue: fc.Arbitrary<string> = fc
  .string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) })
  .map((text) => text.replaceAll("\x7f", "").replace(/^[ \t]+|[ \t]+$/g, ""));

/** Several headers, names in any case. */
export const headerPairs: fc.Arbitrary<[string, string][]> = fc.array(
  fc.tuple(headerName, headerValue),
  { maxLength: 8 },
);

/** A header block that no well-behaved peer would write. */
export const hostileBlock: fc.Arbitrary<string> = fc.array(fc.oneof(
  fc.constantFrom("NATS/1.0", "NATS/1.0 503", "\r\n", "\r", "\n", "\0", ":", " ", "\t", "200", ""),
  fc.constantFrom("Status: ", "Status-Code: ", "Content-Length: ", "X-H8s-Close: ", "101", "5 6"),
  fc.constantFrom("X-H8s-Credit: ", "X-H8s-Continue: ", "X-H8s-Frame: ", "binary", "1006 x", "-1"),
  fc.constantFrom("Connection: ", "Set-Cookie: a=1", "Host: ", "X-Forwarded-Proto: ", "4000 bye"),
  headerName,
  headerValue,
)).map((pieces) => pieces.join(""));

/** UTF-8. */
export function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

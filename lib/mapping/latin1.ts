/**
 * Header blocks as bytes, and what is written in them: latin-1, one byte a character, which no platform's own
 * decoder reads (what the web calls `latin1` is windows-1252).
 *
 * @module
 */
import type { Buffer } from "node:buffer";

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });
// deno-lint-ignore no-control-regex -- what UTF-8 and latin-1 have in common
const ASCII = /^[\x00-\x7f]*$/;
/** As many arguments as a call surely takes. */
const PIECE = 8192;

/** The fast way; browsers have none. */
const { Buffer: NodeBuffer } = globalThis as { Buffer?: typeof Buffer };

/**
 * Encodes text, one byte a character.
 *
 * @param text Characters up to U+00FF.
 */
export function encodeLatin1(text: string): Uint8Array {
  // Nearly all of it is ASCII, which is the same in UTF-8, and that encoder is the platform's own.
  const bytes = ENCODER.encode(text);
  return bytes.length === text.length
    ? bytes
    : NodeBuffer?.from(text, "latin1") ?? encodeByHand(text);
}

/**
 * Decodes bytes, one character a byte.
 *
 * @returns Characters up to U+00FF.
 */
export function decodeLatin1(bytes: Uint8Array): string {
  return NodeBuffer === undefined
    ? decodeByHand(bytes)
    : NodeBuffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** Text as a header line holds it: its bytes in UTF-8, one character each. */
export function toByteText(text: string): string {
  return ASCII.test(text) ? text : decodeLatin1(ENCODER.encode(text));
}

/** Undoes {@link toByteText}; U+FFFD for what is no UTF-8. */
export function fromByteText(text: string): string {
  return ASCII.test(text) ? text : DECODER.decode(encodeLatin1(text));
}

/** {@link toByteText} of what somebody else chose: nothing in it begins another line. */
export function toHeaderText(text: string): string {
  // deno-lint-ignore no-control-regex -- these are the characters to take out
  return toByteText(text).replace(/[\x00-\x1f\x7f]/g, " ");
}

/** {@link encodeLatin1} where the platform does not help. */
export function encodeByHand(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** {@link decodeLatin1} where the platform does not help. */
export function decodeByHand(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += PIECE) {
    text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  }
  return text;
}

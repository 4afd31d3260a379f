/**
 * WebSocket message ↔ NATS message.
 *
 * @module
 */
import { encodeLatin1 } from "./latin1.ts";
import { CLOSE, type CloseInfo, isSendable, NO_STATUS, toCloseReason } from "./close.ts";
import {
  findHeader,
  type HeaderLines,
  isNoResponders,
  parseHeaderBlock,
  toHeaderLine,
} from "./headers.ts";
import { HEADER } from "./names.ts";

/** What a WebSocket message is made of. */
export type FrameKind = "text" | "binary";

/** What a NATS message asks the gateway to do with a WebSocket. */
export type Frame =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "binary"; readonly bytes: Uint8Array }
  | { readonly kind: "close" } & CloseInfo
  /**
   * NATS's own word that nobody subscribes to a subject, which servers before 2.11 do not name;
   * nothing for the client.
   */
  | { readonly kind: "no_responders"; readonly subject: string | undefined };

/** One that the client itself gets. */
export type DataFrame = Extract<Frame, { readonly kind: FrameKind }>;

/** Made once: that costs more than decoding a short message. */
const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const LENIENT = new TextDecoder("utf-8", { ignoreBOM: true });
/** What the lenient one puts where it cannot read. */
const REPLACEMENT = "\ufffd";

/**
 * The header line that tells a workload what kind of message the client sent.
 *
 * @param kind Of the WebSocket message.
 * @returns A line for a NATS header block.
 */
export function toFrameHeader(kind: FrameKind): HeaderLines {
  return toHeaderLine(HEADER.frame, kind);
}

/**
 * Reads a NATS message that was sent to a connection's inbox.
 *
 * @param headerBlock Its NATS header block as latin-1 text, empty without one.
 * @returns What to do. Without `X-H8s-Frame` it is text when it is valid UTF-8, else binary; bytes
 * that are not UTF-8 are binary whatever the header says, since no text frame could carry them.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toFrame } from "./frame.ts";
 *
 * const bytes = new TextEncoder().encode("hi");
 * assert.deepEqual(toFrame("", bytes), { kind: "text", text: "hi" });
 * assert.deepEqual(
 *   toFrame("NATS/1.0\r\nX-H8s-Close: 4000 done\r\n\r\n", new Uint8Array()),
 *   { kind: "close", code: 4000, reason: "done" },
 * );
 * ```
 */
export function toFrame(headerBlock: string, payload: Uint8Array): Frame {
  if (headerBlock !== "") {
    const entries = parseHeaderBlock(headerBlock);
    if (isNoResponders(headerBlock, payload.length)) {
      return { kind: "no_responders", subject: findHeader(entries, HEADER.natsSubject) };
    }
    const close = findHeader(entries, HEADER.close);
    if (close !== undefined) return parseClose(close);
    if (findHeader(entries, HEADER.frame) === "binary") return { kind: "binary", bytes: payload };
  }
  const text = decodeUtf8(payload);
  return text === undefined ? { kind: "binary", bytes: payload } : { kind: "text", text };
}

function parseClose(value: string): Frame {
  const [code = "", ...words] = value.split(" ");
  const number = /^\d{4}$/.test(code) ? Number(code) : Number.NaN;
  if (number === NO_STATUS) return { kind: "close", code: NO_STATUS, reason: "" };
  if (!isSendable(number)) return { kind: "close", ...CLOSE.invalidCode };
  const reason = decodeUtf8(encodeLatin1(words.join(" ")));
  return { kind: "close", code: number, reason: toCloseReason(reason ?? "") };
}

/** The platform's lenient decoder is three to seventeen times as fast as its strict one. */
function decodeUtf8(bytes: Uint8Array): string | undefined {
  const text = LENIENT.decode(bytes);
  // It may have been said in so many words.
  if (!text.includes(REPLACEMENT)) return text;
  try {
    return STRICT.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Flow control: how either side of a stream says how much it can take, and that it takes no more.
 *
 * @module
 */
import {
  findHeader,
  type HeaderBlock,
  type HeaderLines,
  parseHeaderBlock,
  toHeaderBlock,
  toHeaderLine,
} from "./headers.ts";
import { HEADER, OWN_HEADERS } from "./names.ts";

/** All of them begin with a c; most messages have nothing of the kind. */
const MAY_BE_SIGNAL = new RegExp(`${OWN_HEADERS}c`, "i");

/** How many bytes a workload may send ahead of credit where the gateway does not say otherwise. */
export const DEFAULT_WINDOW_BYTES = 1024 * 1024;

/**
 * The header line of a head whose body comes in messages of its own: of an upload, and of a reply that
 * has no chunk yet, which would be an end without it.
 */
export const STREAM_BODY_LINE: HeaderLines = toHeaderLine(HEADER.body, "stream");

/** The header line of a message for a WebSocket client that asks for credit. */
export const ASK_LINE: HeaderLines = toHeaderLine(HEADER.credit, "ask");

/**
 * A message about a stream rather than of it.
 *
 * - `ask`: the sender wants credit at the reply subject, once the message and all before it are taken.
 * - `credit`: the receiver has taken so many bytes more.
 * - `cancel`: the receiver takes no more, or the sender breaks off and it is not the end.
 * - `continue`: a workload takes an upload; it may be so many bytes ahead of its credit.
 */
export type FlowSignal =
  | { readonly kind: "ask" }
  | { readonly kind: "credit"; readonly bytes: number }
  | { readonly kind: "cancel"; readonly reason: string }
  | { readonly kind: "continue"; readonly windowBytes: number };

/**
 * Reads a signal.
 *
 * @param headerBlock A message's NATS header block as latin-1 text.
 * @returns The signal; undefined when the message is none.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseFlowSignal, renderFlowSignal } from "./flow.ts";
 *
 * const block = renderFlowSignal({ kind: "credit", bytes: 65536 });
 * assert.deepEqual(parseFlowSignal(block), { kind: "credit", bytes: 65536 });
 * ```
 */
export function parseFlowSignal(headerBlock: string): FlowSignal | undefined {
  if (!MAY_BE_SIGNAL.test(headerBlock)) return undefined;
  const entries = parseHeaderBlock(headerBlock);
  const credit = findHeader(entries, HEADER.credit);
  if (credit === "ask") return { kind: "ask" };
  if (credit !== undefined) return { kind: "credit", bytes: toBytes(credit) };
  const reason = findHeader(entries, HEADER.cancel);
  if (reason !== undefined) return { kind: "cancel", reason };
  const window = findHeader(entries, HEADER.continue);
  if (window !== undefined) return { kind: "continue", windowBytes: toBytes(window) };
  return undefined;
}

/** Whether whoever sent a message waits for credit at its reply subject. */
export function asksForCredit({ reply, headers }: { reply: string; headers: string }): boolean {
  return reply !== "" && headers !== "" && parseFlowSignal(headers)?.kind === "ask";
}

/**
 * Writes a signal.
 *
 * @returns The message's NATS header block as latin-1 text.
 */
export function renderFlowSignal(signal: FlowSignal): HeaderBlock {
  switch (signal.kind) {
    case "ask":
      return toHeaderBlock(ASK_LINE);
    case "credit":
      return toHeaderBlock(toHeaderLine(HEADER.credit, String(signal.bytes)));
    case "cancel":
      return toHeaderBlock(toHeaderLine(HEADER.cancel, signal.reason));
    case "continue":
      return toHeaderBlock(toHeaderLine(HEADER.continue, String(signal.windowBytes)));
  }
}

/** What is no number of bytes grants nothing. */
function toBytes(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

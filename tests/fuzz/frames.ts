/**
 * WebSocket frames as bytes (RFC 6455 §5.2): those that no client library would write included.
 *
 * @module
 */

/** Opcodes of RFC 6455 §5.2; the others are reserved. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A client's frame; what is left out is as it should be. */
export interface ClientFrame {
  readonly opcode: number;
  /** Latin-1, before masking. */
  readonly payload?: string;
  /** @default true */
  readonly isFinal?: boolean;
  /** The three reserved bits, 0–7. @default 0 */
  readonly reserved?: number;
  /** @default true */
  readonly isMasked?: boolean;
  /** The length that is claimed, in bytes. @default that of the payload */
  readonly length?: number | bigint;
  /** How the length is written: in 7, 16 or 64 bits. @default the shortest */
  readonly lengthBits?: 7 | 16 | 64;
}

const MASK = [0x37, 0xfa, 0x21, 0x3d];

/**
 * Writes a frame.
 *
 * @param frame What is wanted.
 * @returns Latin-1 text for `write`.
 */
export function toFrameText(
  { opcode, payload = "", isFinal = true, reserved = 0, isMasked = true, ...frame }: ClientFrame,
): string {
  const { length = payload.length } = frame;
  const { lengthBits = length < 126 ? 7 : length < 65536 ? 16 : 64 } = frame;
  const first = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode;
  const marker = lengthBits === 7 ? Number(length) : lengthBits === 16 ? 126 : 127;
  const digits = lengthBits === 7 ? "" : length.toString(16).padStart(lengthBits / 4, "0");
  const size = digits.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? [];
  const head = [first, marker | (isMasked ? 0x80 : 0), ...size, ...(isMasked ? MASK : [])];
  const body = isMasked
    ? Array.from(payload, (char, index) => char.charCodeAt(0) ^ MASK[index % 4]!)
    : Array.from(payload, (char) => char.charCodeAt(0));
  return [...head, ...body].map((byte) => String.fromCharCode(byte)).join("");
}

/**
 * A close frame's payload.
 *
 * @param code Any number of 16 bits.
 * @param reason Latin-1.
 * @returns Latin-1.
 */
export function toClosePayload(code: number, reason = ""): string {
  return String.fromCharCode(code >> 8, code & 0xff) + reason;
}

/** A frame from the server. */
export interface ServerFrame {
  readonly opcode: number;
  /** Latin-1. */
  readonly payload: string;
}

/**
 * Reads what a server has sent. RFC 6455 §5.1: it masks nothing.
 *
 * @param text Latin-1; an unfinished frame at the end is left out.
 * @returns The frames in order.
 */
export function readFrames(text: string): ServerFrame[] {
  const frames: ServerFrame[] = [];
  const byte = (at: number) => text.charCodeAt(at);
  for (let at = 0; at + 2 <= text.length;) {
    const opcode = byte(at) & 0x0f;
    const marker = byte(at + 1) & 0x7f;
    const sizeLength = marker < 126 ? 0 : marker === 126 ? 2 : 8;
    let length = marker < 126 ? marker : 0;
    for (let index = 0; index < sizeLength; index++) length = length * 256 + byte(at + 2 + index);
    const begin = at + 2 + sizeLength;
    if (begin + length > text.length) break;
    frames.push({ opcode, payload: text.slice(begin, begin + length) });
    at = begin + length;
  }
  return frames;
}

/** How a server ends a connection: the code of its close frame, or none. */
export type End = number | "drop";

/**
 * How a server has ended a connection.
 *
 * @param frames All that it sent.
 * @returns The code of its close frame, 1005 for one without; `"drop"` where there is none.
 */
export function toEnd(frames: readonly ServerFrame[]): End {
  const close = frames.find(({ opcode }) => opcode === OPCODE.close);
  if (close === undefined) return "drop";
  const { payload } = close;
  return payload.length < 2 ? 1005 : payload.charCodeAt(0) * 256 + payload.charCodeAt(1);
}

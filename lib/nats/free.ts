/**
 * Memory that is not needed any more.
 *
 * @module
 */

/** Less is not worth the way back. */
const LARGE_BYTES = 16 * 1024;

/**
 * Gives it back at once: an idle process may not collect its garbage for hours, and a busy one takes fresh pages
 * for each large message. Such a message from NATS has a buffer of its own, with its head before it; a small
 * one is a copy.
 */
export function free({ buffer, length }: Uint8Array): void {
  if (length < LARGE_BYTES || 2 * length <= buffer.byteLength) return;
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/**
 * Why something that was sent was not taken.
 *
 * @module
 */

/**
 * Why a message was not taken:
 *
 * - `full`: as much as the client may hold waits already; it was not sent. Try again later, or say less.
 * - `closed`: the client was closed, or gave up; the message may have been stored where it was sent before.
 * - `aborted`: its own signal took it back before it was sent.
 * - `too_big`: the gateway takes no message of this size; it was not stored.
 * - `unknown`: it was sent, the connection broke before the acknowledgement, and so much time has passed that the
 *   stream would not recognise it. It is stored once, or not at all.
 */
export type SendFailure = "full" | "closed" | "aborted" | "too_big" | "unknown";

/**
 * A message that was not taken, or of which nobody can say.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { SendError } from "@h8s/gateway/client";
 *
 * const error = new SendError("full", "1000 messages wait already");
 * assert.equal(error.code, "full");
 * assert.equal(error.message, "Cannot send: 1000 messages wait already");
 * ```
 */
export class SendError extends Error {
  /** Always `"SendError"`. */
  override readonly name = "SendError";

  /**
   * Says why.
   *
   * @param code Why it was not taken.
   * @param reason The same in words.
   * @param options `cause`, where another error led to it.
   */
  constructor(readonly code: SendFailure, reason: string, options?: ErrorOptions) {
    super(`Cannot send: ${reason}`, options);
  }
}

/**
 * A client that has given up: what a loop over its messages ends with.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { ClientClosedError } from "@h8s/gateway/client";
 *
 * assert.equal(new ClientClosedError({ code: 1008, reason: "" }).code, 1008);
 * ```
 */
export class ClientClosedError extends Error {
  /** Always `"ClientClosedError"`. */
  override readonly name = "ClientClosedError";
  /** The close code. */
  readonly code: number;

  /**
   * Says how it ended.
   *
   * @param end `code` and `reason` of the last connection's end.
   */
  constructor({ code, reason }: { readonly code: number; readonly reason: string }) {
    super(`Cannot go on: the connection was closed with ${code}${reason && `, ${reason}`}`);
    this.code = code;
  }
}

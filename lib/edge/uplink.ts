/**
 * What a WebSocket client says, on its way to NATS.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { CLOSE, type FrameKind, toFrameHeader } from "../mapping/frame.ts";
import { toHeaderBlock } from "../mapping/headers.ts";
import { encodeLatin1 } from "../nats/wire.ts";
import type { Admitted } from "./admission.ts";
import type { EdgeParts } from "./parts.ts";

/** Whose client it is. */
export interface UplinkOwner {
  /** The client is not to be heard any longer. */
  close(code: number, reason: string): void;
}

/** One client's messages, in order. */
export class Uplink {
  readonly #target: Pick<Admitted, "subject" | "mode">;
  readonly #parts: EdgeParts;
  readonly #owner: UplinkOwner;
  readonly #inbox: string;
  readonly #lines: string;
  readonly #maxBytes: number;
  /** Encoded when the first message of the kind comes: most sockets send one kind, many none. */
  readonly #headers: Partial<Record<FrameKind, Uint8Array>> = {};
  #heldBytes = 0;
  #hasSpoken = false;

  /**
   * @param target Where the messages go.
   * @param options The parts of the edge; whose client it is; `inbox`: the connection's subject; `lines`:
   * what the header block of each message has besides its kind.
   */
  constructor(
    target: Pick<Admitted, "subject" | "mode">,
    { parts, owner, inbox, lines }: {
      parts: EdgeParts;
      owner: UplinkOwner;
      inbox: string;
      lines: string;
    },
  ) {
    this.#target = target;
    this.#parts = parts;
    this.#owner = owner;
    this.#inbox = inbox;
    this.#lines = lines;
    const headerLength = toHeaderBlock(lines + toFrameHeader("binary")).length;
    this.#maxBytes = Math.min(parts.config.maxBodySize, parts.bus.maxPayload - headerLength);
  }

  /** True once the client has said something. */
  get hasSpoken(): boolean {
    return this.#hasSpoken;
  }

  /**
   * Takes a message.
   *
   * @param data As the socket gives it.
   */
  receive(data: string | ArrayBuffer): void {
    const kind = typeof data === "string" ? "text" : "binary";
    const bytes = typeof data === "string" ? Buffer.from(data) : new Uint8Array(data);
    if (bytes.length > this.#maxBytes) {
      return this.#owner.close(CLOSE.tooBig, `message larger than ${this.#maxBytes} bytes`);
    }
    this.#hasSpoken = true;
    const { subject, mode } = this.#target;
    const headers = this.#headers[kind] ??= this.#encodeHeaders(kind);
    const options = mode === "publish" ? { headers } : { reply: this.#inbox, headers };
    const { wsReceiveBuffer } = this.#parts.config;
    if (this.#parts.bus.state !== "connected") {
      this.#heldBytes += bytes.length + headers.length;
      if (this.#heldBytes > wsReceiveBuffer) {
        const reason = "NATS is away and the receive buffer is full";
        return this.#owner.close(CLOSE.tryAgainLater, reason);
      }
    }
    this.#parts.outbox.publish(subject, bytes, options);
    this.#parts.metrics.message("in", bytes.length);
  }

  /** NATS is back, and what was held has been published. */
  onReconnect(): void {
    this.#heldBytes = 0;
  }

  #encodeHeaders(kind: FrameKind): Uint8Array {
    return encodeLatin1(toHeaderBlock(this.#lines + toFrameHeader(kind)));
  }
}

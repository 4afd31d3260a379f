/**
 * What a WebSocket client says, on its way to NATS.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { ACK_PROTOCOL, type NumberedMessage, parseNumbered, renderAck } from "../../mapping/ack.ts";
import { CLOSE, type CloseInfo, notSpoken, notStored, tooBig } from "../../mapping/close.ts";
import { type FrameKind, toFrameHeader } from "../../mapping/frame.ts";
import { type HeaderLines, joinLines, toHeaderBlock } from "../../mapping/headers.ts";
import { toPersistLines } from "../../mapping/jetstream.ts";
import { toNumberedId } from "../../mapping/message_id.ts";
import { speaksAck } from "../../mapping/resume.ts";
import type { Outcome, Persist } from "../../nats/jetstream/persist.ts";
import { encodeLatin1 } from "../../mapping/latin1.ts";
import type { Handshake } from "./handshake.ts";
import type { EdgeParts } from "../parts.ts";
import type { ReceiveAccount } from "../limits/receive_budget.ts";

/** What the header block of a persistent message has besides: the id of a message, the name of a stream. */
const PERSIST_HEADERS_ROOM = 512;

/** What the header block of a message is longer by than the connection's own lines. */
const FRAME_BYTES = toHeaderBlock(toFrameHeader("binary")).length;

/** Whose client it is. */
export interface UplinkOwner {
  /** The client is not to be heard any longer. */
  close(end: CloseInfo): void;
  /** The client is told something by the gateway itself. */
  tell(text: string): void;
}

/** What it takes. */
export type UplinkParts = Pick<EdgeParts, "budget" | "bus" | "config" | "outbox" | "persist">;

/** What an uplink is made of. */
export interface UplinkOptions {
  readonly parts: UplinkParts;
  readonly owner: UplinkOwner;
  /** The connection's own subject. */
  readonly inbox: string;
  /** What the header block of each message has besides what tells it from the others. */
  readonly lines: HeaderLines;
}

/** A client's message, whatever it was wrapped in. */
type Said = Omit<NumberedMessage, "id"> & { readonly id: number | undefined };

/** One client's messages, in order. */
export class Uplink {
  readonly #admitted: Handshake;
  readonly #options: UplinkOptions;
  readonly #parts: UplinkParts;
  readonly #owner: UplinkOwner;
  readonly #headerBytes: number;
  readonly #account: ReceiveAccount;
  /** Whose numbers its messages have. */
  readonly #scope: string;
  /** Undefined where messages are not persisted. */
  readonly #persist: Persist | undefined;
  /** Encoded when the first message of the kind comes: most sockets send one kind, many none. */
  readonly #headers: Partial<Record<FrameKind, Uint8Array>> = {};
  #count = 0;
  /** What of it waits for NATS to come back. */
  #awayBytes = 0;

  constructor(admitted: Handshake, options: UplinkOptions) {
    const { parts, owner, lines } = this.#options = options;
    this.#admitted = admitted;
    this.#parts = parts;
    this.#owner = owner;
    this.#persist = admitted.isPersistent ? parts.persist : undefined;
    const room = this.#persist === undefined ? 0 : PERSIST_HEADERS_ROOM;
    this.#headerBytes = lines.length + FRAME_BYTES + room;
    this.#account = parts.budget.open(() => this.#onExceeded());
    this.#scope = admitted.numberScope ?? `connection:${admitted.connectionId}`;
  }

  /** True once the client has said something. */
  get hasSpoken(): boolean {
    return this.#count > 0;
  }

  /** Takes a message. */
  receive(data: string | ArrayBuffer): void {
    const { pingWord } = this.#admitted;
    if (pingWord !== undefined && data === pingWord) return this.#owner.tell(pingWord);
    const said = speaksAck(this.#admitted.protocol) ? parseNumbered(data) : toSaid(data);
    if (said === undefined) {
      const expected = '{"id": 0…2^53-1, "data": …}, or 8 bytes of id in front';
      return this.#owner.close(notSpoken(ACK_PROTOCOL, expected));
    }
    const { length } = said.bytes;
    if (length > this.#maxBytes) return this.#onTooBig();
    this.#count++;
    this.#admitted.visit.onMessage("in", length);
    if (this.#persist === undefined) this.#publish(said);
    else this.#store(said, this.#persist);
  }

  /** NATS is back, and what was held has been published. */
  onReconnect(): void {
    this.#account.release(this.#awayBytes);
    this.#awayBytes = 0;
  }

  /** The client says no more. */
  close(): void {
    this.onReconnect();
    this.#account.close();
  }

  /** As the server has it now: it may come back with another limit. */
  get #maxBytes(): number {
    const { config, bus } = this.#parts;
    return Math.min(config().maxBodySize, bus.maxPayload - this.#headerBytes);
  }

  /** Also for what was held while NATS was away, and does not fit any more. */
  #onTooBig = (): void => {
    this.#owner.close(tooBig(this.#maxBytes));
  };

  #publish({ kind, bytes }: Said): void {
    const { subject, mode } = this.#admitted;
    const headers = this.#headers[kind] ??= this.#encode(toFrameHeader(kind));
    const onRefused = this.#onTooBig;
    const options = mode === "publish"
      ? { headers, onRefused }
      : { reply: this.#options.inbox, headers, onRefused };
    const size = bytes.length + headers.length;
    if (this.#parts.outbox.publish(subject, bytes, options)) return this.#account.publish(size);
    this.#awayBytes += size;
    this.#account.hold(size);
  }

  #store(said: Said, persist: Persist): void {
    const { id, kind, bytes } = said;
    const messageId = this.#toMessageId(said);
    const lines = joinLines(
      toFrameHeader(kind),
      toPersistLines({ stream: persist.stream, messageId }),
    );
    const size = bytes.length + lines.length;
    const encode = () => this.#encode(lines);
    const message = {
      ...{ subject: this.#admitted.subject, data: bytes },
      // Anew each time: what waits for the stream does not hold the handshake's lines once more.
      get headers() {
        return encode();
      },
    };
    persist.publish(message, (outcome) => {
      this.#account.release(size);
      this.#onOutcome(outcome, id);
    });
    this.#account.hold(size);
    // What is on its way holds them.
    this.#account.publish(this.#options.lines.length);
  }

  /** A client that numbers its messages says one again under the same id, on a later connection, too. */
  #toMessageId({ id, ...said }: Said): string {
    if (id === undefined) return `${this.#admitted.socketId}-${this.#count}`;
    return toNumberedId(this.#scope, { id, ...said });
  }

  #onOutcome(outcome: Outcome, id: number | undefined): void {
    switch (outcome.kind) {
      case "stored":
        if (id !== undefined) this.#owner.tell(renderAck(id, outcome.seq));
        return;
      case "refused":
        if (outcome.isTooLarge) return this.#onTooBig();
        return this.#owner.close(notStored(outcome.reason));
      case "unavailable":
        return this.#owner.close(notStored(outcome.reason));
    }
  }

  #onExceeded(): void {
    const isConnected = this.#parts.bus.state === "connected";
    this.#owner.close(isConnected ? CLOSE.tooFast : CLOSE.bufferFull);
  }

  #encode(lines: HeaderLines): Uint8Array {
    return encodeLatin1(toHeaderBlock(joinLines(this.#options.lines, lines)));
  }
}

function toSaid(data: string | ArrayBuffer): Said {
  return typeof data === "string"
    ? { id: undefined, kind: "text", bytes: Buffer.from(data) }
    : { id: undefined, kind: "binary", bytes: new Uint8Array(data) };
}

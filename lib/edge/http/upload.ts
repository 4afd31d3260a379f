/**
 * A body that does not fit into one message, sent as the workload takes it.
 *
 * @module
 */
import { GatewayError } from "../../errors.ts";
import { parseFlowSignal, renderFlowSignal } from "../../mapping/flow.ts";
import type { BusMessage } from "../../nats/bus.ts";
import { CreditWindow } from "../../nats/credit.ts";
import type { Receiver, Slot } from "../../nats/inbox.ts";
import { encodeLatin1 } from "../../mapping/latin1.ts";
import type { EdgeParts } from "../parts.ts";
import type { Visit } from "../visit.ts";
import type { BodyChunks } from "./body_reader.ts";

const EMPTY = new Uint8Array();

/** Whom an upload waits for: only a workload can be too late. */
export type UploadPhase = "client" | "workload";

/** Told of an upload's progress. */
export interface UploadOwner {
  /** Counts what the client has sent. */
  readonly visit: Pick<Visit, "onBody" | "onUpload">;
  /** It waits for somebody else now; at its end for the workload's answer. */
  onPhase(phase: UploadPhase): void;
  /** The body cannot be read to its end. */
  onFailure(error: unknown): void;
}

/** What it takes. */
export type UploadParts = Pick<EdgeParts, "bus" | "inbox">;

/** The chunks of one body. */
export class Upload implements Receiver {
  readonly #chunks: BodyChunks;
  readonly #parts: UploadParts;
  readonly #owner: UploadOwner;
  readonly #slot: Slot;
  #window: CreditWindow | undefined;
  #subject = "";
  #isStopped = false;

  constructor(chunks: BodyChunks, parts: UploadParts, owner: UploadOwner) {
    this.#chunks = chunks;
    this.#parts = parts;
    this.#owner = owner;
    this.#slot = parts.inbox.open(this);
  }

  /** A workload takes it. */
  begin(subject: string, windowBytes: number): void {
    if (this.#window !== undefined || this.#isStopped) return;
    if (subject === "" || windowBytes === 0) {
      const what = subject === "" ? "where" : "how much of it";
      const detail = `The workload takes the body, but does not say ${what}`;
      return this.#fail(new GatewayError("malformed_reply", detail));
    }
    this.#subject = subject;
    this.#window = new CreditWindow(windowBytes);
    this.#send(this.#window).catch((error) => this.#fail(error));
  }

  /**
   * Stops it where it is: the workload has answered, or nobody is there any more.
   *
   * @param reason For the workload, which may be in the middle of it.
   */
  stop(reason: string): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#slot.release();
    this.#window?.open();
    // The generator may be waiting for the client; it ends when that one is done.
    this.#chunks.return?.().catch(() => {});
    if (this.#subject === "") return;
    const headers = encodeLatin1(renderFlowSignal({ kind: "cancel", reason }));
    this.#parts.bus.publish(this.#subject, EMPTY, { headers });
  }

  onMessage({ headers }: BusMessage): void {
    const signal = parseFlowSignal(headers);
    if (signal?.kind === "credit") this.#window?.grant(signal.bytes);
    if (signal?.kind === "cancel") this.stop(signal.reason);
  }

  async #send(window: CreditWindow): Promise<void> {
    const { bus } = this.#parts;
    this.#owner.onPhase("client");
    this.#owner.visit.onUpload("uploading");
    for await (const chunk of this.#chunks) {
      this.#owner.visit.onBody("in", chunk.length);
      const size = Math.min(bus.maxPayload, window.pieceBytes);
      // Of several pieces one may have been copied, and others not have gone yet: such memory is left alone.
      const onWritten = chunk.length <= size ? () => this.#chunks.giveBack?.(chunk) : undefined;
      for (let start = 0; start < chunk.length; start += size) {
        await this.#publish(chunk.subarray(start, start + size), { window, onWritten });
        if (this.#isStopped) return;
      }
    }
    bus.publish(this.#subject, EMPTY, { reply: this.#slot.subject });
    this.#isStopped = true;
    this.#slot.release();
    this.#owner.visit.onUpload("uploaded");
    this.#owner.onPhase("workload");
  }

  async #publish(
    piece: Uint8Array,
    { window, onWritten }: { window: CreditWindow; onWritten: (() => void) | undefined },
  ): Promise<void> {
    this.#owner.onPhase("workload");
    await window.take(piece.length);
    if (this.#isStopped) return;
    const reply = this.#slot.subject;
    this.#parts.bus.publish(this.#subject, piece, { reply, onWritten });
    this.#owner.onPhase("client");
  }

  #fail(error: unknown): void {
    if (this.#isStopped) return;
    this.stop("ctx_done");
    this.#owner.onFailure(error);
  }
}

/** The error for a body that no workload takes in pieces. */
export function nobodyStreams(maxPayload: number): GatewayError {
  const detail = `The body does not fit into one message of ${maxPayload} bytes, and no workload ` +
    "for this host and path takes streamed bodies";
  return new GatewayError("body_too_large", detail);
}

/**
 * What the handshake of a client that can resume has led to.
 *
 * @module
 */
import type { Resumable } from "./resumable.ts";
import type { Entry } from "./resume_client.ts";

/** What a handshake has led to. */
export interface ResumeEntry extends Entry {
  readonly resumable: Resumable;
  /** What the client has to show when it comes back. */
  readonly proof: string;
}

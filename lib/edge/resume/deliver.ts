/**
 * What the stream republished, as the client gets it.
 *
 * @module
 */
import { toFrame } from "../../mapping/frame.ts";
import { renderNumbered } from "../../mapping/resume.ts";
import { toAckedStream } from "../../mapping/stream_ack.ts";
import type { BusMessage } from "../../nats/bus.ts";
import type { Strays } from "../strays.ts";
import type { ResumableClient } from "./resume_client.ts";

/** Sends a message on with its number; a stream's acknowledgement is none, and a close closes. */
export function deliver(
  client: ResumableClient,
  { headers, data }: BusMessage,
  { seq, strays }: { readonly seq: number; readonly strays: Strays },
): void {
  const stream = toAckedStream(headers, data);
  if (stream !== undefined) return strays.ack(stream);
  const frame = toFrame(headers, data);
  switch (frame.kind) {
    case "no_responders":
      return;
    case "close":
      return client.close(frame);
    case "text":
    case "binary":
      client.push(renderNumbered(frame, seq), data.length);
  }
}

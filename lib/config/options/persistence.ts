/**
 * Options: what is kept in a JetStream stream.
 *
 * @module
 */
import type { z } from "zod";
import { listCaptured } from "../../mapping/capture.ts";
import type { Route } from "../../mapping/route.ts";
import { duration, lasting, oneOf, parsed, size, wholeNumber } from "../fields.ts";

/** Where JetStream keeps messages. */
export type StorageKind = "file" | "memory";

/** The stream that keeps what clients say. */
export interface PersistenceOptions {
  /**
   * The stream that keeps WebSocket messages, and the requests of routes that say so; created where it is
   * missing, never altered.
   *
   * @default undefined: nothing is kept
   */
  readonly persist?: string | undefined;
  /**
   * Where the stream keeps them.
   *
   * @default "file"
   */
  readonly persistStorage?: StorageKind;
  /**
   * How many servers keep them.
   *
   * @default 1
   */
  readonly persistReplicas?: string | number;
  /**
   * How large the stream may become; what does not fit is refused.
   *
   * @default "0B": as large as the account allows
   */
  readonly persistMaxBytes?: string;
  /**
   * How long a message is kept that no consumer takes.
   *
   * @default "0s": for ever
   */
  readonly persistMaxAge?: string;
  /**
   * How long the stream recognises a message that comes again.
   *
   * @default "2m"
   */
  readonly persistDupeWindow?: string;
  /**
   * The stream that keeps who came and who went, for workloads that were away; created where it is missing,
   * never altered.
   *
   * @default undefined: events are told, not kept
   */
  readonly events?: string | undefined;
  /**
   * How long it keeps them.
   *
   * @default "24h"
   */
  readonly eventsMaxAge?: string;
}

const NAME = `a stream name of letters, digits, "_" and "-" (true and false are for routes)`;

/** Of a stream. */
function streamName() {
  return parsed(NAME, (text) => /^[\w-]{1,255}$/.test(text) ? text : undefined);
}

/** The same, to be checked. */
export const persistenceFields = {
  persist: streamName().optional()
    .meta({ placeholder: "STREAM", description: "Keep WebSocket messages in this stream" }),
  persistStorage: oneOf(["file", "memory"]).default("file")
    .meta({ placeholder: "KIND", description: "Where the stream keeps them: file or memory" }),
  persistReplicas: wholeNumber(1, 5).prefault(1)
    .meta({ placeholder: "N", description: "How many servers keep them" }),
  persistMaxBytes: size("0B", "Largest size of the stream, then it refuses; 0B for no bound"),
  persistMaxAge: lasting().prefault("0s")
    .meta({ placeholder: "DURATION", description: "How long it keeps them; 0s for ever" }),
  persistDupeWindow: duration("2m", "How long it recognises a message that comes again"),
  events: streamName().optional()
    .meta({ placeholder: "STREAM", description: "Keep who came and who went in this stream" }),
  eventsMaxAge: lasting().prefault("24h")
    .meta({ placeholder: "DURATION", description: "How long it keeps them; 0s for ever" }),
};

/**
 * Checks that what is to be kept can be.
 *
 * @param config The parts of the configuration that have to fit together.
 */
export function checkPersistence(
  { persist, prefix, routes }: {
    readonly persist?: string | undefined;
    readonly prefix: string;
    readonly routes: readonly Route[];
  },
  context: z.RefinementCtx,
): void {
  if (persist === undefined) {
    const message = "expected a stream, too: persist: NAME at the top, or --persist NAME";
    for (const [index, route] of routes.entries()) {
      if (!route.sides.http?.persist) continue;
      context.addIssue({ code: "custom", path: ["routes", index, "persist"], message });
    }
    return;
  }
  for (const [index, route] of routes.entries()) {
    try {
      listCaptured([route], prefix);
    } catch (error) {
      const message = error instanceof Error ? error.message : "";
      context.addIssue({ code: "custom", path: ["routes", index, "subject"], message });
    }
  }
}

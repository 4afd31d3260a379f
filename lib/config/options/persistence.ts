/**
 * Options: what is kept in a JetStream stream.
 *
 * @module
 */
import { z } from "zod";
import { listCaptured } from "../../mapping/capture.ts";
import type { Route } from "../../mapping/route.ts";
import { duration, lasting, oneOf, size, wholeNumber } from "../fields.ts";

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
   * @default 0: as large as the account allows
   */
  readonly persistMaxBytes?: string | number;
  /**
   * How long a message is kept that no consumer takes.
   *
   * @default 0: for ever
   */
  readonly persistMaxAge?: string | number;
  /**
   * How long the stream recognises a message that comes again.
   *
   * @default "2m"
   */
  readonly persistDupeWindow?: string | number;
}

const NAME = `a stream name: letters, digits, "_" and "-"`;

/** The same, to be checked. */
export const persistenceFields = {
  persist: z.string().regex(/^[\w-]{1,255}$/, `expected ${NAME}`).optional()
    .meta({ placeholder: "STREAM", description: "Keep WebSocket messages in this stream" }),
  persistStorage: oneOf(["file", "memory"]).default("file")
    .meta({ placeholder: "KIND", description: "Where the stream keeps them: file or memory" }),
  persistReplicas: wholeNumber(1, 5).prefault(1)
    .meta({ placeholder: "N", description: "How many servers keep them" }),
  persistMaxBytes: size("0", "Largest size of the stream, then it refuses; 0 for no bound"),
  persistMaxAge: lasting().prefault("0s")
    .meta({ placeholder: "DURATION", description: "How long it keeps them; 0s for ever" }),
  persistDupeWindow: duration("2m", "How long it recognises a message that comes again"),
};

/**
 * Checks that what is to be kept can be.
 *
 * @param config The parts of the configuration that have to fit together.
 * @param context Where to complain.
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
    const index = routes.findIndex((route) => route.persist && !route.isWebSocket);
    if (index === -1) return;
    const message = "expected a stream, too: persist: NAME at the top, or --persist NAME";
    context.addIssue({ code: "custom", path: ["routes", index, "persist"], message });
    return;
  }
  try {
    listCaptured(routes, prefix);
  } catch (error) {
    const message = error instanceof Error ? error.message : "";
    context.addIssue({ code: "custom", path: ["routes"], message });
  }
}

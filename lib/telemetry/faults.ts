/**
 * Where everything arrives that goes wrong and that nobody waits for.
 *
 * @module
 */
import type { Log } from "./log.ts";

/** Where it went wrong. */
export const STAGES = [
  "listener",
  "response",
  "websocket",
  "message",
  "session",
  "timer",
  "observer",
  "uncaught",
] as const;

/** One of {@link STAGES}. */
export type Stage = (typeof STAGES)[number];

/** Takes an error that nobody waits for. */
export type OnFault = (stage: Stage, error: unknown) => void;

/**
 * Makes the one place: each error is a line in the log, with its stage, and is counted.
 *
 * @returns What takes them; it never throws.
 */
export function createOnFault(
  { log, metrics }: { log: Log; metrics: { fault(stage: Stage): void } },
): OnFault {
  return (stage, error) => {
    metrics.fault(stage);
    const where = error instanceof Error ? error.stack?.split("\n")[1]?.trim() : undefined;
    log.error("something failed that should not", { stage, error: String(error), where });
  };
}

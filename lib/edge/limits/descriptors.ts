/**
 * How many files, and so connections, the process may have open.
 *
 * @module
 */
import type { Log } from "../../telemetry/log.ts";
import type { Metrics } from "../../telemetry/metrics.ts";

const LIMITS = "/proc/self/limits";
/** What a gateway has open besides its clients. */
export const OWN_DESCRIPTORS = 64;

/**
 * Says how many descriptors there are, where that may be read, and warns where it is less than is promised.
 * Deno gives what is in /proc only to who may do everything (-A): with less it is not known.
 */
export function checkDescriptors(maxConnections: number, log: Log): void {
  const most = readDescriptorLimit();
  if (most === undefined) return;
  log.info("file descriptors", { most });
  if (maxConnections + OWN_DESCRIPTORS <= most) return;
  log.warn("--max-connections is more than the process may have open; raise it with ulimit -n", {
    maxConnections,
    descriptors: most,
  });
}

/** The most that the process may have open; undefined where that is not known. */
export function readDescriptorLimit(): number | undefined {
  if (Deno.build.os !== "linux") return undefined;
  if (Deno.permissions.querySync({ name: "read", path: LIMITS }).state !== "granted") return;
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(Deno.readTextFileSync(LIMITS))?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/**
 * Makes what is told that no connection could be accepted: each time is counted, once a minute is logged.
 */
export function createOnStopped(
  { log, metrics }: { log: Log; metrics: Metrics },
): (error: unknown) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  let count = 0;
  return (error) => {
    metrics.listenerStopped();
    count++;
    if (performance.now() - toldAt < 60_000) return;
    toldAt = performance.now();
    const isFull = /os error 2[34]|too many open files/i.test(String(error));
    const hint = isFull ? "out of file descriptors (ulimit -n)" : "the system refuses";
    log.warn(`cannot accept connections: ${hint}; listening again`, {
      times: count,
      error: String(error),
    });
    count = 0;
  };
}

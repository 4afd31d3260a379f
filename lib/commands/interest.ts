/**
 * Who has registered: one has to listen for a while.
 *
 * @module
 */
import type { Interest } from "../mapping/interest.ts";
import { Interests } from "../nats/interest.ts";
import type { Bus } from "../nats/bus.ts";
import { systemClock } from "../time/clock.ts";
import { pause } from "../time/within.ts";

/**
 * Listens to registrations.
 *
 * @param options `prefix` of all subjects; `waitMs`: for how long.
 * @returns Those that were heard, sorted, each once.
 */
export async function hearInterests(
  bus: Bus,
  { prefix, waitMs }: { prefix: string; waitMs: number },
): Promise<Interest[]> {
  using interests = new Interests(bus, { prefix, clock: systemClock(), onError: () => {} });
  await pause(waitMs);
  const key = ({ host, path, method }: Interest) => `${host} ${path} ${method}`;
  return interests.list().sort((a, b) => key(a) < key(b) ? -1 : 1);
}

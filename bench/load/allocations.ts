/**
 * Runs before a program, and tells on a signal how much it has allocated so far.
 * `deno run --preload bench/load/allocations.ts main.ts`
 *
 * @module
 */
import { getHeapStatistics } from "node:v8";

Deno.addSignalListener("SIGUSR2", () => {
  const { total_allocated_bytes } = getHeapStatistics() as { total_allocated_bytes?: number };
  console.error(`allocated ${total_allocated_bytes}`);
});

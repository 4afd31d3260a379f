/**
 * Ending processes.
 *
 * @module
 */

/** Ends a process at once, without a word; nothing happens to one that has ended already. */
export function killNow(process: Pick<Deno.ChildProcess, "kill">): void {
  try {
    process.kill("SIGKILL");
  } catch {
    // It has ended already.
  }
}

/**
 * The end of a turn of the event loop.
 *
 * @module
 */
import type * as timers from "node:timers";

/** Browsers have none. */
const { setImmediate, clearImmediate } = globalThis as Partial<
  Pick<typeof timers, "setImmediate" | "clearImmediate">
>;

/**
 * Calls back when all that is there already has been dealt with.
 *
 * @param callback Called once.
 */
export function afterTurn(callback: () => void): () => void {
  if (setImmediate === undefined) return afterMessage(callback);
  const timer = setImmediate(callback);
  return () => clearImmediate!(timer);
}

/** {@link afterTurn} where only the web's own means are: a timer of a page that is not seen is late. */
export function afterMessage(callback: () => void): () => void {
  const { port1, port2 } = new MessageChannel();
  const end = () => {
    // What was sent may be delivered all the same.
    port1.onmessage = null;
    port1.close();
    port2.close();
  };
  port1.onmessage = () => {
    end();
    callback();
  };
  port2.postMessage(undefined);
  return end;
}

/**
 * What bounds how much all clients together hold, and for how long.
 *
 * @module
 */
import type { Bus } from "../../nats/bus.ts";
import { Bursts } from "./bursts.ts";
import { Deadlines } from "./deadlines.ts";
import type { EdgeParts } from "../parts.ts";
import { ReceiveBudget } from "./receive_budget.ts";
import { SendBudget } from "./send_budget.ts";
import { Windows } from "./windows.ts";

/** Those parts of the edge. */
export type Bounds = Pick<
  EdgeParts,
  "budget" | "bursts" | "windows" | "deadlines" | "sending" | "sendingToSockets"
>;

/**
 * Makes them.
 *
 * @param options `config`: as it is now; `clock`: how the time is told; `onFault`: told what goes wrong.
 */
export function createBounds(
  bus: Bus,
  { config, clock, onFault }: Pick<EdgeParts, "config" | "clock" | "onFault">,
): Bounds {
  const deadlines = new Deadlines(clock, onFault);
  const total = () => config().replyTotal;
  return {
    deadlines,
    budget: new ReceiveBudget(bus, config),
    sending: new SendBudget(deadlines, () => config().responseTotal),
    sendingToSockets: new SendBudget(deadlines, () => config().wsSendTotal),
    windows: new Windows(total),
    bursts: new Bursts(clock, { total, largest: () => bus.maxPayload }),
  };
}

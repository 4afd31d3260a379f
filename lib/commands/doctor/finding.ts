/**
 * What the doctor says.
 *
 * @module
 */
import { toAhead } from "../../nats/asking/gateways.ts";

/** How far clocks may be apart, as tokens' by default. */
const MOST_SKEW_MS = 10_000;

/** One line of the doctor's. */
export interface Finding {
  readonly check: string;
  /** `note` for what cannot be known, or may be meant. */
  readonly verdict: "ok" | "note" | "wrong";
  readonly text: string;
  /** What to do about it. */
  readonly mend?: string;
}

/** Compares clocks. */
export function compareClocks(who: string, now: string): Finding {
  const ahead = toAhead({ now }) ?? 0;
  const check = "clock";
  if (Math.abs(ahead) < MOST_SKEW_MS) return { check, verdict: "ok", text: `as that of ${who}` };
  const apart = `${Math.round(Math.abs(ahead) / 1000)} s ${ahead > 0 ? "behind" : "ahead of"}`;
  const mend = "set the clocks: timedatectl set-ntp true";
  return { check, verdict: "wrong", text: `this clock is ${apart} ${who}`, mend };
}

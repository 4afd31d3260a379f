/**
 * What a client is doing, as one named state, and what makes another of it. Pure: no socket, no clock.
 *
 * @module
 */
import type { Advice } from "../mapping/close.ts";

/** How a connection ended. */
export interface End {
  /** Of RFC 6455 §7.4; 1006 where the connection broke or the handshake was refused. */
  readonly code: number;
  /** What the other side says of it. */
  readonly reason: string;
}

/**
 * What a client is doing:
 *
 * - `connecting`: it has no socket yet, or one whose handshake is under way; `failures` in a row came before.
 * - `open`: messages go and come.
 * - `waiting`: it tries again in `delayMs` milliseconds, or as soon as the network is back.
 * - `asleep`: the page is in the browser's back/forward cache.
 * - `closed`: over, for ever; `isWanted` is false where the client gave up.
 */
export type ClientState =
  | { readonly name: "connecting"; readonly failures: number; readonly wantsToken: boolean }
  | { readonly name: "open"; readonly failures: number; readonly since: number }
  | {
    readonly name: "waiting";
    readonly failures: number;
    readonly wantsToken: boolean;
    readonly delayMs: number;
    readonly end: End;
  }
  | { readonly name: "asleep" }
  | { readonly name: "closed"; readonly end: End; readonly isWanted: boolean };

/** What happens to a client. */
export type Happening =
  | { readonly type: "opened"; readonly at: number }
  /** The socket is gone, or the handshake has failed. */
  | {
    readonly type: "lost";
    readonly at: number;
    readonly end: End;
    readonly advice: Advice;
    /** 0 … 1, by chance. */
    readonly random: number;
  }
  /** The time to wait is over, or somebody says not to wait any longer. */
  | { readonly type: "retry" }
  | { readonly type: "slept" }
  | { readonly type: "woke" }
  /** Its owner closes it, or there is no token to be had. */
  | { readonly type: "closed"; readonly end: End; readonly isWanted: boolean };

/** How long a client waits between attempts, in milliseconds. */
export interface Pauses {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** A connection that lasted so long, in milliseconds, ends a row of failures: one that opens and breaks does not. */
const STABLE_MS = 5000;
/** Who is told to come later comes as late as after so many failures. */
const LATER_FAILURES = 3;

/** Where every client begins. */
export const BEGIN = { name: "connecting", failures: 0, wantsToken: true } as const;

/**
 * The state that comes next.
 *
 * @param state The one of now.
 * @param happening What happens.
 * @param pauses How long to wait.
 * @returns Another state; the same one where it makes no difference.
 */
export function next(state: ClientState, happening: Happening, pauses: Pauses): ClientState {
  if (state.name === "closed") return state;
  switch (happening.type) {
    case "opened":
      if (state.name !== "connecting") return state;
      return { name: "open", failures: state.failures, since: happening.at };
    case "lost":
      if (state.name !== "open" && state.name !== "connecting") return state;
      return lose(state, happening, pauses);
    case "retry":
      if (state.name !== "waiting") return state;
      return { name: "connecting", failures: state.failures, wantsToken: state.wantsToken };
    case "slept":
      return { name: "asleep" };
    case "woke":
      return state.name === "asleep" ? { ...BEGIN, wantsToken: false } : state;
    case "closed":
      return { name: "closed", end: happening.end, isWanted: happening.isWanted };
  }
}

function lose(
  state: Extract<ClientState, { name: "open" | "connecting" }>,
  { at, end, advice, random }: Extract<Happening, { type: "lost" }>,
  pauses: Pauses,
): ClientState {
  if (advice === "stop") return { name: "closed", end, isWanted: false };
  const wasOpen = state.name === "open";
  // Browsers hide why a handshake failed: it may have been the token.
  const wantsToken = !wasOpen || advice === "renew";
  const before = wasOpen && at - state.since >= STABLE_MS ? 0 : state.failures;
  const failures = Math.max(before + 1, advice === "later" ? LATER_FAILURES : 1);
  const delayMs = toDelay(failures, random, pauses);
  return { name: "waiting", failures, wantsToken, delayMs, end };
}

/**
 * Twice as long each time, and all of it by chance ("full jitter"): when a gateway ends, its clients come back
 * spread over the whole time, not together.
 */
function toDelay(failures: number, random: number, { firstMs, longestMs }: Pauses): number {
  return Math.round(random * Math.min(longestMs, firstMs * 2 ** (failures - 1)));
}

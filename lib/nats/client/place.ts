/**
 * Where a session is, and what becomes of that: no sockets, no time.
 *
 * @module
 */
import type { BusState } from "../bus.ts";

/**
 * `L` is a connection to a server.
 *
 * - `connecting`: never connected so far.
 * - `staying`: on one connection, which may be down for a while.
 * - `leaving`: the same, while another server is looked for.
 * - `moving`: hears both servers, and speaks to the old one.
 * - `crossing`: hears both, and holds what it has to say until the new server has heard what was said before.
 * - `closed`: for good.
 */
export type SessionPlace<L> =
  | { readonly name: "connecting"; readonly link?: undefined }
  | { readonly name: "staying" | "leaving"; readonly link: L; readonly isUp: boolean }
  | {
    readonly name: "moving" | "crossing";
    readonly link: L;
    readonly isUp: boolean;
    readonly to: L;
    readonly isToUp: boolean;
  }
  | { readonly name: "closed"; readonly link: L | undefined };

/** What a connection tells, or the session does. Where it does not fit the place, nothing happens. */
export type Step<L> =
  | { readonly type: "connect" | "up" | "down" | "leave"; readonly link: L }
  | { readonly type: "move"; readonly to: L }
  | { readonly type: "stay" | "cross" | "arrive" | "close" };

/** A place from which something can be said. */
type UpPlace<L> = Extract<SessionPlace<L>, { isUp: boolean }>;

/** Says where a step leads. */
export function toPlace<L>(place: SessionPlace<L>, step: Step<L>): SessionPlace<L> {
  if (place.name === "closed") return place;
  switch (step.type) {
    case "connect":
      if (place.name !== "connecting") return place;
      return { name: "staying", link: step.link, isUp: true };
    case "up":
    case "down":
      return withUp(place, step.link, step.type === "up");
    case "leave":
      // A lame duck may say so more than once.
      if (place.name !== "staying" || place.link !== step.link) return place;
      return { ...place, name: "leaving" };
    case "stay":
      return place.name === "leaving" ? { ...place, name: "staying" } : place;
    case "move":
      if (place.name !== "leaving") return place;
      return { ...place, name: "moving", to: step.to, isToUp: true };
    case "cross":
      return place.name === "moving" ? { ...place, name: "crossing" } : place;
    case "arrive":
      // The old connection may have been lost meanwhile, or the new one.
      if (place.name !== "crossing") return place;
      return { name: "staying", link: place.to, isUp: place.isToUp };
    case "close":
      return { name: "closed", link: place.link };
  }
}

/** What those above are told of a place. */
export function toState<L>(place: SessionPlace<L>): BusState {
  if (place.name === "connecting" || place.name === "closed") return place.name;
  return place.isUp ? "connected" : "disconnected";
}

/** Says whether the connection that is spoken to is there. */
export function isUp<L>(place: SessionPlace<L>): place is UpPlace<L> {
  return "isUp" in place && place.isUp;
}

/** Where new subscriptions are made: a move has made the old ones there, too. */
export function toHearing<L>(place: SessionPlace<L>): L | undefined {
  return "to" in place ? place.to : place.link;
}

function withUp<L>(place: SessionPlace<L>, link: L, isUp: boolean): SessionPlace<L> {
  if (place.name === "connecting" || place.name === "closed") return place;
  if (place.link === link) return { ...place, isUp };
  if ("to" in place && place.to === link) return { ...place, isToUp: isUp };
  // What was left is about to close.
  return place;
}

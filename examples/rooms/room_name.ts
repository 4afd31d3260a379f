/**
 * What a room may be called: its name is a path segment and a subject token as it stands.
 *
 * @module
 */
const ROOM_NAME = /^[a-z0-9][a-z0-9-]{0,39}$/;

/** What follows the prefix in subjects that are no room's, and what other paths begin with. */
const RESERVED: ReadonlySet<string> = new Set([
  "assets",
  "control",
  "http",
  "post",
  "upload",
  "users",
  "ws",
]);

/**
 * Says whether a room may be called so.
 *
 * @param text A path segment or a subject token.
 * @returns True when it may.
 */
export function isRoomName(text: string): boolean {
  return ROOM_NAME.test(text) && !RESERVED.has(text);
}

/**
 * The name that a person means.
 *
 * @param text As it was typed, e.g. `"Tea Time"`.
 * @returns The name, e.g. `"tea-time"`; undefined when none can be made of it.
 */
export function toRoomName(text: string): string | undefined {
  const name = text.trim().toLowerCase().replace(/[\s_-]+/g, "-");
  return isRoomName(name) ? name : undefined;
}

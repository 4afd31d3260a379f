/**
 * What pages and the worker say to each other: JSON in WebSocket messages, and the body of
 * `POST /users`. What a client sends is checked here and nowhere else.
 *
 * @module
 */

/** The longest message, in UTF-16 units, as `maxlength` counts them. */
export const MAX_TEXT_LENGTH = 1000;
/** The longest name, in UTF-16 units. */
export const MAX_NAME_LENGTH = 32;

/** Somebody in a room. */
export interface Person {
  /** Tells people apart; says nothing about their session. */
  readonly id: string;
  readonly name: string;
}

/** What somebody said. */
export interface Message {
  /** Its sequence number in the stream `rooms`: later messages of a room have larger ones. */
  readonly seq: number;
  /** Chosen by the author's page, so that it can say the same message again. */
  readonly id: string;
  readonly from: Person;
  readonly text: string;
  /** When it was said: ISO 8601, UTC. */
  readonly at: string;
}

/** What a page hears. */
export type Frame =
  | {
    /** The first answer to a page that joined. */
    readonly type: "welcome";
    readonly you: Person;
    /** Another one than before: the stream was made anew, and its numbers mean other messages. */
    readonly transcript: string;
  }
  | {
    /** What was said before, in order. */
    readonly type: "past";
    readonly messages: readonly Message[];
    /** True when there is no more of it. */
    readonly isLast: boolean;
    /** True when messages before these, which the page has not seen, are no longer kept. */
    readonly hasGap: boolean;
  }
  | { readonly type: "said"; readonly message: Message }
  | {
    /** Who is here, at each change and from time to time. */
    readonly type: "here";
    readonly people: readonly Person[];
    /** Of the room's last message; 0 when there is none. */
    readonly lastSeq: number;
  }
  | { readonly type: "named"; readonly you: Person }
  | {
    readonly type: "refused";
    readonly what: "message" | "name";
    /** Of the message, where it had one. */
    readonly id: string | undefined;
    /** For people to read. */
    readonly reason: string;
  };

/** What a page says in its room. */
export interface Saying {
  readonly id: string;
  readonly text: string;
}

/** What a client sent cannot be used; the message is for that client. */
export class Refusal extends Error {
  /** Always `"Refusal"`. */
  override readonly name = "Refusal";

  /**
   * @param reason For people to read.
   * @param id Of the message that is refused, where it had one.
   */
  constructor(reason: string, readonly id?: string) {
    super(reason);
  }
}

/**
 * Reads a WebSocket message.
 *
 * @param payload As the client sent it.
 * @returns What it says.
 * @throws {Refusal} when it cannot be used.
 */
export function parseSaying(payload: Uint8Array): Saying {
  const { id, text } = parseObject(payload, '{"id":"…","text":"…"}');
  if (typeof id !== "string" || !/^[\w-]{8,64}$/.test(id)) {
    throw new Refusal("A message has an id of 8 to 64 letters, digits, - and _");
  }
  if (typeof text !== "string") throw new Refusal("A message has a text", id);
  const clean = withoutControls(text).replace(/\n{3,}/g, "\n\n").trim();
  if (clean === "") throw new Refusal("The message is empty", id);
  if (clean.length > MAX_TEXT_LENGTH) {
    const reason = `The message is ${clean.length} characters long; at most ${MAX_TEXT_LENGTH} fit`;
    throw new Refusal(reason, id);
  }
  return { id, text: clean };
}

/**
 * Reads the body of `POST /users`.
 *
 * @param payload As the client sent it.
 * @returns The name.
 * @throws {Refusal} when it cannot be used.
 */
export function parseName(payload: Uint8Array): string {
  const { name } = parseObject(payload, '{"name":"…"}');
  if (typeof name !== "string") throw new Refusal("A user has a name");
  const clean = withoutControls(name).replace(/\s+/g, " ").trim();
  if (clean === "") throw new Refusal("The name is empty");
  if (clean.length > MAX_NAME_LENGTH) {
    const reason = `The name is ${clean.length} characters long; at most ${MAX_NAME_LENGTH} fit`;
    throw new Refusal(reason);
  }
  return clean;
}

function parseObject(payload: Uint8Array, example: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Neither UTF-8 nor JSON: refused below.
  }
  throw new Refusal(`This cannot be read; expected JSON such as ${example}`);
}

/** All but tab and line feed: they have no place in a message, and six bytes each in JSON. */
function withoutControls(text: string): string {
  // deno-lint-ignore no-control-regex -- these are the characters to take out
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "");
}

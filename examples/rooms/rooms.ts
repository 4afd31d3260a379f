/**
 * The rooms: who enters, what is said, and who gets to hear it.
 *
 * @module
 */
import type { JsMsg } from "@nats-io/jetstream";
import { headers as createHeaders, type NatsConnection } from "@nats-io/nats-core";
import type { KnownConnection, RouterMessage } from "@h8s/gateway/workload";
import { Announcer } from "./announcer.ts";
import type { People } from "./people.ts";
import { Presence } from "./presence.ts";
import { type Frame, type Message, parseName, parseSaying, Refusal } from "./protocol.ts";
import { isRoomName } from "./room_name.ts";
import { KEPT_PER_ROOM } from "./streams.ts";
import type { Subjects } from "./subjects.ts";
import type { Transcript } from "./transcript.ts";

/** How much of the past somebody hears who comes for the first time. */
export const PAST_FOR_NEWCOMERS = 100;
/** 100 messages of 1000 characters stay below the 1 MiB that a NATS message may have. */
const MESSAGES_PER_FRAME = 100;

/** What the rooms are made of. */
export interface RoomsParts {
  readonly nc: NatsConnection;
  readonly subjects: Subjects;
  readonly transcript: Transcript;
  /** Tells one life of the transcript from the next. */
  readonly transcriptId: string;
  readonly people: People;
  /** Told of everything that goes wrong. */
  readonly onError: (error: unknown) => void;
}

/** All rooms of a worker. */
export class Rooms implements AsyncDisposable {
  readonly #parts: RoomsParts;
  readonly #presence = new Presence();
  readonly #announcer = new Announcer((room) => this.#begin(this.#announce(room)));
  /** What is begun and nobody waits for. */
  readonly #tasks = new Set<Promise<void>>();

  /**
   * @param parts What they are made of.
   */
  constructor(parts: RoomsParts) {
    this.#parts = parts;
  }

  /** Somebody has opened a tab, or had it open when the worker came. */
  enter(connection: KnownConnection): void {
    const place = this.#parts.subjects.toPlace(connection.subject);
    if (place === undefined) return;
    if (!isRoomName(place.room)) return this.#close(connection, "1008 there is no such room");
    this.#presence.add(place, connection.id);
    this.#announcer.changed(place.room);
    this.#begin(this.#greet(connection, place.room));
  }

  /** Somebody has closed a tab. */
  leave({ id, subject }: KnownConnection): void {
    const place = this.#parts.subjects.toPlace(subject);
    if (place === undefined) return;
    this.#presence.remove(place, id);
    this.#announcer.changed(place.room);
  }

  /** Tells every room who is here. */
  announceAll(): void {
    for (const room of this.#presence.rooms()) this.#announcer.changed(room);
  }

  /** Somebody has said something. Kept first, then told, so that nobody hears what could be lost. */
  async say({ subject, data, headers, source }: RouterMessage<Uint8Array>): Promise<void> {
    const { subjects, people, transcript } = this.#parts;
    const place = subjects.toPlace(subject);
    // A `GET /` for a host called "in" has such a subject, too; but nobody's session is called "GET".
    if (place === undefined || place.session !== headers.get?.("Client-Id")) return;
    if (!isRoomName(place.room)) return;
    try {
      const saying = parseSaying(data);
      const message = await transcript.keep(place.room, {
        ...saying,
        from: people.of(place.session),
        at: (source as JsMsg).time.toISOString(),
      });
      this.#send(subjects.heard(place.room), { type: "said", message });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { id, message: reason } = error;
      const inbox = headers.get?.("X-H8s-ReplySubject") ?? "";
      if (inbox !== "") this.#send(inbox, { type: "refused", what: "message", id, reason });
    }
  }

  /** Somebody wants to be called otherwise: `POST /users`. The answer reaches all their tabs. */
  async rename({ data, headers }: RouterMessage<Uint8Array>): Promise<void> {
    const { subjects, people, onError } = this.#parts;
    const session = headers.get?.("Client-Id") ?? "";
    if (!/^[\w-]+$/.test(session)) {
      return onError(new Error("Cannot name a user: the gateway has no sessions; turn them on"));
    }
    const push = subjects.push(session);
    try {
      const you = await people.rename(session, parseName(data));
      this.#send(push, { type: "named", you });
      for (const room of this.#presence.roomsOf(session)) this.#announcer.changed(room);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#send(push, { type: "refused", what: "name", id: undefined, reason: error.message });
    }
  }

  /** Announces no more, and finishes what is begun. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#announcer[Symbol.dispose]();
    await Promise.all(this.#tasks);
  }

  async #greet(connection: KnownConnection, room: string): Promise<void> {
    try {
      await this.#tellPast(connection, room);
    } catch (cause) {
      // The page comes back by itself, and asks again.
      this.#close(connection, "1013 the past cannot be told now");
      throw new Error(`Cannot tell the past of the room "${room}"`, { cause });
    }
  }

  /** What a page has not seen yet: it tells in the query of its WebSocket what it knows. */
  async #tellPast({ inbox, query, session = "" }: KnownConnection, room: string): Promise<void> {
    const { people, transcript, transcriptId } = this.#parts;
    this.#send(inbox, { type: "welcome", you: people.of(session), transcript: transcriptId });
    const afterSeq = toAfterSeq(query, transcriptId);
    const messages = await transcript.read(room, afterSeq);
    let hasGap = afterSeq !== undefined && messages.length >= KEPT_PER_ROOM;
    const past = afterSeq === undefined ? messages.slice(-PAST_FOR_NEWCOMERS) : messages;
    for (const { batch, isLast } of toBatches(past)) {
      this.#send(inbox, { type: "past", messages: batch, isLast, hasGap });
      hasGap = false;
    }
  }

  async #announce(room: string): Promise<void> {
    const { subjects, people, transcript } = this.#parts;
    try {
      const lastSeq = await transcript.lastSeq(room);
      const here = this.#presence.sessions(room).map((session) => people.of(session));
      this.#send(subjects.heard(room), { type: "here", people: here, lastSeq });
    } catch (cause) {
      throw new Error(`Cannot tell who is in the room "${room}"`, { cause });
    }
  }

  #begin(task: Promise<void>): void {
    const settled = task.catch(this.#parts.onError).finally(() => this.#tasks.delete(settled));
    this.#tasks.add(settled);
  }

  #send(subject: string, frame: Frame): void {
    this.#parts.nc.publish(subject, JSON.stringify(frame));
  }

  #close({ inbox }: KnownConnection, reason: string): void {
    const headers = createHeaders();
    headers.set("X-H8s-Close", reason);
    this.#parts.nc.publish(inbox, "", { headers });
  }
}

function toAfterSeq(query: string, transcriptId: string): number | undefined {
  const params = new URLSearchParams(query);
  const seq = Number(params.get("after"));
  const isKnown = params.get("transcript") === transcriptId && Number.isSafeInteger(seq) && seq > 0;
  return isKnown ? seq : undefined;
}

/** At least one, so that the page knows where the past ends. */
function* toBatches(
  messages: readonly Message[],
): Generator<{ batch: readonly Message[]; isLast: boolean }> {
  let start = 0;
  do {
    const end = start + MESSAGES_PER_FRAME;
    yield { batch: messages.slice(start, end), isLast: end >= messages.length };
    start = end;
  } while (start < messages.length);
}

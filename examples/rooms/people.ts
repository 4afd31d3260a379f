/**
 * Who people are: an id that says nothing about their session, and a name that lasts.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { type ConsumerMessages, DeliverPolicy, type JetStreamClient } from "@nats-io/jetstream";
import { toGuestName } from "./guest_name.ts";
import type { Person } from "./protocol.ts";
import type { Subjects } from "./subjects.ts";

/** How to know people. */
export interface PeopleOptions {
  readonly subjects: Subjects;
  /** Told when the names can no longer be followed. */
  readonly onError: (error: unknown) => void;
}

/** The names of all sessions: a copy of the stream `names` that follows it. */
export class People implements AsyncDisposable {
  readonly #jetstream: JetStreamClient;
  readonly #options: PeopleOptions;
  readonly #names = new Map<string, string>();
  #messages: ConsumerMessages | undefined;
  #following: Promise<void> | undefined;

  private constructor(jetstream: JetStreamClient, options: PeopleOptions) {
    this.#jetstream = jetstream;
    this.#options = options;
  }

  /**
   * Reads the names, and begins to follow them.
   *
   * @param jetstream Of the connection.
   * @param options Where they are, and who is told of trouble.
   * @returns The people, when all names are there.
   */
  static async open(jetstream: JetStreamClient, options: PeopleOptions): Promise<People> {
    const people = new People(jetstream, options);
    await people.#open();
    return people;
  }

  /**
   * Somebody as others see them.
   *
   * @param session Whose.
   * @returns The person; under a name that we made up where they have given none.
   */
  of(session: string): Person {
    const id = toPersonId(session);
    return { id, name: this.#names.get(session) ?? toGuestName(id) };
  }

  /**
   * Gives somebody a name.
   *
   * @param session Whose.
   * @param name From `parseName`.
   * @returns The person, when the name is kept.
   */
  async rename(session: string, name: string): Promise<Person> {
    await this.#jetstream.publish(this.#options.subjects.name(session), name);
    this.#names.set(session, name);
    return this.of(session);
  }

  /** Follows no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#messages?.close();
    await this.#following;
  }

  async #open(): Promise<void> {
    const consumer = await this.#jetstream.consumers.get("names", {
      filter_subjects: this.#options.subjects.allNames,
      deliver_policy: DeliverPolicy.LastPerSubject,
    });
    const { num_pending } = await consumer.info(true);
    this.#messages = await consumer.consume();
    const caughtUp = Promise.withResolvers<void>();
    if (num_pending === 0) caughtUp.resolve();
    this.#following = this.#follow(this.#messages, caughtUp.resolve).catch(this.#options.onError);
    await caughtUp.promise;
  }

  async #follow(messages: ConsumerMessages, onCaughtUp: () => void): Promise<void> {
    for await (const message of messages) {
      const session = this.#options.subjects.toSession(message.subject);
      this.#names.set(session, message.string());
      if (message.info.pending === 0) onCaughtUp();
    }
  }
}

/** Whoever knew the session could speak as its owner; so others get to see a hash. */
function toPersonId(session: string): string {
  return createHash("sha256").update(session).digest("hex").slice(0, 16);
}

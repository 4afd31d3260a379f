/**
 * The subjects of the demo. Those that the gateway uses are made by its routes, see `gateway.yaml`.
 *
 * @module
 */
/** Who speaks where. */
export interface Place {
  readonly room: string;
  readonly session: string;
}

/** The subjects under one prefix. */
export class Subjects {
  /** All that is said, in any room by anybody. */
  readonly allSaid: string;
  /** What the transcripts of all rooms are kept under. */
  readonly allKept: string;
  /** `POST /users`. */
  readonly postUsers: string;
  /** The names of all users. */
  readonly allNames: string;
  readonly #prefix: string;

  /**
   * @param prefix As the gateway has it.
   */
  constructor(prefix: string) {
    this.#prefix = prefix;
    this.allSaid = `${prefix}.*.*.in`;
    this.allKept = `${prefix}.*.log`;
    this.postUsers = `${prefix}.post.users`;
    this.allNames = `${prefix}.users.*.name`;
  }

  /** What a room hears, live. */
  heard(room: string): string {
    return `${this.#prefix}.${room}.out`;
  }

  /** Where a room's transcript is kept. */
  kept(room: string): string {
    return `${this.#prefix}.${room}.log`;
  }

  /** Where a user's name is kept. */
  name(session: string): string {
    return `${this.#prefix}.users.${session}.name`;
  }

  /** Where a client is reached, in all its tabs. */
  push(session: string): string {
    return `${this.#prefix}.${session}.push`;
  }

  /**
   * Reads a subject under {@link Subjects.allSaid}.
   *
   * @param subject As NATS delivered it, or as a connection's messages carry it.
   * @returns Who speaks where, though that may be no room; undefined for any other subject.
   */
  toPlace(subject: string): Place | undefined {
    if (!subject.startsWith(`${this.#prefix}.`)) return undefined;
    const tokens = subject.slice(this.#prefix.length + 1).split(".");
    const [room = "", session = "", kind] = tokens;
    return tokens.length === 3 && kind === "in" ? { room, session } : undefined;
  }

  /**
   * Reads a subject under {@link Subjects.allNames}.
   *
   * @param subject As NATS delivered it.
   * @returns Whose name it is.
   */
  toSession(subject: string): string {
    return subject.split(".").at(-2) ?? "";
  }
}

/**
 * Does things for rooms a moment later, and once for many reasons.
 *
 * @module
 */

/** Long enough for a reload, or for a crowd that comes back; short enough to be "at once". */
const DELAY_MS = 150;

/** Collects rooms that have changed. */
export class Announcer implements Disposable {
  readonly #announce: (room: string) => void;
  readonly #due = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param announce Called once for each room, a moment after it has changed.
   */
  constructor(announce: (room: string) => void) {
    this.#announce = announce;
  }

  /**
   * Something has changed in a room.
   *
   * @param room Which one.
   */
  changed(room: string): void {
    this.#due.add(room);
    this.#timer ??= setTimeout(() => this.#run(), DELAY_MS);
  }

  /** Forgets what is due. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #run(): void {
    const due = [...this.#due];
    this.#due.clear();
    this.#timer = undefined;
    for (const room of due) this.#announce(room);
  }
}

/**
 * Many lines, written with few calls, by one who waits for nobody: a reader that is slow loses lines, and is
 * told how many.
 *
 * @module
 */

/** How long a line waits for others, in milliseconds. */
const BATCH_MS = 50;
/** What is written without waiting. */
const FULL_CHARS = 64 * 1024;
/** What waits at most for a reader: all lines are ASCII, so also in bytes. */
const MOST_CHARS = 1024 * 1024;

/** Takes some bytes, and says how many. */
export type Write = (bytes: Uint8Array) => Promise<number>;

export class LineWriter implements AsyncDisposable {
  readonly #write: Write;
  readonly #onDropped: (lines: number) => void;
  #waiting: string[] = [];
  #chars = 0;
  #dropped = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> | undefined;

  /**
   * @param write Where the bytes go.
   * @param onDropped Told how many lines were lost, once there is room again.
   */
  constructor(write: Write, onDropped: (lines: number) => void) {
    this.#write = write;
    this.#onDropped = onDropped;
  }

  /** Takes a line without its end. */
  write(line: string): void {
    if (this.#chars + line.length >= MOST_CHARS) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(line);
    this.#chars += line.length + 1;
    if (this.#writing !== undefined) return;
    if (this.#chars >= FULL_CHARS) this.#begin();
    else this.#timer ??= setTimeout(() => this.#begin(), BATCH_MS);
  }

  /** Resolves once all that came is written, or cannot be. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#begin();
    await this.#writing;
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#drain().finally(() => this.#writing = undefined);
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      let rest = new TextEncoder().encode(`${lines.join("\n")}\n`);
      this.#waiting = [];
      this.#chars = 0;
      try {
        while (rest.length > 0) rest = rest.subarray(await this.#write(rest));
      } catch {
        // Nobody reads any more.
        this.#dropped += lines.length;
      }
      if (this.#dropped > 0) this.#onDropped(this.#dropped);
      this.#dropped = 0;
    }
  }
}

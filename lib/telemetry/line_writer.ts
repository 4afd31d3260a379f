/**
 * Many lines, written with few calls, by one who waits for nobody: a reader that is slow loses lines, and is
 * told how many.
 *
 * Every few lines become bytes: as text their many parts would live until they are written, and whatever
 * lives longer than a moment costs most; each by itself costs a call of the platform more.
 *
 * @module
 */

/** How long a line waits for others, in milliseconds. */
const BATCH_MS = 50;
/** What is written without waiting. */
const FULL_BYTES = 64 * 1024;
/** With room for the line that fills it. */
const BUFFER_BYTES = FULL_BYTES + 8 * 1024;
/** What waits at most for a reader. */
const MOST_BYTES = 1024 * 1024;
/** What becomes bytes together, in characters. */
const PIECE_CHARS = 4096;
const ENCODER = new TextEncoder();

/** Takes some bytes, and says how many. */
export type Write = (bytes: Uint8Array) => Promise<number>;

export class LineWriter implements AsyncDisposable {
  readonly #write: Write;
  readonly #onDropped: (lines: number) => void;
  /** What waits; it becomes larger as more does. */
  #waiting = new Uint8Array(BUFFER_BYTES);
  #next = new Uint8Array(BUFFER_BYTES);
  #bytes = 0;
  /** What comes behind it. */
  #text = "";
  #lines = 0;
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

  /** Takes a line of ASCII without its end. */
  write(line: string): void {
    if (this.#bytes + this.#text.length + line.length >= MOST_BYTES) {
      this.#dropped++;
      return;
    }
    this.#text += `${line}\n`;
    this.#lines++;
    if (this.#text.length >= PIECE_CHARS) this.#encode();
    if (this.#writing !== undefined) return;
    if (this.#bytes >= FULL_BYTES) this.#begin();
    else this.#timer ??= setTimeout(() => this.#begin(), BATCH_MS);
  }

  /** Resolves once all that came is written, or cannot be. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#begin();
    await this.#writing;
  }

  #encode(): void {
    const end = this.#bytes + this.#text.length;
    if (end > this.#waiting.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#waiting.length));
      larger.set(this.#waiting.subarray(0, this.#bytes));
      this.#waiting = larger;
    }
    ENCODER.encodeInto(this.#text, this.#waiting.subarray(this.#bytes));
    this.#bytes = end;
    this.#text = "";
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#drain().finally(() => this.#writing = undefined);
  }

  async #drain(): Promise<void> {
    while (this.#lines > 0) {
      this.#encode();
      const [taken, lines] = [this.#waiting, this.#lines];
      let rest = taken.subarray(0, this.#bytes);
      this.#waiting = this.#next;
      this.#bytes = this.#lines = 0;
      try {
        while (rest.length > 0) rest = rest.subarray(await this.#write(rest));
      } catch {
        // Nobody reads any more.
        this.#dropped += lines;
      }
      this.#next = taken.length === BUFFER_BYTES ? taken : new Uint8Array(BUFFER_BYTES);
      if (this.#dropped > 0) this.#onDropped(this.#dropped);
      this.#dropped = 0;
    }
  }
}

/**
 * Requests for what is guarded, under other spellings and other hosts, with and without what lets in.
 *
 * @module
 */
import type { Random } from "../../harness/random.ts";
import { HANDSHAKE } from "../../harness/websocket.ts";
import { spellHost, spellPath } from "../../mapping/one_reading.ts";
import { type Attempt, Maker, toAttempt, toMangled } from "../http_bytes.ts";
import { KEY, KEY_MARK, SESSION_MARK, SIGNED_SESSION } from "./config.ts";
import { FORGERIES, LINES, type Row, ROWS, WRONG_COOKIES, WRONG_KEYS } from "./words.ts";

/** What one batch sends; each request that is not mangled has a number of its own in its query. */
export class DoorBytes {
  readonly #random: Random;
  readonly #batch: string;
  #count = 0;

  /**
   * @param random Decides.
   * @param batch Tells its numbers from those of others.
   */
  constructor(random: Random, batch: string) {
    this.#random = random;
    this.#batch = batch;
  }

  /** What one connection sends: now and then what is sent to any gateway. */
  toAttempt(): Attempt {
    const random = this.#random;
    if (random.chance(0.15)) return toAttempt(random);
    const requests = random.chance(0.1) ? 2 + random.below(2) : 1;
    const isMangled = random.chance(0.08);
    const make = () => new DoorMaker(random, isMangled ? undefined : this.#next()).toRequest();
    const bytes = Array.from({ length: requests }, make).join("");
    return { bytes: isMangled ? toMangled(bytes, random) : bytes, requests };
  }

  /** The lines of a handshake that works where it is let in. */
  toHandshake(): readonly string[] {
    return new DoorMaker(this.#random, this.#next()).toHandshake();
  }

  #next(): string {
    return `${this.#batch}-${this.#count++}`;
  }
}

class DoorMaker extends Maker {
  readonly #random: Random;
  readonly #number: string | undefined;
  readonly #row: Row;
  readonly #border: number;
  readonly #marks: string[] = [];
  readonly #lines: string[] = [];

  /** @param number Undefined for what is mangled: it shows nothing that lets in, either. */
  constructor(random: Random, number: string | undefined) {
    super(random);
    this.#random = random;
    this.#number = number;
    this.#row = random.pick(ROWS);
    const { tokens, border } = this.#row;
    this.#border = random.chance(0.7) ? border : 1 + random.below(tokens.length);
    this.#prove();
  }

  /** What lets in, which the query tells of; or what does not. */
  #prove(): void {
    const random = this.#random;
    this.#lines.push(...random.several(2, () => random.pick(FORGERIES)));
    this.#lines.push(...random.several(2, () => random.pick(LINES)));
    // A wrong key might be mangled into the right one.
    if (this.#number === undefined) return;
    const isClean = this.wrongness < 0.1;
    this.#marks.push(`n=${this.#number}`);
    if (isClean && random.chance(0.3)) {
      this.#marks.push(KEY_MARK);
      this.#lines.push(`Authorization: Bearer ${KEY}`);
    } else if (random.chance(0.2)) this.#lines.push(random.pick(WRONG_KEYS));
    if (isClean && random.chance(0.2)) {
      const cookies = [`clientId=${SIGNED_SESSION}`, `__Host-clientId=${SIGNED_SESSION}`];
      this.#marks.push(SESSION_MARK);
      this.#lines.push(`Cookie: ${cookies.join("; ")}`);
    } else if (random.chance(0.3)) this.#lines.push(random.pick(WRONG_COOKIES));
  }

  protected override toHost(): string {
    return spellHost(this.#row.tokens.slice(0, this.#border), this.#random);
  }

  /** Orders are taken by few. */
  protected override toMethod(): string {
    const isOrder = this.#row.tokens.includes("orders") && this.#random.chance(0.7);
    return isOrder ? this.#random.pick(["POST", "POST", "PUT"]) : super.toMethod();
  }

  protected override toTarget(host: string): string {
    const path = spellPath(this.#row.tokens.slice(this.#border), this.#random);
    const query = this.#marks.length === 0 ? "" : `?${this.#marks.join("&")}`;
    return `${this.#random.chance(0.05) ? `http://${host}` : ""}${path}${query}`;
  }

  protected override toLines(): readonly string[] {
    return this.#lines;
  }

  override toHandshake(): readonly string[] {
    const host = this.toHost();
    const kept = HANDSHAKE.filter((line) => !/^(?:GET |Host: )/.test(line));
    // Two would be two keys, and a length is no handshake's.
    const lines = this.#lines.filter((line) => !/^(?:Connection|Content-Length): /.test(line));
    return [`GET ${this.toTarget(host)} HTTP/1.1`, `Host: ${host}`, ...kept, ...lines];
  }
}

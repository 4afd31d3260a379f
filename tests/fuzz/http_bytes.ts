/**
 * Requests that no HTTP client would write, as bytes.
 *
 * @module
 */
import type { Random } from "../harness/random.ts";
import { HANDSHAKE } from "../harness/websocket.ts";
import * as words from "./http_words.ts";

/** What is sent over one connection. */
export interface Attempt {
  /** Latin-1. */
  readonly bytes: string;
  /** As how many requests it was meant. */
  readonly requests: number;
}

/** What a body may hold, in the hope that somebody takes it for the next request. */
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: e.com\r\n\r\n";
/** RFC 9113 §3.4. */
const H2_PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/** The beginning of a TLS ClientHello (RFC 8446 §4.1.2). */
const CLIENT_HELLO = "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03";

/**
 * Makes up what one connection sends.
 *
 * @param random Decides.
 * @returns One to three requests, many of them wrong somewhere.
 */
export function toAttempt(random: Random): Attempt {
  const requests = random.chance(0.1) ? 2 + random.below(2) : 1;
  const bytes = Array.from({ length: requests }, () => new Maker(random).toRequest()).join("");
  return { bytes: random.chance(0.12) ? toMangled(bytes, random) : bytes, requests };
}

/** Makes one request. */
export class Maker {
  readonly #random: Random;
  /** How often a part is wrong; from 0.1 on lines end in other ways, too. */
  protected readonly wrongness: number;

  /**
   * @param random Decides.
   */
  constructor(random: Random) {
    this.#random = random;
    this.wrongness = random.pick([0, 0.02, 0.02, 0.1, 0.3]);
  }

  /** Makes it. */
  toRequest(): string {
    const random = this.#random;
    const kind = random.next();
    if (kind < 0.03) return random.bytes(1 + random.below(400));
    if (kind < 0.06) return H2_PREFACE + random.several(5, () => toH2Frame(random)).join("");
    if (kind < 0.07) return CLIENT_HELLO + random.bytes(64);
    return kind < 0.17 ? this.#toUpgrade() : this.#toPlain();
  }

  #word({ good, bad }: words.Words): string {
    return this.#random.pick(this.#random.chance(this.wrongness) ? bad : good);
  }

  #toPlain(): string {
    const random = this.#random;
    const host = this.toHost();
    const lines = [
      `${this.toMethod()} ${this.toTarget(host)} ${this.#word(words.VERSIONS)}`,
      ...this.toLines(),
      ...(random.chance(0.98) ? [`Host: ${random.chance(0.98) ? host : "other.com"}`] : []),
      ...random.several(6, () => this.#word(words.HEADERS)),
    ];
    const body = random.chance(0.35) ? this.#toBody(lines) : "";
    if (random.chance(0.6)) lines.push("Connection: close");
    return this.#toHead(lines) + body;
  }

  /** Begins where it goes. */
  protected toHost(): string {
    return this.#word(words.HOSTS);
  }

  /** What it has to say there, besides. */
  protected toLines(): readonly string[] {
    return [];
  }

  /** One that works. */
  protected toHandshake(): readonly string[] {
    return HANDSHAKE;
  }

  /** What it asks for. */
  protected toMethod(): string {
    return this.#word(words.METHODS);
  }

  /** The rest of where it goes. */
  protected toTarget(host: string): string {
    const random = this.#random;
    if (random.chance(this.wrongness)) return this.#word(words.TARGETS);
    const segments = random.several(4, () => this.#word(words.SEGMENTS));
    const path = `/${segments.join("/")}${this.#word(words.QUERIES)}`;
    return random.chance(0.9) ? path : this.#word(words.SCHEMES) + host + path;
  }

  /** Adds what announces it to the lines. */
  #toBody(lines: string[]): string {
    const random = this.#random;
    const isChunked = random.chance(0.5);
    const isBoth = random.chance(this.wrongness);
    const smuggled = random.chance(0.1) ? SMUGGLED : "";
    if (isChunked) lines.push(`Transfer-Encoding: ${this.#word(words.CODINGS)}`);
    if (!isChunked && random.chance(0.1)) {
      lines.push("Content-Length: 100000");
      return "b".repeat(random.chance(0.7) ? 100_000 : 70_000);
    }
    if (!isChunked || isBoth) lines.push(`Content-Length: ${this.#word(words.LENGTHS)}`);
    if (isBoth) lines.push(`Transfer-Encoding: ${this.#word(words.CODINGS)}`);
    if (!isChunked) return random.pick(["hello", "hello", "hello", "hell", ""]) + smuggled;
    const chunks = random.several(4, () => this.#word(words.CHUNKS));
    return chunks.join("") + this.#word(words.LAST_CHUNKS) + smuggled;
  }

  /** A handshake with some of its lines changed, doubled or left out. */
  #toUpgrade(): string {
    const random = this.#random;
    const [first = "", ...headers] = this.toHandshake();
    const lines = [
      random.chance(0.9)
        ? first
        : `${this.#word(words.METHODS)} ${this.toTarget("e.com")} HTTP/1.1`,
      ...headers.flatMap((line) => random.chance(this.wrongness) ? toOdd(line, random) : [line]),
    ];
    if (random.chance(0.3)) lines.push(`Sec-WebSocket-Protocol: ${this.#word(words.PROTOCOLS)}`);
    if (random.chance(0.2)) lines.push('Sec-WebSocket-Extensions: permessage-deflate; x="\\');
    if (random.chance(0.2)) lines.push(this.#word(words.HEADERS));
    if (random.chance(0.2)) lines.push(`Origin: ${this.#word(words.ORIGINS)}`);
    return this.#toHead(lines) + (random.chance(0.3) ? random.bytes(random.below(40)) : "");
  }

  #toHead(lines: readonly string[]): string {
    const end = () => this.wrongness < 0.1 ? "\r\n" : this.#word(words.LINE_ENDS);
    return lines.map((line) => line + end()).join("") + end();
  }
}

function toOdd(line: string, random: Random): string[] {
  const [name = "", value = ""] = line.split(": ");
  return random.pick([
    ...[[], [line, line], [`${name}: ${value.slice(1)}`], [`${name}: `]],
    ...[[`${name.toUpperCase()}:${value.toUpperCase()}`], [`${name}: ${random.bytes(8)}`]],
  ]);
}

/** RFC 9113 §4.1: length, type, flags, stream. */
function toH2Frame(random: Random): string {
  const payload = random.bytes(random.below(40));
  const length = random.chance(0.8) ? payload.length : random.below(1 << 24);
  const size = [length >> 16, (length >> 8) & 0xff, length & 0xff];
  const [type, flags, stream] = [random.below(12), random.below(256), random.below(7)];
  return String.fromCharCode(...size, type, flags, 0, 0, 0, stream) + payload;
}

/**
 * Some bytes changed, left out, put in, doubled; or the end cut off.
 *
 * @param text Latin-1.
 * @param random Decides.
 * @returns It, broken.
 */
export function toMangled(text: string, random: Random): string {
  let mangled = text;
  for (let count = 1 + random.below(4); count > 0; count--) {
    const at = random.below(mangled.length + 1);
    const [before, after] = [mangled.slice(0, at), mangled.slice(at)];
    mangled = random.pick([
      before + random.bytes(1) + after.slice(1),
      before + after.slice(1 + random.below(8)),
      before + random.pick(["\r\n", "\n", "\r", "\0", " ", ":", "\xff", "\r\n\r\n"]) + after,
      before + after.slice(0, random.below(60)) + after,
      random.chance(0.3) ? before : mangled,
    ]);
  }
  return mangled;
}

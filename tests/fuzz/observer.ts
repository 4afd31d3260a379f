/**
 * All that crosses NATS while the gateway is fuzzed: judged, and answered as good and bad workloads would.
 *
 * @module
 */
import type { Msg, NatsConnection } from "@nats-io/nats-core";
import { toBusMessage } from "../../lib/nats/client/wire.ts";
import { Random } from "../harness/random.ts";
import { rawHeaders } from "../harness/setup.ts";
import { HEADER_LINE, SUBJECT } from "../mapping/wire.ts";
import { toFuzzedBlock } from "./socket_bytes.ts";

/** What clients may make the gateway publish to, besides inboxes. */
const KNOWN = new RegExp(
  "^h8s\\.(?:(?:http|upload)\\.[A-Z][A-Z0-9-]{0,31}\\.|ws\\.ws\\.|control\\.(?:connection\\.closed\\.|" +
    "gateway\\.|ws\\.conn\\.(?:established|closed)(?:\\.|$)))",
);
/** Where the gateway itself asks, when it starts, whether there is JetStream. */
const JETSTREAM = "$JS.API.INFO";
const INBOX = /^_INBOX\.(?:h8s\.)?[\w.-]+$/;
/** What the gateway says to a stream. */
const OF_STREAM = /^Nats-(?:Msg-Id|Expected-Stream): /;
const ESTABLISHED = "h8s.control.ws.conn.established.";
const CLOSED = "h8s.control.ws.conn.closed.";
/** The path of the request that is to be answered well at any time. */
const ALIVE = /^h8s\.http\.GET\.\S+\.alive$/;

/** A message that is to be judged. */
export interface Crossing {
  readonly subject: string;
  /** Of its headers. */
  readonly lines: readonly string[];
  /** Of its payload, in bytes. */
  readonly size: number;
}

/** What holds for one configuration of the gateway besides what holds for all. */
export interface Rules {
  /** Whether it may be published to, besides where the convention leads. */
  isKnown(subject: string): boolean;
  /** Whether nobody's request or message leads there. */
  isInternal(subject: string): boolean;
  /** Whether a stream keeps what is published there. */
  isKept(subject: string): boolean;
  /** Whether the observer is the workload. */
  isAnswered(subject: string): boolean;
  /** Says what should not have been. */
  judge(crossing: Crossing): string[];
}

/** Without routes and streams. */
export const CONVENTION: Rules = {
  isKnown: () => false,
  isInternal: () => false,
  isKept: () => false,
  isAnswered: () => true,
  judge: () => [],
};

/** A subscriber to everything. */
export class Observer {
  readonly #nc: NatsConnection;
  readonly #random: Random;
  readonly #rules: Rules;
  readonly #open = new Set<string>();

  /** What should not have been, in words. */
  readonly wrong: string[] = [];
  /** How many messages have come. */
  messages = 0;
  /** How many WebSockets have been told as established. */
  established = 0;

  /**
   * Subscribes.
   *
   * @param nc Its own connection.
   * @param seed For what it answers.
   * @param rules For what it judges.
   */
  constructor(nc: NatsConnection, seed: number, rules: Rules = CONVENTION) {
    this.#nc = nc;
    this.#rules = rules;
    this.#random = new Random(seed);
    nc.subscribe(">", {
      callback: (error, message) => {
        if (error === null) this.#onMessage(message);
        else this.wrong.push(`the subscription failed: ${error.message}`);
      },
    });
  }

  /** Connections that were told as established and not yet as closed. */
  get open(): number {
    return this.#open.size;
  }

  #onMessage(message: Msg): void {
    this.messages++;
    const { subject, headers } = toBusMessage(message);
    const isInternal = this.#rules.isInternal(subject);
    if (!SUBJECT.test(subject) && !isInternal) {
      this.wrong.push(`no legal subject: ${JSON.stringify(subject)}`);
    }
    if (INBOX.test(subject) || subject === JETSTREAM) return;
    if (!KNOWN.test(subject) && !this.#rules.isKnown(subject)) {
      this.wrong.push(`nobody may publish to ${JSON.stringify(subject)}`);
    }
    if (isInternal) return;
    const lines = headers.split("\r\n").slice(1, -2);
    this.wrong.push(...this.#rules.judge({ subject, lines, size: message.data.length }));
    if (subject.startsWith("h8s.control.")) return this.#onEvent(subject, headers);
    this.#judgeHeaders(subject, headers);
    if (!this.#rules.isAnswered(subject)) return;
    if (ALIVE.test(subject)) message.respond("alive");
    else if (isOfSocket(lines)) this.#speak(this.#toInbox(message));
    else if (!this.#rules.isKept(subject)) this.#answer(message);
  }

  /** A stream's acknowledgement comes where otherwise answers do. */
  #toInbox({ subject, reply, headers }: Msg): string | undefined {
    return this.#rules.isKept(subject) ? headers?.get("X-H8s-ReplySubject") : reply;
  }

  #judgeHeaders(subject: string, block: string): void {
    const lines = block.split("\r\n");
    const isBlock = lines[0] === "NATS/1.0" && lines.at(-1) === "" && lines.at(-2) === "";
    const own = lines.slice(1, -2);
    const isKept = this.#rules.isKept(subject);
    const count = (start: string) => own.filter((line) => line.startsWith(start)).length;
    if (
      !isBlock || !own.every((line) => HEADER_LINE.test(line)) ||
      own.some((line) => /^nats-/i.test(line) && !(isKept && OF_STREAM.test(line))) ||
      (isKept && count("Nats-Msg-Id: ") !== 1) || count("X-H8s-Original-Host: ") !== 1 ||
      count("Host: ") !== (isOfSocket(own) ? 1 : 0) ||
      count("X-H8s-PublishSubject: ") !== 1 || count("X-H8s-Original-Path: ") !== 1 ||
      (!subject.startsWith("h8s.upload.") && !own.includes(`X-H8s-PublishSubject: ${subject}`))
    ) this.wrong.push(`headers of ${subject}: ${JSON.stringify(block)}`);
  }

  #onEvent(subject: string, block: string): void {
    const isEstablished = subject.startsWith(ESTABLISHED);
    if (!isEstablished && !subject.startsWith(CLOSED)) return;
    const ids = [...block.matchAll(/^X-H8s-Connection-Id: (.*)\r$/gm)].map(([, id = ""]) => id);
    const [id = ""] = ids;
    if (ids.length !== 1) this.wrong.push(`an event of ${ids.length} connections`);
    if (isEstablished) {
      this.established++;
      if (this.#open.has(id)) this.wrong.push(`${id} was told as established twice`);
      this.#open.add(id);
    } else if (!this.#open.delete(id)) this.wrong.push(`${id} was told as closed, but is not open`);
  }

  #answer(message: Msg): void {
    if (this.#random.chance(0.7)) return void message.respond("ok");
    const count = 1 + this.#random.below(3);
    for (let sent = 0; sent < count; sent++) {
      const headers = rawHeaders(toFuzzedBlock(this.#random));
      message.respond(this.#random.pick(["ok", "", "0\r\n\r\n", "\xff"]), { headers });
    }
  }

  #speak(reply: string | undefined): void {
    if (reply === undefined || this.#random.chance(0.7)) return;
    this.#nc.publish(reply, this.#random.pick(["", "hi", Uint8Array.of(255, 254)]), {
      ...(this.#random.chance(0.5) ? { headers: rawHeaders(toFuzzedBlock(this.#random)) } : {}),
    });
  }
}

function isOfSocket(lines: readonly string[]): boolean {
  return lines.some((line) => line.startsWith("X-H8s-Frame: "));
}

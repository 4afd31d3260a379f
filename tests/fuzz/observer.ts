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
const ESTABLISHED = "h8s.control.ws.conn.established.";
const CLOSED = "h8s.control.ws.conn.closed.";
/** The path of the request that is to be answered well at any time. */
const ALIVE = /^h8s\.http\.GET\.\S+\.alive$/;

/** A subscriber to everything. */
export class Observer {
  readonly #nc: NatsConnection;
  readonly #random: Random;
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
   */
  constructor(nc: NatsConnection, seed: number) {
    this.#nc = nc;
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
    if (!SUBJECT.test(subject)) this.wrong.push(`no legal subject: ${JSON.stringify(subject)}`);
    if (INBOX.test(subject) || subject === JETSTREAM) return;
    if (!KNOWN.test(subject)) this.wrong.push(`nobody may publish to ${JSON.stringify(subject)}`);
    if (subject.startsWith("h8s.control.")) return this.#onEvent(subject, headers);
    this.#judgeHeaders(subject, headers);
    if (ALIVE.test(subject)) message.respond("alive");
    else if (subject.startsWith("h8s.ws.")) this.#speak(message);
    else this.#answer(message);
  }

  #judgeHeaders(subject: string, block: string): void {
    const lines = block.split("\r\n");
    const isBlock = lines[0] === "NATS/1.0" && lines.at(-1) === "" && lines.at(-2) === "";
    const own = lines.slice(1, -2);
    const count = (start: string) => own.filter((line) => line.startsWith(start)).length;
    if (
      !isBlock || !own.every((line) => HEADER_LINE.test(line)) ||
      own.some((line) => /^nats-/i.test(line)) || count("X-H8s-Original-Host: ") !== 1 ||
      count("Host: ") !== (subject.startsWith("h8s.ws.") ? 1 : 0) ||
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

  #speak({ reply }: Msg): void {
    if (reply === undefined || this.#random.chance(0.7)) return;
    this.#nc.publish(reply, this.#random.pick(["", "hi", Uint8Array.of(255, 254)]), {
      ...(this.#random.chance(0.5) ? { headers: rawHeaders(toFuzzedBlock(this.#random)) } : {}),
    });
  }
}

/**
 * A load of WebSockets, in a process of its own: `deno run -A bench/load/websocket.ts JSON`, where the JSON
 * is a {@link SocketLoad}. Prints one line of JSON: `{ figures }`, or `{ error }`.
 *
 * The clients are bytes on sockets: frames are built once, and counted one by one when they come.
 *
 * @module
 */
import { toLogin } from "../../lib/nats/client/login.ts";
import { Session } from "../../lib/nats/client/session.ts";
import type { Sample } from "../case.ts";
import { CpuMeter, memoryOf, Unmeasurable } from "../process.ts";
import { dial, exchangeHeads, writeAll } from "./raw.ts";

/** What to do with the sockets. */
export type SocketMode = "in" | "out" | "fanout" | "open" | "idle";

/** The sockets of a load. */
export interface SocketLoad {
  readonly mode: SocketMode;
  readonly kind: "bare" | "gateway";
  readonly pid: number;
  readonly port: number;
  readonly natsUrl: string;
  readonly sockets: number;
  /** Of a message's payload. */
  readonly bytes: number;
  /** How many messages in all. */
  readonly messages: number;
}

/** How many handshakes at a time. */
const CONCURRENCY = 64;
/** How many messages may be on their way: less than what makes a gateway take a client for a flood. */
const WINDOW = 1000;
const WINDOW_BYTES = 4 * 1024 * 1024;
/** Of each socket: less than what makes a gateway take it for a slow consumer, or for a flood. */
const SOCKET_WINDOW_BYTES = 512 * 1024;
/** What the route of the fan-out subscribes to. */
const FANOUT_SUBJECT = "bench.fanout";
const STALL_MS = 20_000;

class Load implements AsyncDisposable {
  readonly load: SocketLoad;
  readonly #conns: Deno.TcpConn[] = [];
  readonly #session: Session | undefined;
  readonly #payload: Uint8Array;
  readonly #inboxes: string[] = [];
  readonly #window: number;
  #received = 0;
  /** What the bare server had received before. */
  #bareBegin = 0;
  #wake: (() => void) | undefined;
  #fail: ((error: unknown) => void) | undefined;

  constructor(load: SocketLoad) {
    this.load = load;
    this.#payload = new Uint8Array(load.bytes).fill(0x78);
    const bytes = Math.min(WINDOW_BYTES, SOCKET_WINDOW_BYTES * load.sockets);
    this.#window = Math.max(16, Math.min(WINDOW, Math.floor(bytes / (load.bytes || 1))));
    if (load.kind === "bare") return;
    this.#session = new Session({
      login: toLogin({ natsUrl: [load.natsUrl] }),
      name: "load",
      onRetry: () => {},
      onError: (error) => console.error(error),
    });
  }

  async run(): Promise<Sample> {
    const { mode, pid, sockets } = this.load;
    if (mode === "open") return await this.#openAndClose();
    const rssBefore = memoryOf(pid).rss;
    await this.#openAll();
    if (mode === "idle") {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return { "kB/socket": (memoryOf(pid).rss - rssBefore) / sockets / 1000 };
    }
    const move = mode === "in" ? () => this.#send() : () => this.#push();
    await move();
    const cpu = new CpuMeter(pid);
    const begun = performance.now();
    const messages = await move();
    const seconds = (performance.now() - begun) / 1000;
    return {
      "cpu µs/message": cpu.micros() / messages,
      "messages/s": messages / seconds,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const conn of this.#conns) conn.close();
    await this.#session?.[Symbol.asyncDispose]();
  }

  async #openAll(): Promise<void> {
    const { mode, sockets } = this.load;
    if (this.#session !== undefined) {
      this.#session.subscribe("h8s.ws.ws.com.example.bench.>", ({ reply }) => {
        if (this.#inboxes.length < sockets) this.#inboxes.push(reply);
        else this.#received++;
        this.#wake?.();
      });
      await this.#connected(this.#session);
      await this.#session.flush();
    }
    await inParallel(sockets, async () => {
      this.#conns.push(await openSocket(this.load.port));
    });
    if (mode === "idle") return;
    if (this.#session !== undefined && mode !== "fanout") {
      // Each says one word, so that its inbox is known.
      for (const conn of this.#conns) await writeAll(conn, toFrame(new Uint8Array(1)));
      await this.#until(() => this.#inboxes.length === sockets, "the inboxes");
    }
    if (mode === "in") return;
    for (const conn of this.#conns) this.#read(conn).catch((error) => this.#fail?.(error));
  }

  async #connected(session: Session): Promise<void> {
    if (session.state === "connected") return;
    await new Promise<void>((resolve) => session.onState(() => resolve()));
  }

  async #read(conn: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    const messages = new MessageCounter(this.load.bytes);
    for (;;) {
      const count = await conn.read(buffer);
      if (count === null) return;
      this.#received += messages.take(buffer.subarray(0, count));
      this.#wake?.();
    }
  }

  /** client → NATS */
  async #send(): Promise<number> {
    const frame = toFrame(this.#payload);
    const { messages, kind } = this.load;
    const begin = this.#received;
    const goal = begin + messages;
    let sent = begin;
    while (sent < goal) {
      for (const conn of this.#conns) {
        if (sent >= goal) break;
        await writeAll(conn, frame);
        sent++;
        if (kind === "gateway" && sent - this.#received >= this.#window) {
          await this.#until(() => sent - this.#received < this.#window / 2, "messages in NATS");
        }
      }
    }
    if (kind === "bare") await this.#untilBareHas(messages);
    else await this.#until(() => this.#received >= goal, "messages in NATS");
    return messages;
  }

  async #untilBareHas(messages: number): Promise<void> {
    const goal = this.#bareBegin + messages;
    for (;;) {
      const response = await fetch(`http://127.0.0.1:${this.load.port}/received`);
      const received = Number(await response.text());
      if (received >= goal) {
        this.#bareBegin = received;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** NATS → client, to each in turn or to all at once. */
  async #push(): Promise<number> {
    const { messages, mode, sockets } = this.load;
    const begin = this.#received;
    const rounds = Math.max(1, Math.round(messages / sockets));
    const ahead = Math.max(1, Math.floor(this.#window / sockets));
    for (let round = 0; round < rounds; round += ahead) {
      const count = Math.min(ahead, rounds - round);
      const goal = begin + (round + count) * sockets;
      if (this.#session === undefined) await this.#pushBare(count);
      else if (mode === "fanout") this.#publish([FANOUT_SUBJECT], count);
      else this.#publish(this.#inboxes, count);
      await this.#until(() => this.#received >= goal - this.#window / 2, "messages at the clients");
    }
    await this.#until(() => this.#received >= begin + rounds * sockets, "messages at the clients");
    return rounds * sockets;
  }

  #publish(subjects: readonly string[], rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      for (const subject of subjects) this.#session?.publish(subject, this.#payload);
    }
  }

  async #pushBare(rounds: number): Promise<void> {
    const { port, bytes } = this.load;
    const response = await fetch(`http://127.0.0.1:${port}/push?rounds=${rounds}&bytes=${bytes}`);
    await response.body?.cancel();
  }

  async #openAndClose(): Promise<Sample> {
    const { pid, port, sockets } = this.load;
    const close = toFrame(Uint8Array.of(0x03, 0xe8), 8);
    const cycle = async () => {
      using conn = await openSocket(port);
      await writeAll(conn, close);
      while (await conn.read(new Uint8Array(1024)) !== null);
    };
    // As often as it is measured, as in the other modes: V8 compiles for a while.
    await inParallel(sockets, cycle);
    const cpu = new CpuMeter(pid);
    const begun = performance.now();
    await inParallel(sockets, cycle);
    const seconds = (performance.now() - begun) / 1000;
    return {
      "cpu µs/connection": cpu.micros() / sockets,
      "connections/s": sockets / seconds,
    };
  }

  async #until(isReached: () => boolean, what: string): Promise<void> {
    if (isReached()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => reject(new Unmeasurable(`waited in vain for ${what}: ${this.#received} came`)),
      STALL_MS,
    );
    this.#wake = () => isReached() && resolve();
    this.#fail = reject;
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#wake = this.#fail = undefined;
    }
  }
}

/**
 * Opens a WebSocket, with a key of its own as RFC 6455 §4.1 wants it: the Go daemon makes a connection's inbox of
 * it, and what is published to one of many with the same key goes to all.
 *
 * @param port On this machine.
 */
export async function openSocket(port: number): Promise<Deno.TcpConn> {
  const conn = await dial(port);
  await exchangeHeads(conn, [
    "GET /socket HTTP/1.1",
    "Host: bench.example.com",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${crypto.getRandomValues(new Uint8Array(16)).toBase64()}`,
  ]);
  return conn;
}

/** Does something so many times, some at once. */
export async function inParallel(count: number, task: () => Promise<void>): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left-- > 0) await task();
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, count) }, worker));
}

/** A client's frame, masked with zeros: the payload stays as it is (RFC 6455 §5.3). */
function toFrame(payload: Uint8Array, opcode = 1): Uint8Array {
  const { length } = payload;
  const size = length < 126 ? [0x80 | length] : [0x80 | 126, length >> 8, length & 0xff];
  return Uint8Array.of(0x80 | opcode, ...size, 0, 0, 0, 0, ...payload);
}

/** Counts a server's messages of one length in the bytes of a connection, wherever these are cut. */
class MessageCounter {
  readonly #bytes: number;
  #head: number[] = [];
  /** What is still to come of the payload. */
  #left = 0;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /**
   * Reads on.
   *
   * @returns How many messages have begun.
   * @throws {Unmeasurable} when one is not as long as what was published: messages that are put into one are
   * not what a client is to get.
   */
  take(chunk: Uint8Array): number {
    let count = 0;
    for (let at = 0; at < chunk.length;) {
      if (this.#left > 0) {
        const part = Math.min(this.#left, chunk.length - at);
        this.#left -= part;
        at += part;
        continue;
      }
      this.#head.push(chunk[at++]!);
      const length = payloadLength(this.#head);
      if (length === undefined) continue;
      const isControl = (this.#head[0]! & 0x08) !== 0;
      this.#head = [];
      this.#left = length;
      if (isControl) continue;
      if (length !== this.#bytes) throw new Unmeasurable(`a message of ${length} bytes came`);
      count++;
    }
    return count;
  }
}

/** Of a frame that is not masked (RFC 6455 §5.2); undefined as long as not all of it has come. */
function payloadLength([_, short, high, low]: readonly number[]): number | undefined {
  if (short === undefined || short < 126) return short;
  return low === undefined ? undefined : high! << 8 | low;
}

if (import.meta.main) {
  await using load = new Load(JSON.parse(Deno.args[0] ?? "{}"));
  try {
    console.log(JSON.stringify({ figures: await load.run() }));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    console.log(JSON.stringify({ error: error.message }));
  }
}

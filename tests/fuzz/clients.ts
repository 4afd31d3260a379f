/**
 * Clients that send what was made up for them and look closely at what comes back.
 *
 * @module
 */
import { write } from "../harness/raw_http.ts";
import { HEADER_LINE } from "../mapping/wire.ts";
import type { Attempt } from "./http_bytes.ts";

/** How long a client waits for more, in milliseconds; most of what is fuzzed gets no answer. */
const PATIENCE_MS = 40;

/** How clients come in; over TLS, e.g. */
export type Door = () => Promise<Deno.Conn>;

/** What came back. */
export interface Answers {
  /** Of each response. */
  readonly statuses: readonly number[];
  /** The numbers that a stream gave to what it took. */
  readonly kept: readonly number[];
  /** What should not have come, in words. */
  readonly wrong: readonly string[];
}

/**
 * Sends an attempt over a connection of its own.
 *
 * @param door Where the gateway listens.
 * @param attempt What to send.
 * @returns What came back until all was answered, the gateway closed, or the client lost patience.
 */
export async function attemptHttp(door: Door, { bytes, requests }: Attempt): Promise<Answers> {
  const text = await talk(door, [bytes], (text) => readAnswers(text).statuses.length >= requests);
  // RFC 9113 §3.4: who begins so is answered in HTTP/2.
  if (bytes.includes("PRI * HTTP/2.0") && !text.startsWith("HTTP/1.")) return NOTHING;
  return readAnswers(text);
}

/**
 * Opens a WebSocket, sends frames and vanishes.
 *
 * @param door Where the gateway listens.
 * @param handshake Its lines.
 * @param frames Latin-1, one after the other.
 * @returns What came back of the handshake.
 */
export async function attemptFrames(
  door: Door,
  handshake: readonly string[],
  frames: readonly string[],
): Promise<Answers> {
  return readAnswers(await talk(door, [`${handshake.join("\r\n")}\r\n\r\n`, ...frames]));
}

const NOTHING: Answers = { statuses: [], kept: [], wrong: [] };
const KEPT = /\{"stream":"\w+","seq":(\d+),"duplicate":false\}/g;
const HEAD = /HTTP\/1\.[01] (\d{3}) [^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/g;

/** Looks for heads only: no body that is sent here holds one. */
function readAnswers(text: string): Answers {
  const heads = [...text.matchAll(HEAD)].map(([, status, lines = ""]) => ({
    status: Number(status),
    lines: lines.split("\r\n").slice(0, -1),
  }));
  const wrong = text === "" || text.startsWith("HTTP/1.") ? [] : ["what came back is no HTTP"];
  for (const { status, lines } of heads) {
    if (status === 500) wrong.push("a 500");
    for (const line of lines) {
      if (!HEADER_LINE.test(line) || /^(x-h8s|nats)-/i.test(line)) wrong.push(`the header ${line}`);
    }
  }
  const statuses = heads.map(({ status }) => status).filter((status) => status > 100);
  const kept = Array.from(text.matchAll(KEPT), ([, seq]) => Number(seq));
  return { statuses, kept, wrong };
}

/** Writes each piece, the second not before something has come back, and reads. */
async function talk(
  door: Door,
  pieces: readonly string[],
  isEnough: (text: string) => boolean = () => false,
): Promise<string> {
  const conn = await door();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const writing = writeAll(conn, pieces, begun).catch(() => {});
  const hangUp = () => {
    try {
      conn.close();
    } catch {
      // It is closed already.
    }
  };
  let timer = setTimeout(hangUp, PATIENCE_MS);
  const buffer = new Uint8Array(16_384);
  let text = "";
  while (!isEnough(text)) {
    const length = await conn.read(buffer).catch(() => null);
    if (length === null) break;
    clearTimeout(timer);
    timer = setTimeout(hangUp, PATIENCE_MS);
    text += String.fromCharCode(...buffer.subarray(0, length));
    begin();
  }
  clearTimeout(timer);
  hangUp();
  begin();
  await writing;
  return text;
}

async function writeAll(
  conn: Deno.Conn,
  [first = "", ...rest]: readonly string[],
  begun: Promise<void>,
): Promise<void> {
  await write(conn, first);
  await begun;
  for (const piece of rest) await write(conn, piece);
}

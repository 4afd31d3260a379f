/**
 * HTTP as bytes on a socket: for what well-behaved clients cannot send.
 *
 * @module
 */
import { within } from "./waiting.ts";

/** A response, read to the end of the connection or of its announced length. */
export interface RawResponse {
  readonly status: number;
  /** Lines in order, names in lower case. */
  readonly headers: readonly [name: string, value: string][];
  /** Latin-1. */
  readonly body: string;
  /** The whole of it, as it came, latin-1. */
  readonly raw: string;
}

/**
 * Opens a connection to a gateway on this machine.
 *
 * @param port Where it listens.
 * @returns The connection.
 */
export function open(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/**
 * Writes text as latin-1 bytes.
 *
 * @param conn Where to.
 * @param text Characters up to U+00FF.
 */
export async function write(conn: Deno.Conn, text: string): Promise<void> {
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  for (let offset = 0; offset < bytes.length;) offset += await conn.write(bytes.subarray(offset));
}

/**
 * Reads until a condition holds or the peer closes.
 *
 * @param conn Where from.
 * @param isEnough Given all text so far.
 * @returns The text, latin-1.
 */
export async function readUntil(
  conn: Deno.TcpConn,
  isEnough: (text: string) => boolean = () => false,
): Promise<string> {
  const buffer = new Uint8Array(65536);
  let text = "";
  while (!isEnough(text)) {
    const reading = conn.read(buffer).catch(() => null);
    const length = await within(reading, () => `what comes after ${JSON.stringify(text)}`);
    if (length === null) break;
    for (const byte of buffer.subarray(0, length)) text += String.fromCharCode(byte);
  }
  return text;
}

/**
 * Sends a request as it stands and reads the response to its end.
 *
 * @param port Where the gateway listens.
 * @param head Request line and header lines without the last CRLFs; `Connection: close` is added.
 * @param body Latin-1.
 * @returns The response.
 */
export async function rawRequest(port: number, head: string, body = ""): Promise<RawResponse> {
  using conn = await open(port);
  await write(conn, `${head}\r\nConnection: close\r\n\r\n${body}`);
  return parseResponse(await readUntil(conn, isWhole));
}

/** A server may keep the connection for a body that it refused; so the end is not its closing. */
function isWhole(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return false;
  const length = /^content-length: (\d+)/im.exec(text.slice(0, end))?.[1];
  return length !== undefined && text.length >= end + 4 + Number(length);
}

/**
 * Reads the text of a response.
 *
 * @param raw As it came, latin-1.
 * @returns Its parts.
 */
export function parseResponse(raw: string): RawResponse {
  const end = raw.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = raw.slice(0, end).split("\r\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: Number(statusLine.split(" ")[1]), headers, body: raw.slice(end + 4), raw };
}

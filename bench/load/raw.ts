/**
 * Clients as bytes on sockets: next to nothing is spent on them, and they read as slowly as they like.
 *
 * @module
 */
import { Unmeasurable } from "../process.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const HEAD_END = "\r\n\r\n";
const CHUNK_BYTES = 64 * 1024;

/**
 * Opens a connection.
 *
 * @param port On this machine.
 * @returns The connection, for small writes.
 */
export async function dial(port: number): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  return conn;
}

/** Writes all of it. */
export async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
}

/**
 * Sends the head of a request and reads that of the response.
 *
 * @param conn Where to.
 * @param lines The request's, without the last empty one.
 * @returns The response's head, and how many bytes came with it.
 * @throws {Unmeasurable} when the status is an error's.
 */
export async function exchangeHeads(
  conn: Deno.TcpConn,
  lines: readonly string[],
): Promise<{ head: string; surplus: number }> {
  await writeAll(conn, encoder.encode([...lines, "", ""].join("\r\n")));
  return await readHead(conn);
}

/**
 * Gets a small answer on a connection that stays open.
 *
 * @param conn Where to.
 * @throws {Unmeasurable} when the status is an error's.
 */
export async function get(conn: Deno.TcpConn, path: string): Promise<void> {
  const lines = [`GET ${path} HTTP/1.1`, "Host: bench.example.com"];
  const { head, surplus } = await exchangeHeads(conn, lines);
  let left = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0) - surplus;
  while (left > 0) left -= await conn.read(new Uint8Array(left)) ?? left;
}

/** Downloads, as fast as asked, and counts; the length is of the body with its chunk sizes. */
export async function download(
  port: number,
  { path, host, bytesPerSecond = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY }: {
    path: string;
    host: string;
    bytesPerSecond?: number;
    maxBytes?: number;
  },
): Promise<number> {
  using conn = await dial(port);
  const lines = [`GET ${path} HTTP/1.1`, `Host: ${host}`, "Connection: close"];
  let { surplus: length } = await exchangeHeads(conn, lines);
  const buffer = new Uint8Array(CHUNK_BYTES);
  const begun = performance.now();
  while (length < maxBytes) {
    const count = await conn.read(buffer);
    if (count === null) break;
    length += count;
    const ahead = (length / bytesPerSecond) * 1000 - (performance.now() - begun);
    if (ahead > 1) await new Promise((resolve) => setTimeout(resolve, ahead));
  }
  return length;
}

/** Uploads with a known length, and waits for the answer. */
export async function upload(
  port: number,
  { path, host, bytes }: { path: string; host: string; bytes: number },
): Promise<void> {
  using conn = await dial(port);
  const lines = [`POST ${path} HTTP/1.1`, `Host: ${host}`, `Content-Length: ${bytes}`];
  await writeAll(conn, encoder.encode([...lines, "", ""].join("\r\n")));
  const answered = readHead(conn);
  // A server that wants no more says so in the middle; that is looked at in the end.
  answered.catch(() => {});
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let left = bytes; left > 0; left -= chunk.length) {
    await writeAll(conn, chunk.subarray(0, Math.min(left, chunk.length)));
  }
  await answered;
}

async function readHead(conn: Deno.TcpConn): Promise<{ head: string; surplus: number }> {
  const buffer = new Uint8Array(CHUNK_BYTES);
  let text = "";
  while (!text.includes(HEAD_END)) {
    const count = await conn.read(buffer);
    if (count === null) throw new Unmeasurable("the server closed the connection");
    text += decoder.decode(buffer.subarray(0, count));
  }
  const status = Number(text.split(" ", 2)[1]);
  if (status >= 300) throw new Unmeasurable(`the server answered ${text.split("\r\n", 1)[0]}`);
  const end = text.indexOf(HEAD_END) + HEAD_END.length;
  return { head: text.slice(0, end), surplus: text.length - end };
}

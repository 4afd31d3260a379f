/**
 * A `Response` → a reply: single when its body is known and fits, else a stream.
 *
 * @module
 */
import { toHeaderEntries } from "../../mapping/headers.ts";
import { type ReplyHead, toAnnouncedLength } from "../../mapping/outgoing.ts";
import { readBodyStart, toChunkBytes } from "./body_start.ts";
import type { ReplyWriter } from "./reply_writer.ts";

const EMPTY = new Uint8Array();
const NOT_MODIFIED = 304;
/** What is larger goes no faster than the gateway grants, where it does. */
const SINGLE_BYTES = 64 * 1024;

/** A body failed; `cause` says how. */
export class BodyError extends Error {
  /** Always `"BodyError"`. */
  override readonly name = "BodyError";
}

/** How a response is sent. */
export interface ResponseOptions {
  readonly writer: ReplyWriter;
  /** The request's: HEAD gets no body. */
  readonly method: string;
  /** Aborted when nobody waits for the response any more. */
  readonly signal: AbortSignal;
}

/**
 * Sends a response.
 *
 * @throws {BodyError} when the body fails. Where the client has some of it, nothing more is sent: an end
 * in order would be a lie.
 * @throws {LinkLostError} when NATS was lost in the middle of it.
 * @throws {unknown} the signal's reason, when it is aborted.
 */
export async function sendResponse(response: Response, options: ResponseOptions): Promise<void> {
  const { writer, method, signal } = options;
  const head: ReplyHead = { status: response.status, headers: toHeaderEntries(response.headers) };
  if (writer.roomFor(head) < 0) {
    await response.body?.cancel();
    throw new RangeError("Cannot reply: the header block is larger than NATS can carry");
  }
  if (response.body === null) {
    const isHead = method === "HEAD";
    const announced = isHead || response.status === NOT_MODIFIED
      ? toAnnouncedLength(head.headers)
      : undefined;
    // Frameworks drop the body of a HEAD themselves: that is no sign of a GET's being empty.
    const contentLength = announced ?? (isHead ? undefined : 0);
    return await writer.single(
      contentLength === undefined ? head : { ...head, contentLength },
      EMPTY,
    );
  }
  const reader = response.body.getReader();
  // A pending read then ends as if the body had; so the signal is looked at after each.
  const onAbort = () => reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", onAbort);
  try {
    signal.throwIfAborted();
    await sendBody(reader, { ...options, head });
  } catch (error) {
    await reader.cancel(error).catch(() => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function sendBody(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { writer, method, signal, head }: ResponseOptions & { head: ReplyHead },
): Promise<void> {
  if (method === "HEAD") return await sendLength(reader, { writer, head });
  const room = writer.roomFor(head);
  // Headers alone go first where the gateway knows that this is no end: events may be slow to come.
  const isPatient = !writer.hasCredit;
  const { bytes, next } = await orBodyError(readBodyStart(reader, { room, isPatient }));
  next?.catch(() => {});
  signal.throwIfAborted();
  if (next === undefined) {
    if (!writer.hasCredit || bytes.length <= SINGLE_BYTES) {
      return await writer.single({ ...head, contentLength: bytes.length }, bytes);
    }
    // Many large ones at once would be more than the server lets wait for the gateway.
    await writer.begin({ ...head, streamLength: bytes.length }, bytes);
    return writer.end();
  }
  const length = toAnnouncedLength(head.headers);
  await writer.begin(length === undefined ? head : { ...head, streamLength: length }, bytes);
  let sent = bytes.length;
  for (let read = next; read !== undefined; read = reader.read()) {
    const chunk = await orBodyError(read.then(toChunk));
    signal.throwIfAborted();
    if (chunk === undefined) break;
    await writer.chunk(chunk);
    sent += chunk.length;
  }
  if (length !== undefined && sent !== length) {
    const cause = new RangeError(`Content-Length says ${length} bytes, the body has ${sent}`);
    throw new BodyError("Cannot end the response in order", { cause });
  }
  writer.end();
}

/** RFC 9110 §9.3.2: a HEAD has the headers of a GET, so its length too, where that is known. */
async function sendLength(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { writer, head }: { writer: ReplyWriter; head: ReplyHead },
): Promise<void> {
  let contentLength = toAnnouncedLength(head.headers);
  if (contentLength === undefined) {
    const start = readBodyStart(reader, { room: writer.roomFor(head), isPatient: false });
    const { bytes, next } = await orBodyError(start);
    next?.catch(() => {});
    if (next === undefined) contentLength = bytes.length;
  }
  await reader.cancel();
  await writer.single(contentLength === undefined ? head : { ...head, contentLength }, EMPTY);
}

function toChunk(step: ReadableStreamReadResult<Uint8Array>): Uint8Array | undefined {
  return step.done ? undefined : toChunkBytes(step.value);
}

async function orBodyError<Value>(promise: Promise<Value>): Promise<Value> {
  try {
    return await promise;
  } catch (cause) {
    throw new BodyError("Cannot read the response's body", { cause });
  }
}

/**
 * The body of a request.
 *
 * @module
 */
import {
  type BodyChunks,
  type BodyOptions,
  BodyReader,
  bodyTimeout,
  brokenOff,
  tooLarge,
} from "./body_reader.ts";
import { toBodyStream } from "./body_stream.ts";
import { concatenate } from "../../mapping/concatenate.ts";
import { free } from "../../nats/free.ts";
import type { Patience } from "./patience.ts";

/** A body that fits into one message. */
export interface WholeBody {
  readonly kind: "whole";
  readonly bytes: Uint8Array;
  /** For who has no need of the bytes any more. */
  readonly giveBack?: () => void;
}

/** A request's body, as far as it was read. */
export type ClientBody =
  | WholeBody
  /** More than fits: what was read so far, and the rest as it comes; to be returned when it is not wanted. */
  | { readonly kind: "stream"; readonly chunks: BodyChunks };

const EMPTY = new Uint8Array();
/** No body. */
export const NOTHING: WholeBody = { kind: "whole", bytes: EMPTY };
/** What is announced as no more than this is left to the platform: that is fastest, but shows no progress. */
const PLATFORM_BYTES = 128 * 1024;
/** What is read at once of all else. */
const READ_BYTES = 32 * 1024;

/**
 * Reads a request's body as far as it fits, counting what comes. What counts are buffers: whatever the pieces
 * are that it comes in, it is copied together.
 *
 * @returns All of it when it fits; else all of it in turn, which ends with `body_too_large` at the limit.
 * @throws {GatewayError} `body_too_large` as soon as it is known; `body_timeout` when it does not come;
 * `malformed_request` when the client leaves in the middle of it.
 */
export async function readBody(request: Request, options: BodyOptions): Promise<ClientBody> {
  const { room, limit, patience, spares } = options;
  const announced = toLength(options.contentLength);
  if (announced === 0) return NOTHING;
  if (announced !== undefined && announced > limit) throw tooLarge(limit);
  const { method } = request;
  const isSmall = announced !== undefined && announced <= Math.min(room, PLATFORM_BYTES);
  const readBytes = isSmall ? options.toReadBytes?.(announced) : undefined;
  // The platform keeps the bodies of the others to itself.
  if (isSmall && method !== "GET" && method !== "HEAD" && readBytes === undefined) {
    const bytes = await readAtOnce(request, { announced, patience });
    return { kind: "whole", bytes, giveBack: () => free(bytes) };
  }
  const body = toBodyStream(request);
  if (body === null) return NOTHING;
  const reader = new BodyReader(body, options);
  if (announced === undefined || announced > room || readBytes !== undefined) {
    return await gather(reader, { room, readBytes });
  }
  const bytes = await reader.fillUp(announced);
  return { kind: "whole", bytes, giveBack: () => spares?.giveBack(bytes.buffer) };
}

async function readAtOnce(
  request: Request,
  { announced, patience }: { announced: number; patience: Patience },
): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  patience.start(() => reject(bodyTimeout()), announced);
  request.bytes().then(resolve, (cause) => reject(brokenOff(cause)));
  try {
    return await promise;
  } finally {
    patience.stop(announced);
  }
}

/** Reads a message full, and gives the rest in turn where there is one. */
async function gather(
  reader: BodyReader,
  { room, readBytes = READ_BYTES }: { room: number; readBytes: number | undefined },
): Promise<ClientBody> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  while (length <= room) {
    const piece = await reader.fill(readBytes);
    if (piece === undefined) return { kind: "whole", bytes: concatenate(pieces, length) };
    pieces.push(piece);
    length += piece.length;
  }
  return { kind: "stream", chunks: reader.resume(concatenate(pieces, length)) };
}

function toLength(text: string | undefined): number | undefined {
  const length = text === undefined || text === "" ? NaN : Number(text);
  return Number.isInteger(length) && length >= 0 ? length : undefined;
}

/** A body that is there, in turn. */
export function toStream(bytes: Uint8Array): ClientBody {
  return {
    kind: "stream",
    chunks: (async function* () {
      yield bytes;
    })(),
  };
}

/**
 * A fetch handler that asks a local HTTP server.
 *
 * @module
 */
import { toHeaderEntries } from "../mapping/headers.ts";
import { toProblemResponse } from "../mapping/problem.ts";
import { isBodyless } from "../mapping/reply.ts";
import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import type { ServeHandler } from "../workload/mod.ts";
import { toBackendHeaders, toBackendTarget, toForwarded } from "./backend_request.ts";
import type { Undici } from "./libraries.ts";

/**
 * Whose requests go over connections that are kept. A server may close one just as a request goes out on
 * it, and nobody can tell whether that was read; for these, asking again is the client's right at least.
 */
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);
/** Shorter than what servers that do not say so in `Keep-Alive` leave open (gunicorn: 2 s). */
const KEEP_ALIVE_MS = 1000;
const CONNECT_TIMEOUT_MS = 10_000;

/** RFC 9457, of the daemon's own: what a client gets whose request the backend does not answer. */
export const BACKEND_UNAVAILABLE = {
  type: "urn:h8s:error:backend_unavailable",
  title: "Backend unavailable",
  status: 502,
  detail: "The server behind the reverse daemon did not answer",
};

/** Where requests go. */
export interface HttpProxyOptions {
  /** The local server; its path is put before the request's, e.g. `http://localhost:3000/api`. */
  readonly backendUrl: URL;
  /** Who vouches for it: certificates in PEM. */
  readonly ca: string | undefined;
  /** The largest header block of a response, in bytes. */
  readonly maxHeaderBytes: number;
  /** Told of each request that the backend did not answer. */
  readonly onError: (error: unknown) => void;
  /** Told of each that it did. */
  readonly onAnswer: () => void;
}

/** A handler that passes requests on, and its connections. */
export interface HttpProxy {
  /**
   * Answers 502 when the backend cannot be reached or its connection dies; no request is sent twice. Gives up
   * with the request's signal.
   */
  readonly handle: ServeHandler;
  /** Ends all connections. */
  close(): Promise<void>;
}

/**
 * Makes a handler that passes requests on as they are: the path and the query untouched, bodies as
 * streams, encodings not undone, redirects not followed.
 */
export function createHttpProxy(
  { Pool }: Undici,
  { backendUrl, ca, maxHeaderBytes, onError, onAnswer }: HttpProxyOptions,
): HttpProxy {
  const options = {
    maxHeaderSize: maxHeaderBytes,
    // How long an answer may take is the gateway's to say: it ends the request.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: 60_000,
    connect: { timeout: CONNECT_TIMEOUT_MS, ...(ca === undefined ? {} : { ca }) },
  };
  const kept = new Pool(backendUrl.origin, options);
  const fresh = new Pool(backendUrl.origin, { ...options, pipelining: 0 });
  return {
    async handle(request, info) {
      const { method, signal } = request;
      const body = info.body ?? request.body;
      const pool = SAFE_METHODS.has(method) && body === null ? kept : fresh;
      try {
        const answer = await pool.request({
          method: method as Dispatcher.HttpMethod,
          path: toBackendTarget(backendUrl, info.target),
          headers: toBackendHeaders(toHeaderEntries(request.headers)),
          body: body as AsyncIterable<Uint8Array> | null as never,
          signal,
          responseHeaders: "raw",
        });
        onAnswer();
        return toResponse(answer, method);
      } catch (error) {
        if (signal.aborted) throw error;
        onError(error);
        return toProblemResponse(BACKEND_UNAVAILABLE);
      }
    },
    async close() {
      await Promise.all([kept.destroy(), fresh.destroy()]);
    },
  };
}

function toResponse(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  method: string,
): Response {
  const entries = toEntries(headers as unknown as readonly string[]);
  const response = new Response(toBody(body, { method, statusCode, entries }), {
    status: statusCode,
  });
  for (const [name, value] of toForwarded(entries)) response.headers.append(name, value);
  return response;
}

function toBody(
  body: Readable,
  { method, statusCode, entries }: {
    method: string;
    statusCode: number;
    entries: readonly (readonly [string, string])[];
  },
): BodyInit | null {
  if (method !== "HEAD" && !isBodyless(statusCode)) {
    // Not `Readable.toWeb`: in Deno 2.9.6 it throws where nobody catches when what is read is given up.
    return ReadableStream.from(body) as ReadableStream<Uint8Array> as BodyInit;
  }
  body.resume();
  const isLengthKnown = entries.some(([name]) => name.toLowerCase() === "content-length");
  // A HEAD's body that is there but not known: no length is to be made up for it.
  return isLengthKnown || isBodyless(statusCode) ? null : new ReadableStream();
}

function toEntries(list: readonly string[]): [name: string, value: string][] {
  return list.flatMap((name, index) => index % 2 === 0 ? [[name, list[index + 1] ?? ""]] : []);
}

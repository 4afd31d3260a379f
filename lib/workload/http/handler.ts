/**
 * What a handler gets: a `Request`, and what cannot be in it.
 *
 * @module
 */
import {
  type Incoming,
  toBodyHeaders,
  toOriginalTarget,
  toRemoteAddress,
} from "../../mapping/incoming.ts";
import { type PathTokens, readPathTokens } from "../../mapping/subject.ts";

/** Bytes where they fit into one message, else a stream; null without a body. */
export type RequestBody =
  | Uint8Array<ArrayBuffer>
  | ReadableStream<Uint8Array<ArrayBuffer>>
  | null;

/** What of a request is not in the `Request`; shaped so that what expects `Deno.serve` finds its way. */
export interface ServeInfo {
  /** The client, or the proxy before the gateway; its port is not known. */
  readonly remoteAddr: {
    readonly transport: "tcp";
    readonly hostname: string;
    readonly port: number;
  };
  /** The subject that the message came on. */
  readonly subject: string;
  /**
   * Path and query as the client sent them, octet by octet, where `request.url` is what the URL standard
   * makes of them. Latin-1: one character a byte.
   */
  readonly target: string;
  /**
   * The body of a GET or a HEAD, which a `Request` cannot hold: bytes, or a stream where it did not fit into
   * one message. `new Response(info.body).json()` reads either. Null without one, and for other methods,
   * whose body is the request's own.
   */
  readonly body: RequestBody;
}

/**
 * A standard fetch handler: `app.fetch` of Hono, Oak, h3 and others is one.
 *
 * @param request What the client asks; its `signal` is aborted when the client goes.
 */
export type ServeHandler = (request: Request, info: ServeInfo) => Response | Promise<Response>;

/** A request, read. */
export interface HandlerInput {
  readonly method: string;
  readonly incoming: Incoming;
  readonly body: RequestBody;
  readonly signal: AbortSignal;
}

/**
 * Makes the `Request`.
 *
 * @param url What the client asked for.
 * @returns A GET or a HEAD without a body, and so without a length: whoever sent it on would promise bytes
 * that do not come.
 * @throws {TypeError} when there can be no such request.
 */
export function toHandlerRequest(
  url: string,
  { method, incoming, body, signal }: HandlerInput,
): Request {
  const isBare = isBodyless(method);
  const length = body instanceof ReadableStream ? undefined : body?.length ?? 0;
  return new Request(url, {
    method,
    headers: (isBare ? incoming.headers : toBodyHeaders(incoming, length)) as [string, string][],
    signal,
    // `duplex` is what Node wants to be told of a stream.
    ...(isBare || body === null ? {} : { body, duplex: "half" }),
  } as RequestInit);
}

/**
 * Makes what is told beside the `Request`.
 *
 * @returns Its body is null where the `Request` has it.
 */
export function toServeInfo(
  { method, incoming, pathTokens = readPathTokens(""), message: { subject } }: {
    method: string;
    incoming: Incoming;
    pathTokens: PathTokens | undefined;
    message: { readonly subject: string };
  },
  body: RequestBody,
): ServeInfo {
  const hostname = toRemoteAddress(incoming.headers);
  return {
    remoteAddr: { transport: "tcp", hostname, port: 0 },
    subject,
    target: toOriginalTarget(incoming.control, pathTokens),
    body: isBodyless(method) ? body : null,
  };
}

/** The fetch standard lets these have no body. */
function isBodyless(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

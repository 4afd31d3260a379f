/**
 * A fetch handler that asks a local HTTP server.
 *
 * @module
 */
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isHopByHop } from "../mapping/headers.ts";

/** Where requests go. */
export interface HttpProxyOptions {
  /** The local server; its path is put before the request's, e.g. `http://localhost:3000/api`. */
  readonly backendUrl: URL;
  /** Told of each request that the backend did not answer. */
  readonly onError: (error: unknown) => void;
}

/**
 * Makes a handler that passes requests on as they are: the path and the query untouched, bodies as
 * streams, encodings not undone, redirects not followed.
 *
 * @param options Where requests go.
 * @returns A fetch handler. It answers 502 when the backend cannot be reached, and gives up with the
 * request's signal.
 */
export function createHttpProxy(
  { backendUrl, onError }: HttpProxyOptions,
): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      return await forward(request, backendUrl);
    } catch (error) {
      if (request.signal.aborted) throw error;
      onError(error);
      return toBadGateway();
    }
  };
}

/**
 * The backend's address for a request, its path and query as they were sent.
 *
 * @param backendUrl The local server.
 * @param requestUrl The request's URL.
 * @returns The path of the backend's, then the request's own, then its query.
 */
export function toBackendPath(backendUrl: URL, requestUrl: string): string {
  const { pathname, search } = new URL(requestUrl);
  return backendUrl.pathname.replace(/\/$/, "") + pathname + search;
}

/**
 * A request's headers for the backend: without those of one hop, `Host` being the backend's.
 *
 * @param headers The request's.
 * @returns Names and values.
 */
export function toBackendHeaders(headers: Headers): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of headers) if (isForwarded(name)) result[name] = value;
  return result;
}

async function forward(request: Request, backendUrl: URL): Promise<Response> {
  const send = backendUrl.protocol === "https:" ? requestHttps : requestHttp;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const outgoing = send({
    protocol: backendUrl.protocol,
    hostname: backendUrl.hostname.replace(/^\[|\]$/g, ""),
    port: backendUrl.port,
    path: toBackendPath(backendUrl, request.url),
    method: request.method,
    headers: toBackendHeaders(request.headers),
  }, resolve);
  outgoing.on("error", reject);
  // Not by the `signal` option: Deno's node:http looks at it only once the response has begun.
  request.signal.addEventListener("abort", () => {
    outgoing.destroy();
    reject(request.signal.reason);
  }, { once: true });
  if (request.body === null) outgoing.end();
  else pipeline(Readable.fromWeb(request.body), outgoing).catch(reject);
  return toResponse(await promise, request.method);
}

function toResponse(incoming: IncomingMessage, method: string): Response {
  const status = incoming.statusCode ?? 502;
  const isEmpty = method === "HEAD" || status === 204 || status === 205 || status === 304;
  if (isEmpty) incoming.resume();
  const body = isEmpty ? null : Readable.toWeb(incoming) as ReadableStream<Uint8Array>;
  const response = new Response(body as BodyInit | null, { status });
  for (let index = 0; index < incoming.rawHeaders.length; index += 2) {
    const [name = "", value = ""] = incoming.rawHeaders.slice(index, index + 2);
    if (isForwarded(name.toLowerCase())) response.headers.append(name, value);
  }
  return response;
}

/** `Host` and `Expect` are between this daemon and the backend. */
function isForwarded(name: string): boolean {
  return !isHopByHop(name) && name !== "host" && name !== "expect";
}

function toBadGateway(): Response {
  const problem = {
    type: "urn:h8s:error:backend_unavailable",
    title: "Backend unavailable",
    status: 502,
    detail: "The server behind the reverse daemon did not answer",
  };
  const headers = { "content-type": "application/problem+json" };
  return new Response(JSON.stringify(problem), { status: 502, headers });
}

/**
 * Requests that leave no connection behind, where connections are counted afterwards.
 *
 * @module
 */
const connections = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });

/** As `fetch()`, over a connection of its own. */
export function fetchOnce(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { ...init, client: connections });
}

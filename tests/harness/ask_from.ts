/**
 * Requests from another address than most, as `fetch()` cannot make.
 *
 * @module
 */
import { get, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";

/**
 * Asks once.
 *
 * @param localAddress Whence, e.g. `"127.0.0.9"`.
 * @returns The body of the answer.
 */
export async function askFrom(
  localAddress: string,
  url: string,
  headers: Record<string, string>,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  get(url, { localAddress, headers, agent: false }, resolve).on("error", reject);
  return await text(await promise);
}

/**
 * Listening on an address.
 *
 * @module
 */
import type { Certificate } from "../config/certificate.ts";
import type { Address } from "../config/units.ts";
import { ResponseAborted } from "./stream.ts";

/** An address that cannot be listened on. */
export class ListenError extends Error {
  /** Always `"ListenError"`. */
  override readonly name = "ListenError";
}

/** What is listened for. */
export interface ListenerOptions {
  /** The flag that chooses the address, for errors. */
  readonly flag: string;
  /** Whether others may listen on the same address. @default false */
  readonly sharePort?: boolean;
  /** With it HTTPS is spoken, over HTTP/2 where the client can. @default none: plain HTTP */
  readonly certificate?: Certificate | undefined;
  readonly handler: Deno.ServeHandler<Deno.NetAddr>;
  /** Told of what the handler throws, except for a response that was cut off on purpose. */
  readonly onError: (error: unknown) => void;
}

/**
 * Listens on an address.
 *
 * @param address Port 0 for a free one.
 * @param options What is listened for.
 * @returns The server.
 * @throws {ListenError} that says what to do.
 */
export function listenOn(
  { hostname, port }: Address,
  { flag, handler, onError, sharePort = false, certificate }: ListenerOptions,
): Deno.HttpServer<Deno.NetAddr> {
  const respond = (error: unknown) => {
    if (!(error instanceof ResponseAborted)) onError(error);
    return new Response(null, { status: 500 });
  };
  try {
    const options = { hostname, port, reusePort: sharePort, onListen: () => {}, onError: respond };
    return Deno.serve({ ...options, ...certificate }, handler);
  } catch (cause) {
    const where = renderAddress({ hostname, port });
    const reason = cause instanceof Deno.errors.AddrInUse
      ? `the port is in use; stop what uses it, or choose another with ${flag} HOST:PORT`
      : String(cause);
    throw new ListenError(`Cannot listen on ${where}: ${reason}`, { cause });
  }
}

/**
 * An address as people write it.
 *
 * @param address Where a server listens.
 * @returns E.g. `"127.0.0.1:8080"` or `"[::1]:8080"`.
 */
export function renderAddress({ hostname, port }: Address): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/**
 * Listening on an address.
 *
 * @module
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { ConfigError } from "../config/options.ts";
import type { GatewayConfig } from "../config/schema.ts";
import type { Address } from "../config/units.ts";
import { ResponseAborted } from "./stream.ts";

/** An address that cannot be listened on. */
export class ListenError extends Error {
  /** Always `"ListenError"`. */
  override readonly name = "ListenError";
}

/** What a server shows to its clients, in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
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
 * The certificate that a configuration holds.
 *
 * @param config Its files have been read.
 * @returns Certificate and key; undefined for plain HTTP.
 * @throws {ConfigError} when there is one without the other, or they do not belong together.
 */
export function toCertificate(
  { tlsCert: cert, tlsKey: key }: Pick<GatewayConfig, "tlsCert" | "tlsKey">,
): Certificate | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    const option = key === undefined ? "tlsCert" : "tlsKey";
    throw new ConfigError([option], "expected tlsCert and tlsKey together");
  }
  if (readCertificate(cert).checkPrivateKey(readPrivateKey(key))) return { cert, key };
  throw new ConfigError(["tlsKey"], "expected the private key of tlsCert, this is another's");
}

/** Read here so that the complaint is not one about the address. */
function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new ConfigError(["tlsCert"], `expected a certificate in PEM: ${String(cause)}`);
  }
}

function readPrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new ConfigError(["tlsKey"], "expected a private key in PEM, without a passphrase");
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

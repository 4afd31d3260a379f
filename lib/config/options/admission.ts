/**
 * Options: who gets in, how often, and how many at once.
 *
 * @module
 */
import { z } from "zod";
import { parseNetwork } from "../../mapping/address.ts";
import { toHostPattern } from "../../mapping/host_pattern.ts";
import { parseProxyHeader } from "../../mapping/proxy_headers.ts";
import { count, list, parsed, size } from "../fields.ts";
import { parseRate } from "../units.ts";

/** What may stand for hosts. */
export const HOST_FILTER: RegExp = /^(\*\.)?[\w:-]+(\.[\w-]+)*$/;
/** The same, as it stands behind "expected". */
export const HOSTS: string = `host names such as "example.com" or "*.example.com"`;
/** What pages' origins look like, as it stands behind "expected". */
export const ORIGINS: string = `origins such as "https://example.com", "null" or "*"`;
const PROXY_HEADERS = `headers that proxies set, such as "X-Forwarded-For" or "X-Forwarded-*"`;
const NETWORKS = `addresses or networks such as "10.0.0.0/8" or "2001:db8::/32"`;
const RATE = `a rate such as "100/s" or "100/s,burst=200"`;

/** Who gets in, how often, and how many at once. */
export interface AdmissionOptions {
  /**
   * Hosts that are served, exact or `*.example.com`.
   *
   * @default []: all
   */
  readonly hostFilters?: readonly string[];
  /**
   * Origins whose pages may ask, and read the answers (CORS), e.g. `"https://example.com"`; `"*"` for all;
   * `"null"` only where it is listed. Whoever sends no `Origin` is no browser and passes.
   *
   * @default undefined: a WebSocket's page must come from the host it asks for; HTTP requests pass
   */
  readonly allowedOrigins?: readonly string[] | undefined;
  /**
   * Addresses and networks of proxies whose `X-Forwarded-*`, `Forwarded`, `X-Request-Id` and
   * `Traceparent` are believed.
   *
   * @default []: nobody's
   */
  readonly trustedProxies?: readonly string[];
  /**
   * The headers that these proxies set themselves, e.g. `"X-Forwarded-For"` or `"X-Forwarded-*"`. All others by
   * which proxies speak may be what a client made up and they handed on: those are dropped.
   *
   * @default undefined: they set, or drop, all of them
   */
  readonly proxyHeaders?: readonly string[] | undefined;
  /**
   * How often one client address, and one session or identity, may ask, e.g. `"100/s,burst=200"`. An
   * IPv6 /64 is one client.
   *
   * @default undefined: as often as it likes
   */
  readonly rate?: string | undefined;
  /**
   * How many WebSockets there may be; 0 for any number.
   *
   * @default 0
   */
  readonly maxConnections?: number | string;
  /**
   * How many WebSockets one client address may have; 0 for any number.
   *
   * @default 0
   */
  readonly maxConnectionsPerAddress?: number | string;
  /**
   * How many requests may be in flight; 0 for any number.
   *
   * @default 0
   */
  readonly maxInFlight?: number | string;
  /**
   * The longest path and query, in characters.
   *
   * @default 8192
   */
  readonly maxUrlLength?: number | string;
  /**
   * The largest header block of a request. Deno itself takes no more than 64 KiB.
   *
   * @default "32KiB"
   */
  readonly maxHeaderBytes?: string;
  /**
   * The most headers of a request. Deno itself takes no more than about a hundred.
   *
   * @default 100
   */
  readonly maxHeaders?: number | string;
  /**
   * Let only requests pass for which a workload has registered.
   *
   * @default false
   */
  readonly trackInterest?: boolean;
}

/** The same, to be checked. */
export const admissionFields = {
  hostFilters: list(HOSTS, parseHostFilter).prefault([])
    .meta({
      placeholder: "HOSTS",
      description: "Hosts that are served: example.com,*.example.org",
    }),
  allowedOrigins: list(ORIGINS, parseOrigin).optional()
    .meta({
      placeholder: "ORIGINS",
      description: "Origins whose pages may ask, and read (CORS); * for all",
    }),
  trustedProxies: list(NETWORKS, (text) => parseNetwork(text) && text).prefault([])
    .meta({
      placeholder: "NETWORKS",
      description: "Proxies whose X-Forwarded-* headers are believed: 10.0.0.0/8,::1",
    }),
  proxyHeaders: list(PROXY_HEADERS, parseProxyHeader).optional()
    .meta({
      placeholder: "HEADERS",
      description: "What these set, as X-Forwarded-For; all else is dropped",
    }),
  rate: parsed(RATE, parseRate).optional()
    .meta({ placeholder: "RATE", description: "How often one client may ask: 100/s,burst=200" }),
  maxConnections: count(0, "WebSockets at once; 0 for any number"),
  maxConnectionsPerAddress: count(0, "WebSockets of one client address; 0 for any number"),
  maxInFlight: count(0, "Requests in flight; 0 for any number"),
  maxUrlLength: count(8192, "Longest path and query, in characters"),
  maxHeaderBytes: size("32KiB", "Largest header block of a request"),
  maxHeaders: count(100, "Most headers of a request"),
  trackInterest: z.boolean().default(false)
    .meta({ description: "Let only requests pass for which a workload has registered" }),
};

function parseHostFilter(text: string): string | undefined {
  const filter = text.toLowerCase();
  try {
    toHostPattern(filter);
    return filter;
  } catch {
    return undefined;
  }
}

/**
 * As a browser writes it: no path, no port that the scheme has anyway.
 *
 * @returns The origin in lower case; undefined when it is none.
 */
export function parseOrigin(text: string): string | undefined {
  const origin = text.toLowerCase();
  if (origin === "*" || origin === "null") return origin;
  return URL.parse(origin)?.origin === origin ? origin : undefined;
}

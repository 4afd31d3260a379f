/**
 * Durations, sizes and addresses as people write them.
 *
 * @module
 */

const MS_PER_UNIT = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const BYTES_PER_UNIT = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
} as const;

/**
 * Reads a duration.
 *
 * @param text E.g. `"500ms"`, `"5s"`, `"1m"`, `"1.5h"`.
 * @returns Milliseconds, or undefined when it is no duration.
 */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * MS_PER_UNIT[match[2] as keyof typeof MS_PER_UNIT];
}

/**
 * Reads a size.
 *
 * @param text E.g. `"500B"`, `"2MiB"`, `"64kB"`.
 * @returns Bytes, or undefined when it is no size.
 */
export function parseSizeBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s?(B|KiB|MiB|GiB|kB|MB|GB)$/.exec(text);
  if (match === null) return undefined;
  const unit = match[2] as keyof typeof BYTES_PER_UNIT;
  return Math.round(Number(match[1]) * BYTES_PER_UNIT[unit]);
}

/** Where a server listens. */
export interface Address {
  /** A name or an IP address, without brackets. */
  readonly hostname: string;
  /** 0: a free one. */
  readonly port: number;
}

/**
 * Reads an address to listen on.
 *
 * @param text E.g. `"0.0.0.0:8080"`, `"[::1]:8080"`, `":8080"` for all interfaces.
 * @returns The address, or undefined when it is none.
 */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]*)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  const hostname = match[1] ?? match[2] ?? "";
  return port <= 65535 ? { hostname: hostname === "" ? "0.0.0.0" : hostname, port } : undefined;
}

/**
 * An address as people write it.
 *
 * @returns E.g. `"127.0.0.1:8080"` or `"[::1]:8080"`.
 */
export function renderAddress({ hostname, port }: Address): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/**
 * Says whether two servers would want the same address.
 *
 * @returns True when they cannot both listen; a name is not looked up.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { doAddressesOverlap, parseAddress } from "./units.ts";
 *
 * assert.ok(doAddressesOverlap(parseAddress("0.0.0.0:8080")!, parseAddress("127.0.0.1:8080")!));
 * ```
 */
export function doAddressesOverlap(one: Address, other: Address): boolean {
  if (one.port === 0 || one.port !== other.port) return false;
  const [a, b] = [toHost(one), toHost(other)];
  // A socket on `::` takes IPv4, too.
  if (a === b || a === "[::]" || b === "[::]") return true;
  const isV4 = (host: string) => /^[\d.]+$/.test(host);
  return (a === "0.0.0.0" && isV4(b)) || (b === "0.0.0.0" && isV4(a));
}

/** One spelling for each: `[0:0::1]` is `[::1]`, an IPv4 address in IPv6 is that address. */
function toHost({ hostname }: Address): string {
  const name = hostname.toLowerCase();
  if (name === "localhost") return "127.0.0.1";
  const host = URL.parse(`http://${name.includes(":") ? `[${name}]` : name}`)?.hostname ?? name;
  const mapped = /^\[::ffff:([\da-f]+):([\da-f]+)\]$/.exec(host);
  if (mapped === null) return host;
  const [high, low] = [Number.parseInt(mapped[1]!, 16), Number.parseInt(mapped[2]!, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** How often something may happen. */
export interface Rate {
  /** On average. */
  readonly perSecond: number;
  /** At once, after a pause. */
  readonly burst: number;
}

/**
 * Reads a rate.
 *
 * @param text E.g. `"100/s"`, `"600/m,burst=50"`; without a burst, the count of one period.
 * @returns The rate, or undefined when it is none.
 */
export function parseRate(text: string): Rate | undefined {
  const match = /^(\d+(?:\.\d+)?)\/(s|m|h)(?:,\s*burst=(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const count = Number(match[1]);
  const perSecond = count * 1000 / MS_PER_UNIT[match[2] as keyof typeof MS_PER_UNIT];
  const burst = match[3] === undefined ? Math.max(1, Math.floor(count)) : Number(match[3]);
  return perSecond > 0 && burst > 0 ? { perSecond, burst } : undefined;
}

/**
 * IP addresses: of clients, of proxies, of networks.
 *
 * @module
 */
import { isIPv4, isIPv6 } from "./ip.ts";

/** Addresses that begin with the same bits. */
export interface Network {
  readonly address: string;
  readonly family: "ipv4" | "ipv6";
  /** How many bits are the same. */
  readonly prefixLength: number;
}

/**
 * Reads a network in CIDR notation (RFC 4632, RFC 4291 §2.3).
 *
 * @param text E.g. `"10.0.0.0/8"`, `"2001:db8::/32"`; a single address is a network of one.
 * @returns The network; undefined when it is none.
 */
export function parseNetwork(text: string): Network | undefined {
  const [, address = "", length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = toFamily(address);
  if (family === undefined) return undefined;
  const longest = family === "ipv4" ? 32 : 128;
  const prefixLength = length === undefined ? longest : Number(length);
  if (prefixLength > longest) return undefined;
  return { address, family, prefixLength };
}

/**
 * The address of a peer as people write it: a socket that listens on `[::]` says `::ffff:192.0.2.1` of an
 * IPv4 client.
 *
 * @returns The IPv4 address in it; any other as it is.
 */
export function toPlainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

/**
 * Reads one entry of `X-Forwarded-For` or of `for=` in `Forwarded` (RFC 7239 §6).
 *
 * @param text An address, perhaps with brackets and a port.
 * @returns The bare address; undefined for `unknown`, `_hidden` and anything else.
 */
export function parseNode(text: string): string | undefined {
  const [, bracketed, bare] = /^(?:\[([^\]]+)\]|(\d[\d.]*))(?::\d{1,5})?$/.exec(text) ?? [];
  const address = bracketed ?? bare ?? text;
  return toFamily(address) === undefined ? undefined : toPlainAddress(address);
}

/**
 * What one client can be told from another by: a single machine has a whole /64 of IPv6 to choose from.
 *
 * @returns The IPv4 address, or the first four groups of the IPv6 address.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toClientKey } from "./address.ts";
 *
 * assert.equal(toClientKey("192.0.2.7"), "192.0.2.7");
 * assert.equal(toClientKey("2001:db8::1:2"), toClientKey("2001:DB8:0:0:ffff::9"));
 * ```
 */
export function toClientKey(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.toLowerCase().split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill("0");
  const groups = [...before, ...zeros, ...after].slice(0, 4);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, "")).join(":")}::/64`;
}

function toFamily(address: string): Network["family"] | undefined {
  if (isIPv4(address)) return "ipv4";
  return isIPv6(address) ? "ipv6" : undefined;
}

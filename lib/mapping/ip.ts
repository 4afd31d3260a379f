/**
 * What an IP address is, also where there is no `node:net`.
 *
 * @module
 */

const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
const IPV6_CHARACTERS = /^[\dA-Fa-f:.]+$/;

/**
 * Says whether text is an IPv4 address.
 *
 * @param text Four numbers without leading zeros.
 */
export function isIPv4(text: string): boolean {
  return IPV4.test(text);
}

/**
 * Says whether text is an IPv6 address, without brackets and zone, as the URL standard reads it.
 *
 * @param text E.g. `"2001:db8::1"`.
 */
export function isIPv6(text: string): boolean {
  return IPV6_CHARACTERS.test(text) && URL.canParse(`http://[${text}]`);
}

/**
 * The rights in NATS that `docs/nats-permissions.md` gives to the gateway: what the documents say is what
 * the tests run with.
 *
 * @module
 */

const PAGE = new URL("../../docs/nats-permissions.md", import.meta.url);

/** How the gateway's user logs in, before the host of a URL. */
const LOGIN = "h8s:change%20me@";

/**
 * Reads the block.
 *
 * @param prefix Of all subjects.
 * @returns The text of a configuration of nats-server.
 */
export function readRights(prefix = "h8s"): string {
  const block = /```conf\n([^]*?)```/.exec(Deno.readTextFileSync(PAGE))?.[1];
  if (block === undefined) throw new Error(`There is no block of rights in ${PAGE.pathname}`);
  return block.replaceAll('"h8s.', `"${prefix}.`);
}

/**
 * The same, but whoever does not log in may do everything, as workloads may.
 *
 * @param prefix Of all subjects.
 * @returns The text of a configuration of nats-server.
 */
export function readOpenRights(prefix?: string): string {
  return `no_auth_user: workload\n${readRights(prefix)}`;
}

/**
 * A URL with which the gateway's user logs in.
 *
 * @param url Of nats-server.
 * @returns The URL.
 */
export function asGateway(url: string): string {
  return url.replace("//", `//${LOGIN}`);
}

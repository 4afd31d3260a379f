/**
 * A port that nobody listens on, for a server that has to come back on the same one.
 *
 * @returns Free a moment ago.
 */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

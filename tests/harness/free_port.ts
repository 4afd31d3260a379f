/** Below those that the system gives to whoever asks for any, clients included. */
const [FIRST, COUNT] = [20_000, 12_000];

/**
 * A port that nobody listens on, for a server that has to come back on the same one.
 *
 * @returns Free a moment ago.
 */
export function freePort(): number {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/**
 * Tokens that expire in the middle of what goes both ways.
 *
 * @module
 */
import assert from "node:assert/strict";
import { pause } from "../../../lib/time/within.ts";
import { KeyServer } from "../../harness/key_server.ts";
import { LIMIT_MS, OPTIONS, type Traveller } from "./outlive.ts";
import { World } from "./world.ts";

/** Until a token expires; the last one lives for longer than the test. */
const LIVES_MS = [1200, 1200, 60_000];
const EXPIRED = 4401;

/** The gateway closes 4401, and the client of whatever runtime fetches a new token and goes on. */
export async function renew(traveller: Traveller): Promise<void> {
  await using keys = await KeyServer.start();
  const jwt = `{ issuer: id, audience: shop, jwks: "${keys.url}", clockTolerance: 0s }`;
  await using world = await World.start({ ack: true, resume: true }, `jwt: ${jwt}`);
  await using tokens = new TokenServer(keys);
  const { url, report } = world;
  const way = { url, report, tokens: tokens.url, options: OPTIONS, limitMs: LIMIT_MS };
  const [travelled] = await Promise.all([traveller(way), tellAll(world, tokens)]);
  const { heard, gaps, kept, failures, ends, sockets } = travelled;
  assert.deepEqual(failures, []);
  assert.deepEqual(gaps, []);
  assert.deepEqual(heard, world.told);
  assert.deepEqual(kept, kept.map((_, number) => number + 1));
  assert.deepEqual(await world.stored(), kept.map((_, number) => `said ${number}`));
  assert.deepEqual(ends, LIVES_MS.slice(1).map(() => EXPIRED));
  assert.equal(sockets, LIVES_MS.length);
  assert.equal(
    tokens.asked,
    LIVES_MS.length,
    "asked for when the old one has expired, and only then",
  );
  assert.equal(world.connections, 1);
}

/** Without a pause that would be long enough for a client to come back in. */
async function tellAll(world: World, tokens: TokenServer): Promise<void> {
  await world.connected();
  while (tokens.asked < LIVES_MS.length) {
    await world.tell(1);
    await pause(10);
  }
  await world.heard(world.told.length);
  await world.end();
}

/** Gives one token after the other to whoever asks. */
class TokenServer implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  asked = 0;

  constructor(keys: KeyServer) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async () => {
      const token = await keys.sign({}, LIVES_MS[this.asked++] ?? LIVES_MS.at(-1)!);
      return new Response(token, { headers: { "access-control-allow-origin": "*" } });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

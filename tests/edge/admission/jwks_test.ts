import assert from "node:assert/strict";
import { generateKeyPair, jwtVerify, type JWTVerifyGetKey, SignJWT } from "jose";
import { remoteKeys } from "../../../lib/edge/admission/jwks.ts";
import { KeyServer } from "../../harness/key_server.ts";

const FAILURES: readonly [name: string, failure: () => Response][] = [
  ["an error", () => new Response("down", { status: 503 })],
  ["no JSON", () => new Response("<html>")],
  ["no keys", () => Response.json({ error: "later" })],
  ["a redirect", () => new Response(null, { status: 302, headers: { location: "/elsewhere" } })],
];

Deno.test("a key server that fails is asked once per cooldown, whatever tokens come", async (t) => {
  for (const [name, failure] of FAILURES) {
    await t.step(name, async () => {
      await using server = await KeyServer.start();
      server.failure = failure;
      let now = 0;
      const options = { maxAge: 600_000, cooldown: 30_000, onError: () => {}, now: () => now };
      const keys = remoteKeys(new URL(server.url), options);
      const good = await server.sign();
      const tokens = [
        good,
        await foreign("k1"),
        await foreign("k2"),
        await foreign(undefined),
        "x",
      ];
      for (let second = 0; second < 90; second += 10) {
        now = second * 1000;
        await Promise.all([...tokens, ...tokens].map((token) => assert.rejects(show(keys, token))));
        assert.equal(server.requests, 1 + Math.floor(second / 30));
      }
      server.failure = undefined;
      now = 90_000;
      await show(keys, good);
      assert.equal(server.requests, 4);
    });
  }
});

Deno.test("a key server that has gone leaves the keys that are there, and is asked once per cooldown", async () => {
  await using server = await KeyServer.start();
  let [now, failed] = [0, 0];
  const keys = remoteKeys(new URL(server.url), {
    ...{ maxAge: 600_000, cooldown: 0.5, now: () => now },
    onError: () => failed++,
  });
  const good = await server.sign();
  await show(keys, good);
  server.failure = () => new Response(null, { status: 500 });
  now = 600_001;
  await show(keys, good);
  // Its own cooldown of half a millisecond after the last success is over by then.
  for (let times = 0; times < 20; times++) {
    await assert.rejects(show(keys, await foreign(`k${times}`)));
  }
  assert.equal(server.requests, 2);
  assert.equal(failed, 1);
  await show(keys, good);
});

async function show(keys: JWTVerifyGetKey, token: string): Promise<void> {
  await jwtVerify(token, keys);
}

/** A token of somebody whose keys are nowhere. */
async function foreign(kid: string | undefined): Promise<string> {
  const { privateKey } = await generateKeyPair("ES256");
  const header = kid === undefined ? { alg: "ES256" } : { alg: "ES256", kid };
  return await new SignJWT({ exp: 4e9 }).setProtectedHeader(header).sign(privateKey);
}

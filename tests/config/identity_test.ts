import assert from "node:assert/strict";
import { ConfigError, type GatewayOptions } from "../../lib/config/options.ts";
import { toRouteTable } from "../../lib/config/route_table.ts";
import { parseConfig } from "../../lib/config/schema.ts";
import type { Auth } from "../../lib/mapping/route.ts";
import { toHostTokens, toPathTokens } from "../../lib/mapping/subject.ts";

const JWKS = "https://id.example/jwks.json";
const SECRET = "a secret of at least 32 characters";

Deno.test("what a request is asked for: its route's, else the option's, else what is configured", async (t) => {
  const key = { authorizationKey: ["k"] };
  const jwt = { jwt: { jwks: JWKS } };
  const table: [options: GatewayOptions, route: Auth | undefined, expected: Auth][] = [
    [{}, undefined, "none"],
    [{}, "authorize", "authorize"],
    [key, undefined, "key"],
    [key, "none", "none"],
    [{ ...key, auth: "none" }, undefined, "none"],
    [jwt, undefined, "jwt"],
    [{ ...key, ...jwt, auth: "jwt" }, undefined, "jwt"],
    [{ ...key, ...jwt, auth: "jwt" }, "key", "key"],
    [{ auth: "authorize" }, undefined, "authorize"],
  ];
  for (const [options, auth, expected] of table) {
    await t.step(JSON.stringify([options, auth]), () => {
      const table = toRouteTable(parseConfig({ ...options, routes: [{ match: {}, auth }] }));
      const tokens = { hostTokens: toHostTokens("a"), pathTokens: toPathTokens("/") };
      const request = { ...tokens, method: "GET", kind: "http" } as const;
      assert.deepEqual(table.decide(request).demands, expected === "none" ? [] : [expected]);
    });
  }
});

Deno.test("what cannot be proven cannot be asked for", async (t) => {
  const table: [options: unknown, path: string, reason: RegExp][] = [
    [{ auth: "key" }, "auth", /authorizationKey/],
    [{ auth: "jwt" }, "auth", /jwt/],
    [{ auth: "password" }, "auth", /one of none, key/],
    [{ authorizationKey: ["k"], jwt: { jwks: JWKS } }, "auth", /both/],
    [{ authorizationKey: ["a,b"] }, "authorizationKey.0", /no comma/],
    [{ authorizationKey: [""] }, "authorizationKey.0", /expected/],
    [{ routes: [{ match: {}, auth: "jwt" }] }, "routes.0.auth", /section jwt/],
    [{ jwt: {} }, "jwt", /one of jwks and secret/],
    [{ jwt: { jwks: JWKS, secret: SECRET } }, "jwt", /one of jwks and secret/],
    [{ jwt: { jwks: JWKS, algorithms: ["none"] } }, "jwt.algorithms.0", /one of RS256/],
    [{ jwt: { jwks: JWKS, algorithms: ["HS256"] } }, "jwt", /for public keys/],
    [{ jwt: { secret: SECRET, algorithms: ["RS256"] } }, "jwt", /for a secret/],
    [{ jwt: { jwks: JWKS, algorithms: [] } }, "jwt.algorithms", /an algorithm/],
    [{ jwt: { jwks: "http://id.example/jwks" } }, "jwt.jwks", /https URL/],
    [{ jwt: { jwks: { keys: [] } } }, "jwt.jwks", /https URL, or keys|at least one/],
    [{ jwt: { secret: "short" } }, "jwt.secret", /32 characters/],
  ];
  for (const [options, path, reason] of table) {
    await t.step(JSON.stringify(options), () => {
      assert.throws(() => parseConfig(options), (error) => {
        assert.ok(error instanceof ConfigError);
        assert.ok(error.path.join(".").startsWith(path), error.path.join("."));
        assert.match(error.reason, reason);
        return true;
      });
    });
  }
});

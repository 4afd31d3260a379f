import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { JwtOptions } from "../../../lib/config/options/identity.ts";
import { parseConfig } from "../../../lib/config/schema.ts";
import type { Identity } from "../../../lib/edge/admission/identity.ts";
import { toIdentityLines, toWho } from "../../../lib/edge/admission/identity.ts";
import { jwtIdentity } from "../../../lib/edge/admission/jwt.ts";
import { IdentityMemo } from "../../../lib/edge/admission/memo.ts";
import { keyIdentity } from "../../../lib/edge/admission/key.ts";
import { type CandidateOptions, toCandidate } from "./candidate.ts";

const SECRET = "a secret of at least 32 characters";
const KEY = new TextEncoder().encode(SECRET);

Deno.test("keyIdentity() takes any of the keys, from the header or the subprotocol", async (t) => {
  const identify = keyIdentity(["first", "second"]);
  const ws = (protocols: string) =>
    ({ kind: "websocket", headers: { "sec-websocket-protocol": protocols } }) as const;
  const table: [options: CandidateOptions, isLetIn: boolean][] = [
    [{ headers: { authorization: "Bearer first" } }, true],
    [{ headers: { authorization: "Bearer second" } }, true],
    [ws("chat, bearer.second"), true],
    [ws("chat, bearer.third"), false],
    [ws("chat"), false],
    [{ headers: { authorization: "Bearer First" } }, false],
    [{ headers: { authorization: "Bearer firstsecond" } }, false],
    [{ headers: { authorization: "Bearer " } }, false],
    [{ headers: { authorization: "first" } }, false],
    [{ headers: { authorization: "Basic first" } }, false],
    [{ url: "http://shop.example/?token=first" }, false],
    [{}, false],
  ];
  for (const [options, isLetIn] of table) {
    await t.step(JSON.stringify(options), () => {
      if (isLetIn) identify(toCandidate(options));
      else {assert.throws(() => identify(toCandidate(options)), {
          code: "unauthorized",
          status: 401,
        });}
    });
  }
});

Deno.test("jwtIdentity() refuses what is not signed, not for us, or not in its time", async (t) => {
  const identify = toIdentify({
    secret: SECRET,
    issuer: "id",
    audience: "shop",
    clockTolerance: "5s",
  });
  const unsigned = (header: unknown) =>
    [header, { iss: "id", aud: "shop", exp: 4e9 }]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".") + ".";
  const other = new TextEncoder().encode(SECRET.toUpperCase());
  const rsa = await generateKeyPair("RS256");
  const table: [name: string, token: string, isLetIn: boolean][] = [
    ["good", await sign({}), true],
    ["several audiences", await sign({ aud: ["x", "shop"] }), true],
    ["just expired", await sign({ exp: now() - 2 }), true],
    ["expired", await sign({ exp: now() - 10 }), false],
    ["not yet", await sign({ nbf: now() + 60 }), false],
    ["for ever", await sign({ exp: undefined }), false],
    ["other issuer", await sign({ iss: "evil" }), false],
    ["no issuer", await sign({ iss: undefined }), false],
    ["other audience", await sign({ aud: "bank" }), false],
    ["other key", await sign({}, other), false],
    ["HS512", await sign({}, KEY, "HS512"), false],
    ["RS256", await sign({}, rsa.privateKey, "RS256"), false],
    ["alg none", unsigned({ alg: "none" }), false],
    ["alg None", unsigned({ alg: "None" }), false],
    ["nonsense", "nonsense", false],
    ["a space before a name", await sign({ sub: " ann" }), false],
    ["a space after a name", await sign({ sub: "ann\u00a0" }), false],
    ["no name at all", await sign({ sub: "" }), false],
    ["a line break", await sign({ sub: "ann\r\nX-H8s-Session: root" }), false],
    ["a number", await sign({ sub: 7 }), false],
  ];
  for (const [name, token, isLetIn] of table) {
    await t.step(name, async () => {
      const found = identify({ headers: { authorization: `Bearer ${token}` } });
      if (isLetIn) await found;
      else await assert.rejects(found, { code: "unauthorized", status: 401 });
    });
  }
});

Deno.test("jwtIdentity() tells workloads who it is, as bytes", async () => {
  const identify = toIdentify({ secret: SECRET, clockTolerance: "5s" });
  const exp = now() + 60;
  const token = await sign({ sub: "Zoë", exp, role: "admin" });
  const identity = await identify({ headers: { authorization: `Bearer ${token}` } });
  assert.equal(identity.expiresAt, exp * 1000 + 5000);
  const [subject, claims] = toIdentityLines(identity).split("\r\n");
  assert.equal(subject, `X-H8s-Subject: ${Buffer.from("Zoë").toString("latin1")}`);
  const json = Buffer.from(claims!.slice("X-H8s-Claims: ".length), "base64url").toString();
  const { sub, role } = JSON.parse(json);
  assert.deepEqual([sub, role], ["Zoë", "admin"]);
});

Deno.test("jwtIdentity() looks where it is told to, a cookie only for WebSockets", async (t) => {
  const token = await sign({});
  const bearer = { authorization: `Bearer ${token}` };
  const cookie = { cookie: `a=1; token=${token}` };
  const offer = { "sec-websocket-protocol": `chat, bearer.${token}` };
  const url = `http://shop.example/?a=1&access_token=${token}`;
  const table: [options: CandidateOptions, jwt: JwtOptions, isLetIn: boolean][] = [
    [{ headers: bearer }, {}, true],
    [{ kind: "websocket", headers: bearer }, {}, true],
    [{ kind: "websocket", headers: offer }, {}, true],
    [{ kind: "websocket", headers: cookie }, { cookie: "token" }, true],
    [{ kind: "websocket", headers: cookie }, {}, false],
    [{ kind: "http", headers: cookie }, { cookie: "token" }, false],
    [{ url }, { query: "access_token" }, true],
    [{ url }, {}, false],
    [{}, { query: "access_token", cookie: "token" }, false],
  ];
  for (const [options, jwt, isLetIn] of table) {
    await t.step(
      JSON.stringify([Object.keys(options.headers ?? {}), options.kind, jwt]),
      async () => {
        const found = toIdentify({ secret: SECRET, ...jwt })(options);
        if (isLetIn) await found;
        else await assert.rejects(found, { code: "unauthorized" });
      },
    );
  }
});

Deno.test("jwtIdentity() with keys in the configuration: a public key is no secret", async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = { ...await exportJWK(publicKey), kid: "k1", alg: "ES256" };
  const identify = toIdentify({ jwks: { keys: [jwk] } });
  const token = await sign({}, privateKey, "ES256", "k1");
  await identify({ headers: { authorization: `Bearer ${token}` } });
  for (const key of [new TextEncoder().encode(JSON.stringify(jwk)), KEY]) {
    const forged = await sign({}, key, "HS256", "k1");
    const found = identify({ headers: { authorization: `Bearer ${forged}` } });
    await assert.rejects(found, { code: "unauthorized" });
  }
});

Deno.test("IdentityMemo believes for a while, and never beyond the end", () => {
  const memo = new IdentityMemo(1000);
  const [ann, bob] = [{ subject: "ann", expiresAt: 9000 }, { subject: "bob", expiresAt: 500 }];
  memo.keep("a", ann, 0);
  memo.keep("b", bob, 0);
  assert.equal(memo.find("a", 499), ann);
  assert.equal(memo.find("b", 499), bob);
  assert.equal(memo.find("b", 500), undefined);
  assert.equal(memo.find("a", 999), ann);
  assert.equal(memo.find("a", 1000), undefined);
  assert.equal(memo.find("A", 0), undefined);
  assert.equal(memo.find("a", 0), undefined, "it is forgotten");
});

Deno.test("IdentityMemo is bounded, and forgets the oldest", () => {
  const memo = new IdentityMemo(1000);
  for (let index = 0; index <= 10_000; index++) memo.keep(`token ${index}`, {}, 0);
  assert.equal(memo.find("token 0", 0), undefined);
  assert.deepEqual(memo.find("token 1", 0), {});
});

Deno.test("jwtIdentity() checks a good signature once, and a bad one each time", async () => {
  const identify = jwtIdentity(parseConfig({ jwt: { secret: SECRET } }).jwt!, () => {});
  const token = await sign({});
  const show = (token: string) =>
    identify(toCandidate({ headers: { authorization: `Bearer ${token}` } }));
  const first = show(token);
  assert.ok(first instanceof Promise);
  const identity = await first;
  assert.equal(show(token), identity);
  const forged = `${token.slice(0, -4)}AAAA`;
  for (let times = 0; times < 2; times++) {
    await assert.rejects(async () => await show(forged), { code: "unauthorized" });
  }
});

function toIdentify(jwt: JwtOptions): (options: CandidateOptions) => Promise<Identity> {
  const identify = jwtIdentity(parseConfig({ jwt }).jwt!, () => {});
  return async (options) => await identify(toCandidate(options));
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

function sign(
  claims: Record<string, unknown>,
  key: CryptoKey | Uint8Array = KEY,
  alg = "HS256",
  kid?: string,
): Promise<string> {
  const all = { iss: "id", aud: "shop", exp: now() + 60, ...claims };
  const header = kid === undefined ? { alg } : { alg, kid };
  return new SignJWT(JSON.parse(JSON.stringify(all))).setProtectedHeader(header).sign(key);
}

Deno.test("toWho() tells clients apart, not the tokens of one client", async (t) => {
  const of = (claims: unknown) => ({
    claims: Buffer.from(JSON.stringify(claims)).toString("base64url"),
  });
  const ann = { sub: "ann", roles: ["a", "b"], of: { x: 1, y: { z: null } } };
  const table: [name: string, one: Identity, other: Identity, isSame: boolean][] = [
    ["nobody", {}, {}, true],
    ["nobody and somebody", {}, { subject: "ann" }, false],
    [
      "the times and the number of a token",
      of({ ...ann, exp: 1, iat: 1, nbf: 1, jti: "1" }),
      of(ann),
      true,
    ],
    ["the order of claims", of({ b: { y: 1, x: 2 }, a: 1 }), of({ a: 1, b: { x: 2, y: 1 } }), true],
    ["the order in a list", of({ roles: ["a", "b"] }), of({ roles: ["b", "a"] }), false],
    ["times that are not the token's", of({ act: { exp: 1 } }), of({ act: { exp: 2 } }), false],
    ["a claim more", of({ ...ann, admin: true }), of(ann), false],
    ["a claim of another type", of({ id: 1 }), of({ id: "1" }), false],
    ["an object and its pairs", of({ a: { b: 1 } }), of({ a: [["b", 1]] }), false],
    ["claims that are no JSON", { claims: "x" }, { claims: "y" }, false],
    ["another credential", { credential: "x" }, { credential: "y" }, false],
    ["a subject that is another's session", { subject: "x" }, { sessionId: "x" }, false],
  ];
  for (const [name, one, other, isSame] of table) {
    await t.step(name, () => assert.equal(toWho(one) === toWho(other), isSame));
  }
});

import assert from "node:assert/strict";
import { type ClientSession, toClientSession } from "../../../lib/edge/admission/session_cookie.ts";
import { parseConfig } from "../../../lib/config/schema.ts";
import type { SessionOptions } from "../../../lib/config/options/routing.ts";

const NEW_ID = "0123456789abcdef";
const OLD = "an old secret of at least 32 characters";
const CURRENT = "the current secret of at least 32 characters";

function read(
  cookie: string | undefined,
  options: SessionOptions = {},
  isSecure = false,
): ClientSession {
  const config = parseConfig({ session: options }).session!;
  return toClientSession(cookie ? [["cookie", cookie]] : [], {
    config,
    isSecure,
    newId: () => NEW_ID,
  });
}

/** The name and value that a client would send back. */
function toPair({ setCookie }: ClientSession): string {
  return setCookie!.split(";")[0]!;
}

Deno.test("a signed cookie is taken, and nothing else is", async (t) => {
  const options = { keys: [CURRENT] };
  const pair = toPair(read(undefined, options));
  assert.match(pair, /^clientId=0123456789abcdef\.[\w-]{43}$/);
  const [, signature] = pair.split(".");
  const other = "f".repeat(16);
  const table: [cookie: string, isTaken: boolean][] = [
    [pair, true],
    [`a=1; ${pair}; b=2`, true],
    [`clientId=${other}.${signature}`, false],
    [`clientId=${NEW_ID}`, false],
    [`clientId=${NEW_ID}.`, false],
    [`${pair}x`, false],
    [`${pair}.${signature}`, false],
    [pair.slice(0, -1), false],
    [`clientId=${NEW_ID}.${"A".repeat(43)}`, false],
    [toPair(read(undefined, { keys: [OLD] })), false],
    [
      toPair(read(undefined, { keys: [CURRENT], cookie: "other" })).replace("other", "clientId"),
      false,
    ],
  ];
  for (const [cookie, isTaken] of table) {
    await t.step(cookie, () => {
      const session = read(cookie, options);
      assert.equal(session.isNew, !isTaken);
      assert.equal(session.setCookie === undefined, isTaken);
    });
  }
});

Deno.test("the first key signs, all are taken, and what an old one signed is renewed", () => {
  const old = toPair(read(undefined, { keys: [OLD] }));
  const session = read(old, { keys: [CURRENT, OLD] });
  assert.deepEqual([session.id, session.isNew], [NEW_ID, false]);
  const renewed = read(toPair(session), { keys: [CURRENT] });
  assert.deepEqual(renewed, { id: NEW_ID, isNew: false, setCookie: undefined });
});

Deno.test("a cookie that is signed is no id where none are", () => {
  assert.equal(read(toPair(read(undefined, { keys: [OLD] }))).isNew, true);
});

Deno.test("behind TLS the cookie is Secure and for this host alone", async (t) => {
  const table: [options: SessionOptions, isSecure: boolean, expected: RegExp][] = [
    [{}, false, /^clientId=[0-9a-f]{16}; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/],
    [{}, true, /^__Host-clientId=[0-9a-f]{16}; .*Path=\/; HttpOnly; Secure; SameSite=Lax$/],
    [{ cookie: "__Secure-s" }, true, /^__Secure-s=/],
    [{ sameSite: "strict" }, false, /SameSite=Strict$/],
    [{ sameSite: "none" }, true, /SameSite=None$/],
  ];
  for (const [options, isSecure, expected] of table) {
    await t.step(JSON.stringify([options, isSecure]), () => {
      const session = read(undefined, options, isSecure);
      assert.match(session.setCookie!, expected);
      assert.equal(read(toPair(session), options, isSecure).isNew, false);
    });
  }
  await t.step("one without the prefix is not taken there", () => {
    assert.equal(read(`clientId=${NEW_ID}`, {}, true).isNew, true);
  });
});

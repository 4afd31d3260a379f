import assert from "node:assert/strict";
import {
  isListed,
  setCorsHeaders,
  toCorsHeaders,
  toPreflightHeaders,
  toPreflightMethod,
} from "../../lib/mapping/cors.ts";

const SHOP = "https://shop.example";
const ASKS = { "Origin": SHOP, "Access-Control-Request-Method": "PUT" };

Deno.test("toPreflightMethod() does not look at the headers of what is no OPTIONS", () => {
  const request = {
    method: "GET",
    get headers(): Headers {
      throw new Error("looked at");
    },
  };
  assert.equal(toPreflightMethod(request), undefined);
});

Deno.test("toPreflightMethod() knows a browser's question from any other OPTIONS", async (t) => {
  const table: [method: string, headers: Record<string, string>, expected: string | undefined][] = [
    ["OPTIONS", ASKS, "PUT"],
    ["OPTIONS", { ...ASKS, "Content-Length": "0" }, "PUT"],
    ["OPTIONS", { ...ASKS, "Access-Control-Request-Method": "patch" }, "patch"],
    ["OPTIONS", { Origin: SHOP }, undefined],
    ["OPTIONS", { "Access-Control-Request-Method": "PUT" }, undefined],
    ["OPTIONS", { ...ASKS, "Access-Control-Request-Method": "PUT, GET" }, undefined],
    ["OPTIONS", { ...ASKS, "Access-Control-Request-Method": "" }, undefined],
    ["OPTIONS", { ...ASKS, "Content-Length": "5" }, undefined],
    ["OPTIONS", { ...ASKS, "Transfer-Encoding": "chunked" }, undefined],
    ["GET", ASKS, undefined],
    ["PUT", ASKS, undefined],
  ];
  for (const [method, headers, expected] of table) {
    await t.step(`${method} ${JSON.stringify(headers)}`, () => {
      assert.equal(toPreflightMethod({ method, headers: new Headers(headers) }), expected);
    });
  }
});

Deno.test("isListed() takes exact origins, whatever their case", async (t) => {
  const table: [origin: string, origins: string[], expected: boolean][] = [
    [SHOP, [SHOP], true],
    ["HTTPS://Shop.Example", [SHOP], true],
    [`${SHOP}:443`, [SHOP], false],
    [`${SHOP}:8443`, [SHOP], false],
    [`${SHOP}/`, [SHOP], false],
    ["http://shop.example", [SHOP], false],
    [`${SHOP}.evil`, [SHOP], false],
    [`${SHOP}, ${SHOP}`, [SHOP], false],
    ["null", [SHOP], false],
    ["null", ["null"], true],
    ["https://evil", ["*"], true],
    ["*", [SHOP], false],
    ["", [SHOP], false],
    [SHOP, [], false],
  ];
  for (const [origin, origins, expected] of table) {
    await t.step(
      `${origin} of ${origins}`,
      () => assert.equal(isListed(origin, origins), expected),
    );
  }
});

Deno.test("toCorsHeaders() trusts exact origins with credentials, and nobody else", async (t) => {
  const credentials = "access-control-allow-credentials: true";
  const table: [origin: string | undefined, origins: string[], expected: string[]][] = [
    [SHOP, [SHOP], [`access-control-allow-origin: ${SHOP}`, credentials]],
    ["HTTPS://shop.example", [SHOP], [
      "access-control-allow-origin: HTTPS://shop.example",
      credentials,
    ]],
    [SHOP, ["*"], ["access-control-allow-origin: *"]],
    ["null", ["*"], ["access-control-allow-origin: *"]],
    ["null", ["null"], ["access-control-allow-origin: null"]],
    [SHOP, ["*", SHOP], [`access-control-allow-origin: ${SHOP}`, credentials]],
    ["https://other.example", ["*", SHOP], ["access-control-allow-origin: *"]],
    ["*", ["*"], ["access-control-allow-origin: *"]],
    ["https://evil.example", [SHOP], []],
    [`${SHOP}, https://evil.example`, [SHOP], []],
    [undefined, [SHOP], []],
  ];
  for (const [origin, origins, expected] of table) {
    await t.step(`${origin} of ${origins}`, () => {
      const headers = new Headers(origin === undefined ? {} : { origin });
      const rules = { origins, exposed: [], maxAgeSeconds: 5 };
      const entries = toCorsHeaders({ method: "GET", headers }, rules);
      assert.deepEqual(entries.map((entry) => entry.join(": ")), expected);
    });
  }
});

Deno.test("toCorsHeaders() says what else a page may read", () => {
  const request = { method: "GET", headers: new Headers({ origin: SHOP }) };
  const rules = { origins: ["*"], exposed: ["ETag", "X-Total"], maxAgeSeconds: 5 };
  const [, exposed] = toCorsHeaders(request, rules);
  assert.deepEqual(exposed, ["access-control-expose-headers", "ETag, X-Total"]);
});

Deno.test("toPreflightHeaders() allows what is asked for, and no more", async (t) => {
  const vary = "vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
  const allowed = (origin: string) => [`access-control-allow-origin: ${origin}`];
  const exact = [...allowed(SHOP), "access-control-allow-credentials: true"];
  const put = "access-control-allow-methods: PUT";
  const age = "access-control-max-age: 5";
  const table: [headers: Record<string, string>, origins: string[], expected: string[]][] = [
    [ASKS, [SHOP], [...exact, put, age, vary]],
    [ASKS, ["*"], [...allowed("*"), put, age, vary]],
    [{ ...ASKS, "Access-Control-Request-Headers": "content-type,x-a" }, [SHOP], [
      ...exact,
      put,
      "access-control-allow-headers: content-type, x-a",
      age,
      vary,
    ]],
    [{ ...ASKS, "Access-Control-Request-Headers": "a b, x-a, ," }, ["*"], [
      ...allowed("*"),
      put,
      "access-control-allow-headers: x-a",
      age,
      vary,
    ]],
    [{ ...ASKS, "Access-Control-Request-Private-Network": "true" }, [SHOP], [
      ...exact,
      put,
      "access-control-allow-private-network: true",
      age,
      vary,
    ]],
    // Whoever may ask from anywhere may not reach into a private network from anywhere.
    [{ ...ASKS, "Access-Control-Request-Private-Network": "true" }, ["*"], [
      ...allowed("*"),
      put,
      age,
      vary,
    ]],
    [ASKS, ["https://other.example"], [vary]],
  ];
  for (const [headers, origins, expected] of table) {
    await t.step(JSON.stringify([headers, origins]), () => {
      const rules = { origins, exposed: ["ETag"], maxAgeSeconds: 5 };
      const entries = toPreflightHeaders(
        { method: "OPTIONS", headers: new Headers(headers) },
        rules,
      );
      assert.deepEqual(entries.map((entry) => entry.join(": ")), expected);
    });
  }
});

Deno.test("setCorsHeaders() stands in place of what a workload says, and keeps its Vary", async (t) => {
  const table: [vary: string | undefined, expected: string][] = [
    [undefined, "Origin"],
    ["Accept", "Accept, Origin"],
    ["accept, ORIGIN", "accept, ORIGIN"],
    ["*", "*"],
  ];
  for (const [vary, expected] of table) {
    await t.step(String(vary), () => {
      const answer = new Headers({
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "X-Secret",
        "X-Other": "kept",
        ...(vary === undefined ? {} : { vary }),
      });
      setCorsHeaders(answer, [["access-control-allow-origin", SHOP]]);
      assert.deepEqual(Object.fromEntries(answer), {
        "access-control-allow-origin": SHOP,
        "x-other": "kept",
        "vary": expected,
      });
    });
  }
});

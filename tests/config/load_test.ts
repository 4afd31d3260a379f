import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";
import { z } from "zod";
import { parseOptions, renderOptions } from "../../lib/config/load.ts";
import { configSchema, parseConfig, toJsonSchema } from "../../lib/config/schema.ts";
import { present, unwrap } from "../../lib/config/walk.ts";

Deno.test("toJsonSchema() describes every option", () => {
  const { properties, additionalProperties } = toJsonSchema() as {
    properties: Record<string, { default?: unknown }>;
    additionalProperties: boolean;
  };
  assert.deepEqual(Object.keys(properties), Object.keys(configSchema.shape));
  assert.equal(additionalProperties, false);
  assert.equal(properties["requestTimeout"]?.default, "30s");
});

Deno.test("renderOptions() writes what may be read again and means the same", () => {
  const options = {
    requestTimeout: "5s",
    listen: "[::1]:1",
    session: { cookie: "c" },
    routes: [{ match: { path: "/:a", upgrade: "websocket" as const }, subscribe: ["{a}.>"] }],
    hostFilters: ["a.b,c.d"],
    jwt: { jwks: "https://a.b/keys" },
    rate: "10/s,burst=20",
  };
  const text = renderOptions(configSchema, options);
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
  assert.deepEqual(
    plain(parseConfig(parseOptions(text, "f").options)),
    plain(parseConfig(options)),
  );
  assert.match(text, /^drainTimeout: 10s$/m);
  assert.match(text, /^ {2}maxAge: 720h$/m);
});

Deno.test("renderOptions() masks every secret, and shows that there is one", () => {
  const long = "s3cret-s3cret-s3cret-s3cret-s3cret";
  const text = renderOptions(configSchema, {
    natsUrl: ["nats://ann:s3cret@a:4222", "TLS://s3cret@b", "ann:s3cret@s3cret@c"],
    natsPassword: "s3cret",
    natsToken: "s3cret",
    natsNkey: "SUAEIV7FZJSNXQYC5DTVKFHBOUQ46OALJIDTN4CRYSWRWYZ2NGZZNSIDIU",
    natsCreds: "creds/user.creds",
    natsKey: "-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----\n",
    tlsKey: "-----BEGIN s3cret",
    authorizationKey: ["s3cret"],
    session: { keys: [long] },
    jwt: { secret: long, jwks: { keys: [{ kty: "oct", k: "s3cret" }] } },
  });
  assert.ok(!text.includes("s3cret"), text);
  assert.match(text, /^natsUrl:\n {2}- nats:\/\/a:4222\n {2}- TLS:\/\/b\n {2}- c$/m);
  assert.ok(!text.includes("SUAE"), text);
  assert.match(text, /^natsCreds: creds\/user\.creds$/m);
  for (const option of ["natsPassword", "natsToken", "natsNkey", "natsKey", "tlsKey"]) {
    assert.match(text, new RegExp(`^${option}: "\\*\\*\\*"$`, "m"));
  }
  assert.match(text, /^authorizationKey:\n {2}- "\*\*\*"$/m);
  assert.match(text, /^ {2}keys:\n {4}- "\*\*\*"$/m);
  assert.match(text, /^ {2}secret: "\*\*\*"$/m);
  assert.match(text, /^ {2}jwks: "\*\*\*"$/m);
  assert.match(
    renderOptions(configSchema, { jwt: { jwks: "https://ann:s3cret@a/b" } }),
    /jwks: https:\/\/a\/b$/m,
  );
});

Deno.test("no option whose name says that it is secret is shown", () => {
  for (const [option, schema] of Object.entries(configSchema.shape)) {
    if (!/password|secret|token|key(?!File)|creds|seed/i.test(option)) continue;
    const secret = unwrap(schema).meta.isFile ? "-----BEGIN s3cret" : "s3cret";
    const shown = [secret, [secret]].map((value) => present(schema, value));
    assert.ok(!JSON.stringify(shown[Number(isList(schema))]).includes("s3cret"), option);
  }
});

Deno.test("toJsonSchema() makes editors refuse what the program refuses", async (t) => {
  const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(toJsonSchema());
  const table: [text: string, isRight: boolean][] = [
    ["{}", true],
    ["requestTimeout: 5s", true],
    ["requestTimeout: 5000", false],
    ["routes: [{ match: { path: /a }, mode: publish }]", true],
    ["session: {}", true],
    ["jwt: { jwks: 'https://a/b', algorithms: [ES256] }", true],
    ["requestTimout: 5s", false],
    ["requestTimeout: [5s]", false],
    ["routes: [{ match: { pth: /a } }]", false],
    ["routes: [{ match: {}, mode: both }]", false],
    ["logLevel: loud", false],
    ["jwt: { jwks: 'https://a/b', algorithms: [none] }", false],
  ];
  for (const [text, isRight] of table) {
    await t.step(text, () => {
      assert.equal(validate(parse(text)), isRight);
      const check = () => parseConfig(parseOptions(text, "f").options);
      if (isRight) check();
      else assert.throws(check, { name: "ConfigError" });
    });
  }
});

Deno.test("toJsonSchema() has all defaults as one may write them, and nothing of ours", () => {
  const text = JSON.stringify(toJsonSchema());
  assert.ok(!/"(placeholder|isFileOnly|isFile|isLive|mask)"/.test(text));
  const { properties } = toJsonSchema() as { properties: Record<string, { default?: unknown }> };
  const defaults = Object.entries(properties).flatMap(([option, schema]) =>
    schema.default === undefined ? [] : [[option, schema.default]]
  );
  const { natsUrl, prefix, listen } = Object.fromEntries(defaults);
  assert.deepEqual([natsUrl, prefix, listen], [["nats://127.0.0.1:4222"], "h8s", "0.0.0.0:8080"]);
  const complete = JSON.stringify(parseConfig(Object.fromEntries(defaults)));
  assert.equal(complete, JSON.stringify(parseConfig({})));
});

function isList(schema: z.core.$ZodType): boolean {
  return unwrap(schema).schema instanceof z.ZodArray;
}

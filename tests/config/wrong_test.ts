import assert from "node:assert/strict";
import { explained } from "../../lib/config/explain.ts";
import { parseOptions } from "../../lib/config/load.ts";
import { configSchema, findProblems, reverseSchema } from "../../lib/config/schema.ts";
import { listKeys } from "../../lib/config/walk.ts";
import { prepareGateway } from "../../lib/prepare.ts";

/** What one may write, and what is said of it: one line for each thing, from its place on. */
type Row = readonly [text: string, ...lines: string[]];

const DURATION = 'expected a duration such as "500ms", "5s" or "1m"';
const SIZE = 'expected a size such as "500B", "64KiB" or "2MiB"';
const OPTIONS = "expected options of its own, each as NAME: VALUE, or {} for none";
const LIST = ": in [ ], or each behind a dash";

const YAML: readonly Row[] = [
  ["", "1:1: it is empty; write {} for no options"],
  [" \n\n", "1:1: it is empty; write {} for no options"],
  ["null", "1:1: expected options, each as NAME: VALUE"],
  ["---\n", "1:4: expected options"],
  ["prefix", "1:1: expected options"],
  ["- prefix: a", "1:1: expected options"],
  ["5", "1:1: expected options"],
  ["prefix: a\nlisten: :1\nprefix: b", "3:1: this name stands here twice"],
  ["routes:\n  - match: {}\n    match: {}", "3:5: this name stands here twice"],
  ["prefix: a\n\tlisten: :1", "2:1: expected spaces; YAML takes no tabs"],
  ["a: b: c", "1:4: expected YAML: "],
  ["prefix: [a", "1:11: expected YAML: "],
  ["prefix: a\n---\nprefix: b", "2:1: expected one document"],
  ["prefix: *a", "1:9: there is no &a before this alias"],
  ["prefix: !env PREFIX", "1:9: tags (!…) are not understood here"],
  [bomb(), "1:1: expected fewer aliases"],
  [`a: &a 1\nb: [${"*a, ".repeat(50_000)}]`, "2:4005: expected fewer aliases"],
  ["prefix: !!str a", "1:15: tags (!…) are not understood here"],
  ["!!set { prefix }", "1:7: tags (!…) are not understood here"],
  ["prefix: !!binary aGVsbG8=", "1:18: tags (!…) are not understood here"],
  ["? [a, b]\n: c", "1:3: expected a name"],
  ["prefix: {{ .Values.prefix }}", "1:10: expected a name"],
  ["~: c", "1:1: expected a name"],
  ['"\\e[31mred": 1', "1:1: expected a name"],
];
const NAMES: readonly Row[] = [
  [
    "requestTimout: 5s",
    '1:1: requestTimout: there is no such option; did you mean "requestTimeout"?',
  ],
  ["prefix: a\n__proto__: {}", "2:1: __proto__: there is no such option"],
  ["constructor: 1", "1:1: constructor: there is no such option"],
  ["5: 1", "1:1: 5: there is no such option"],
  ["<<: { prefix: a }", "1:1: <<: there is no such option"],
  [
    "routes:\n  - match: { pth: /a }\n    subjct: a",
    '2:14: routes.0.match.pth: there is no such option; did you mean "path"?',
    '3:5: routes.0.subjct: there is no such option; did you mean "subject"?',
  ],
  ["session: { domain: a }", "1:12: session.domain: there is no such option"],
];
const VALUES: readonly Row[] = [
  ["requestTimeout: 30", `1:17: requestTimeout: ${DURATION}; write 30s or 30ms`],
  ["requestTimeout: '30'", `1:17: requestTimeout: ${DURATION}; write 30s or 30ms`],
  ["requestTimeout: 0", `1:17: requestTimeout: ${DURATION}; write 0s`],
  ["requestTimeout: 1d", `1:17: requestTimeout: ${DURATION}`],
  ["requestTimeout:", `1:1: requestTimeout: ${DURATION}; there is nothing`],
  ["requestTimeout: [5s]", `1:17: requestTimeout: ${DURATION}`],
  ["requestTimeout: 600h", "1:17: requestTimeout: expected at most 24 days, 576h"],
  ["maxBodySize: 1048576", `1:14: maxBodySize: ${SIZE}; write 1048576B or 1048576MiB`],
  ["persistMaxBytes: 0", `1:18: persistMaxBytes: ${SIZE}; write 0B`],
  ["session: { maxAge: 5 }", "1:20: session.maxAge: expected a duration"],
  [
    "jwt: { secret: 1, jwksCooldown: 3 }",
    "1:16: jwt.secret: expected",
    "1:33: jwt.jwksCooldown: expected",
  ],
  ["routes:\n  - match: {}\n    resume: 30", "3:13: routes.0.resume: expected a duration"],
  ["prefix: 7", "1:9: prefix: expected literal subject tokens"],
  ["prefix: a.*", "1:9: prefix: expected literal subject tokens"],
  [`prefix: ${"a.".repeat(64)}a`, "1:9: prefix: expected literal subject tokens"],
  ["listen: 8080", "1:9: listen: expected HOST:PORT"],
  ["publishOnly: yes", "1:14: publishOnly: expected true or false"],
  ["maxConnections: many", "1:17: maxConnections: expected a whole number from 0 to"],
  ["maxConnections: 1.5", "1:17: maxConnections: expected a whole number from 0 to"],
  ["logLevel: loud", "1:11: logLevel: expected one of debug, info, warn, error"],
  [
    "hostFilters: a.b",
    `1:14: hostFilters: expected a list of host names such as "example.com" or "*.example.com"${LIST}`,
  ],
  [
    "hostFilters: [a b, 5]",
    "1:15: hostFilters.0: expected host names",
    "1:20: hostFilters.1: expected host names",
  ],
  ["natsUrl: nats://a", "1:10: natsUrl: expected a list of NATS URLs"],
  ["natsUrl: [http://ann:s3cret@a]", "1:11: natsUrl.0: expected a NATS URL"],
  ["trustedProxies: [10.0.0.0/33]", "1:18: trustedProxies.0: expected addresses or networks"],
  ["rate: 5", "1:7: rate: expected a rate"],
  ["natsUser: a\nnatsPassword: 12345", "2:15: natsPassword: expected text; put it between quotes"],
  [
    "authorizationKey: [12345]",
    "1:20: authorizationKey.0: expected letters, digits and signs, no comma; put it between quotes",
  ],
  ["persist: true", "1:10: persist: expected a stream name"],
  ["session: true", `1:10: session: ${OPTIONS}`],
  ["session:", `1:1: session: ${OPTIONS}; there is nothing`],
  ["session: { keys: [short] }", "1:19: session.keys.0: expected at least 32 characters"],
  ["authorizationKey: s3cret", "1:19: authorizationKey: expected a list of keys"],
  ["authorizationKey: ['s3 cret']", "1:20: authorizationKey.0: expected letters"],
  ["jwt: { jwks: http://a.b/c }", "1:14: jwt.jwks: expected an https URL, or"],
  ["jwt: { jwks: { keys: [{ k: s3cret }] } }", "1:23: jwt.jwks.keys.0: expected an https URL, or"],
  ["routes: {}", "1:9: routes: expected a list of routes"],
  ["routes: [a]", `1:10: routes.0: ${OPTIONS}`],
  ["routes: [{}]", `1:10: routes.0.match: it is missing, ${OPTIONS}`],
  [
    "routes: [{ match: { methods: GET } }]",
    "1:30: routes.0.match.methods: expected a list of upper-case methods",
  ],
  [
    "routes: [{ match: { methods: [get] } }]",
    "1:31: routes.0.match.methods.0: expected an upper-case method",
  ],
  ["routes: [{ match: { host: 'a b' } }]", "1:27: routes.0.match.host: expected host names"],
  ["routes: [{ match: { path: '(' } }]", '1:27: routes.0.match.path: the path "("'],
  [
    "routes: [{ match: {}, subject: '{room}' }]",
    "1:32: routes.0.subject: expected a subject, found unknown variable {room}",
  ],
  [
    "routes: [{ match: {}, subject: 5 }]",
    "1:32: routes.0.subject: expected text; put it between quotes",
  ],
  [
    "routes: [{ match: { upgrade: websocket }, subscribe: [a, a..b] }]",
    "1:58: routes.0.subscribe.1: expected a subject, found an empty token",
  ],
];
const ROUTE: readonly Row[] = [
  [
    "routes: [{ match: { upgrade: websocket }, publish: 'a.*', subscribe: [b, '{c}', d..e] }]",
    "1:52: routes.0.publish: expected a subject, found a wildcard",
    "1:74: routes.0.subscribe.1: expected a subject, found unknown variable {c}",
    "1:81: routes.0.subscribe.2: expected a subject, found an empty token",
  ],
  [
    "routes:\n  - match: {}\n    subject: a..b\n  - match: {}\n    subject: '{c}'\n  - match: { upgrade: http }\n    publish: a",
    "3:14: routes.0.subject: expected a subject",
    "5:14: routes.1.subject: expected a subject",
    "7:14: routes.2.publish: an HTTP route has subject",
  ],
];
const TOGETHER: readonly Row[] = [
  ["auth: jwt", "1:7: auth: expected a section jwt, too"],
  [
    "routes: [{ match: {}, auth: key }]",
    "1:29: routes.0.auth: expected authorizationKey (--authorization-key), too",
  ],
  [
    `authorizationKey: [a]\njwt: { secret: ${"s".repeat(32)} }`,
    "1:1: auth: it is missing, expected one of key, jwt, none, since both are configured",
  ],
  [
    "listen: 127.0.0.1:1\nadmin: 127.0.0.1:1",
    "2:8: admin: expected another address than that of listen",
  ],
  ["listen: :1\nadmin: localhost:1", "2:8: admin: expected another address than that of listen"],
  ["natsPassword: s3cret", "1:15: natsPassword: expected natsUser, too"],
  [
    "natsUser: a\nnatsToken: s3cret",
    "2:12: natsToken: expected one way to log in, but there is natsUser",
  ],
  ["tlsCert: |\n  -----BEGIN a", "1:10: tlsCert: expected tlsCert and tlsKey together"],
  ["natsKey: |\n  -----BEGIN s3cret", "1:10: natsKey: expected natsCert and natsKey together"],
  [
    "tlsCert: |\n  -----BEGIN a\ntlsKey: |\n  -----BEGIN s3cret",
    "1:10: tlsCert: expected a certificate in PEM",
    "3:9: tlsKey: expected a private key in PEM, without a passphrase",
  ],
  ["natsCa: |\n  -----BEGIN a", "1:9: natsCa: expected a certificate in PEM"],
  ["resume: 1s\nconnectionRecords: 'off'", "1:9: resume: expected connection records, too"],
  [
    "routes: [{ match: {}, persist: true }]",
    "1:32: routes.0.persist: an HTTP route that persists needs mode: publish",
  ],
  [
    "routes: [{ match: {}, mode: publish, subject: a, persist: true }]",
    "1:59: routes.0.persist: expected a stream, too: persist: NAME at the top, or --persist NAME",
  ],
  [
    "persist: S\nroutes: [{ match: {}, mode: publish, subject: '{path}.a', persist: true }]",
    '2:47: routes.0.subject: cannot persist "{path}.a"',
  ],
];
const FILES: readonly Row[] = [
  [
    "tlsCert: /nowhere/a\ntlsKey: /nowhere/b",
    "1:10: tlsCert: cannot read /nowhere/a: there is no such file",
    "2:9: tlsKey: cannot read /nowhere/b: there is no such file",
  ],
  ["natsCa: /", "1:9: natsCa: cannot read /: it is a directory, expected a file"],
  ["authorizationKeyFile: /", "1:23: authorizationKeyFile: cannot read /: it is a directory"],
  [
    "natsCreds: /dev/null",
    "1:12: natsCreds: cannot use /dev/null: expected PEM, the text of a .creds file",
  ],
  ["authorizationKeyFile: /dev/null", "1:23: authorizationKeyFile: there is no key in /dev/null"],
  // Half a seed, or a word, stands where the path of a file should: it is not told.
  [
    "natsNkey: SUAS3CRETS3CRETS3CRETS3CRET",
    "1:11: natsNkey: cannot read ***: there is no such file",
  ],
  [
    "tlsKey: s3cret\ntlsCert: /nowhere/a",
    "1:9: tlsKey: cannot read ***: there is no",
    "2:10: tlsCert: cannot read",
  ],
];

for (const [kind, rows] of Object.entries({ YAML, NAMES, VALUES, ROUTE, TOGETHER, FILES })) {
  Deno.test(`what is wrong is told with its place, in our words: ${kind}`, async (t) => {
    for (const [text, ...lines] of rows) {
      await t.step(JSON.stringify(text).slice(0, 60), () => {
        const told = findWrong(text).split("\n");
        assert.equal(told.length, lines.length, told.join("\n"));
        for (const [index, line] of lines.entries()) {
          const start = told[index]?.slice(0, `f:${line}`.length);
          assert.equal(start, `f:${line}`, told[index]);
        }
        assert.doesNotMatch(told.join("\n"), /received|invalid|zod|s3 ?cret|\.$/im);
      });
    }
  });
}

Deno.test("no place and no value has the schema library speak in its own words", () => {
  const values = [null, true, 5, -1, 1.5, NaN, "", "a b\n", [], {}, [[]], [{}], [null], [5], {
    a: 1,
  }];
  const sections = [[], ["session"], ["jwt"], ["jwt", "jwks"], ["routes", "0"], [
    "routes",
    "0",
    "match",
  ]];
  const items = [["natsUrl"], ["hostname"], ["authorizationKey"], ["session", "keys"], [
    "jwt",
    "jwks",
    "keys",
  ]];
  for (const schema of [configSchema, reverseSchema]) {
    const places = sections.flatMap((section) =>
      listKeys(schema, section).map((name) => [...section, name])
    );
    assert.ok(places.length > 10);
    for (const path of [[], ...places, ...items.map((item) => [...item, "0"])]) {
      for (const value of values) {
        for (const { reason } of findProblems(schema, toOptions(path, value))) {
          assert.match(
            reason,
            /^(expected (?!something)|there is no such option|an? \w+ route |the path ")/,
          );
          assert.doesNotMatch(reason, /received|invalid|expected (array|object|string)|\.$/i);
        }
      }
    }
  }
});

Deno.test("what is nested too deep is told so, in little time", () => {
  assert.match(findWrong(`prefix: ${"[".repeat(9000)}${"]".repeat(9000)}`), /nested too deep/);
});

Deno.test("all that is wrong is told at once, in the order of the lines", () => {
  const rows = [...NAMES.slice(0, 1), ...VALUES.slice(0, 1), ["auth: jwt"], ["logLevel: 5"], [
    "tlsCert: /nowhere",
  ]];
  const places = findWrong(rows.map(([text]) => text).join("\n")).match(/^f:\d+/gm);
  assert.deepEqual(places, ["f:1", "f:2", "f:3", "f:4", "f:5"]);
});

Deno.test("what is right needs no more than comments, or {}", () => {
  for (const text of ["# prefix: a\n", "{}", "natsUser: &name ann\nnatsPassword: *name\n"]) {
    assert.equal(findWrong(text), "");
  }
});

function findWrong(text: string): string {
  try {
    explained(
      { schema: configSchema, flags: {}, written: parseOptions(text, "f") },
      prepareGateway,
    );
    return "";
  } catch (error) {
    assert.ok(error instanceof Error && error.name === "ConfigFileError", String(error));
    return error.message;
  }
}

/** A list where the path has a number, else a section. */
function toOptions(path: readonly string[], value: unknown): unknown {
  return path.reduceRight<unknown>(
    (inner, key) => key === "0" ? [inner] : { [key]: inner },
    value,
  );
}

/** Ten times ten times ten … */
function bomb(): string {
  const lines = ["a0: &a0 [x]"];
  for (let index = 1; index < 10; index++) {
    const before = `*a${index - 1}`;
    lines.push(`a${index}: &a${index} [${Array(10).fill(before).join(", ")}]`);
  }
  return lines.join("\n");
}

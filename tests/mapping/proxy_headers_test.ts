import assert from "node:assert/strict";
import fc from "fast-check";
import { fromClientHeaders } from "../../lib/mapping/client_headers.ts";
import {
  isSpokenByProxies,
  parseProxyHeader,
  toBelieved,
} from "../../lib/mapping/proxy_headers.ts";

/** Names that an application behind a proxy takes for the proxy's. */
const SPOKEN = [
  ..."For Proto Host Port Prefix Server Ssl Scheme Uri Method User Email By Path Groups".split(" "),
  ..."Client-Cert Tls-Client-Cert Access-Token Preferred-Username For-Original".split(" "),
].map((name) => `X-Forwarded-${name}`).concat(
  ("Forwarded X-Forwarded Forwarded-For X-Real-Ip X-Real-Port True-Client-Ip Client-Ip X-Client-Ip " +
    "X-Cluster-Client-Ip X-Originating-Ip X-Forward-Proto X-Akamai-Edgescape Cf-Connecting-Ip " +
    "Cf-Connecting-Ipv6 Cf-Ipcountry " +
    "Cf-Access-Authenticated-User-Email Fastly-Client-Ip Fastly-Ssl Fly-Client-Ip " +
    "X-Appengine-User-Ip X-Azure-Clientip X-Envoy-External-Address X-Envoy-Internal " +
    "X-Original-Url X-Original-Uri X-Original-Host X-Original-Forwarded-For X-Rewrite-Url " +
    "X-Http-Host-Override X-Host X-Scheme Front-End-Https Proxy Wl-Proxy-Client-Ip " +
    "Proxy-Client-Ip X-Sendfile-Type X-Accel-Mapping Client-Cert Client-Cert-Chain X-Client-Cert " +
    "X-Client-Cert-Dn X-Ssl-Client-Cert X-Ssl-Client-Verify Ssl-Client-Cert Ssl-Client-Verify " +
    "Tls-Client-Cert X-Tls-Client-Cert X-Arr-Clientcert X-Arr-Ssl X-Amzn-Oidc-Identity " +
    "X-Amzn-Oidc-Data X-Amzn-Mtls-Clientcert Remote-User Remote-Groups Remote-Addr X-Remote-User " +
    "X-Remote-Group X-Remote-Extra-Scopes X-Webauth-User X-Authenticated-User " +
    "X-Auth-Request-User X-Auth-Request-Email X-Consumer-Username X-Goog-Iap-Jwt-Assertion " +
    "X-Goog-Authenticated-User-Email X-Ms-Client-Principal X-Ms-Client-Principal-Name " +
    "Tailscale-User-Login X-Pomerium-Jwt-Assertion X-Authentik-Username").split(" "),
);

/** Names of clients and of applications that look a little like it. */
const NOT_SPOKEN = ("accept authorization cookie via x-requested-with x-csrf-token x-api-key " +
  "x-auth-token x-access-token x-user-id x-client-version x-client-data x-amz-date x-amzn-trace-id " +
  "x-goog-api-key x-ms-version x-http-method-override x-forward x-real client remote x-original " +
  "cfx fly x-correlation-id x-sendfile proxyx last-event-id sec-ch-ua").split(" ");

/** How servers make variables of names, less `HTTP_`: WSGI and PHP; Apache and lighttpd; Go's CGI. */
const CGI_READINGS: readonly ((name: string) => string)[] = [
  (name) => name.toUpperCase().replaceAll("-", "_"),
  (name) => name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_"),
  (name) => name.toUpperCase().replaceAll(/[-=]/g, "_"),
];

Deno.test("a client cannot say what proxies say", async (t) => {
  for (const name of SPOKEN) {
    for (const kind of ["http", "websocket"] as const) {
      await t.step(`${kind}: ${name}`, () => {
        const headers = [...new Headers([[name, "evil"], ["z", "1"]])];
        assert.equal(fromClientHeaders(headers, { kind }), "Z: 1\r\n");
      });
    }
  }
});

Deno.test("what applications and their clients say to each other crosses", async (t) => {
  for (const name of NOT_SPOKEN) {
    await t.step(name, () => {
      assert.equal(isSpokenByProxies(name), false);
      const lines = fromClientHeaders([...new Headers([[name, "1"]])], { kind: "http" });
      assert.match(lines, /^[^\r]+: 1\r\n$/);
    });
  }
});

Deno.test("a trusted proxy's word passes, but for what is the gateway's own", async (t) => {
  const own = ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"];
  for (const name of SPOKEN) {
    await t.step(name, () => {
      const lines = fromClientHeaders([...new Headers([[name, "1"]])], {
        kind: "http",
        isProxied: true,
      });
      assert.equal(lines, own.includes(name) ? "" : `${name}: 1\r\n`);
    });
  }
});

Deno.test("what an application could read as the gateway's word crosses from nobody", async (t) => {
  const names = "X_H8s_Subject x_h8s-subject X-H8s_Claims _ a_b X_Forwarded_For Nats_Rollup " +
    "X.H8s.Subject X+H8s+Subject X-H8s.Subject x~h8s~subject X!H8S-Claims Nats.Msg-Id X-H8s-Subject " +
    "Client_Id Client.Id Content_Length Content.Length Transfer_Encoding X.H8s- X.Request.Id";
  for (const isProxied of [false, true]) {
    for (const name of names.split(" ")) {
      await t.step(`${name}, ${isProxied ? "through a proxy" : "from a client"}`, () => {
        const headers = [...new Headers([[name, "admin"], ["z", "1"]])];
        assert.equal(fromClientHeaders(headers, { kind: "http", isProxied }), "Z: 1\r\n");
      });
    }
  }
});

Deno.test("of what a proxy merely hands on nothing passes", () => {
  const own = ["X-Real-Ip", "X-Forwarded-*"];
  const believes = toBelieved(own.map((name) => parseProxyHeader(name)!));
  for (const name of SPOKEN) {
    const headers = [...new Headers([[name, "1"], ["z", "1"]])];
    const lines = fromClientHeaders(headers, { kind: "http", isProxied: true, believes });
    const passes = /^X-(Real-Ip|Forwarded-(?!(For|Proto|Host)$).*)$/.test(name);
    assert.equal(lines, passes ? `${name}: 1\r\nZ: 1\r\n` : "Z: 1\r\n");
  }
});

Deno.test("parseProxyHeader() takes what proxies say, and no more", () => {
  for (const text of ["X-Forwarded-For", "x-forwarded-*", "CF-*", "forwarded", "X-Request-Id"]) {
    assert.equal(parseProxyHeader(text), text.toLowerCase());
  }
  for (
    const text of ["", "*", "X-*", "X-User-Id", "X-Forwarded-For: 1", "X_Forwarded_For", "Cookie"]
  ) {
    assert.equal(parseProxyHeader(text), undefined, text);
  }
});

Deno.test("an odd spelling is no proxy's, and is dropped even from one", () => {
  const headers = [...new Headers([["x.forwarded.port", "1"], ["x-forwarded-port", "2"]])];
  const lines = fromClientHeaders(headers, { kind: "http", isProxied: true });
  assert.equal(lines, "X-Forwarded-Port: 2\r\n");
});

Deno.test("no name crosses that any server reads as the gateway's or a proxy's word", () => {
  const separator = fc.constantFrom(..."-_.!#$%&'*+^`|~");
  const word = fc.constantFrom(
    "x",
    "h8s",
    "H8S",
    "subject",
    "nats",
    "forwarded",
    "for",
    "real",
    "ip",
  );
  const name = fc.tuple(word, fc.array(fc.tuple(separator, word), { maxLength: 4 }))
    .map(([first, rest]) => first + rest.flat().join(""));
  fc.assert(
    fc.property(name, fc.boolean(), (name, isProxied) => {
      const headers = [...new Headers([[name, "1"]])];
      const crossed = fromClientHeaders(headers, { kind: "http", isProxied }).split(":")[0]!;
      for (const read of CGI_READINGS) {
        assert.ok(!/^(X_H8S|NATS)_/.test(read(crossed)), `${name} is read as ${read(crossed)}`);
        if (isProxied) continue;
        assert.ok(!/^(X_FORWARDED(_.*)?|FORWARDED|X_REAL_.*)$/.test(read(crossed)), name);
      }
    }),
    { numRuns: 2000 },
  );
});

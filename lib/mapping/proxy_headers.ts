/**
 * What proxies, load balancers and login gateways tell the application behind them, and what such an
 * application therefore believes. A client must not be able to say it.
 *
 * @module
 */

/** Who speaks so; names in lower case, those that end with `-*` stand for all that begin so. */
const SPOKEN: Readonly<Record<string, string>> = {
  // Where the client is, and what it asked for.
  "RFC 7239 §4": "forwarded",
  "the convention before RFC 7239; nginx, HAProxy, Traefik, Envoy, ALB":
    "x-forwarded x-forwarded-*",
  "what applications look for an address in (npm request-ip, python-ipware, Rails RemoteIp)":
    "client-ip x-client-ip real-ip x-forward-* forwarded-for forwarded-for-ip " +
    "x-originating-ip x-cluster-client-ip x-proxyuser-ip",
  "nginx ngx_http_realip_module": "x-real-*",
  "Akamai, which tells where a client is, too; Cloudflare Enterprise": "true-client-* x-akamai-*",
  "Cloudflare: all of cf- is its own, Cf-Access-* its login": "cf-*",
  "Fastly": "fastly-*",
  "Fly.io": "fly-*",
  "DigitalOcean App Platform": "do-connecting-ip",
  "Imperva, Sucuri": "incap-client-ip x-sucuri-clientip",
  "Netlify, Vercel": "x-nf-* x-vercel-*",
  "Amazon CloudFront": "cloudfront-*",
  "Google App Engine, which drops a client's own": "x-appengine-*",
  "Azure Front Door, App Service": "x-azure-* x-fd-* x-waws-*",
  "Envoy, which drops them at the edge (header sanitizing)": "x-envoy-*",
  "WebLogic plug-ins, and the servlets that read an address from them":
    "wl-proxy-* proxy-client-ip",
  // The URL: what a framework takes for it instead of the request's own.
  "IIS URL Rewrite, nginx auth_request; Symfony CVE-2018-14773": "x-original-* x-rewrite-*",
  "IIS Application Request Routing": "x-arr-*",
  "ingress-nginx, Microsoft, frameworks that build links":
    "x-scheme x-url-scheme x-host x-http-host-override front-end-https x-script-name",
  "Traefik StripPrefix": "x-replaced-path",
  // What CGI and Rack take for a word of the server that runs them.
  "CGI reads it as HTTP_PROXY; CVE-2016-5385": "proxy",
  "Rack::Sendfile; CVE-2025-61780": "x-sendfile-type x-accel-*",
  // Certificates of clients, checked by whoever ends TLS.
  "RFC 9440": "client-cert client-cert-chain",
  "nginx, HAProxy, Apache by convention": "x-client-cert x-client-cert-* x-client-verify " +
    "x-client-dn x-client-s-dn x-client-i-dn x-ssl x-ssl-* x-tls-* tls-client-*",
  "ingress-nginx auth-tls": "ssl-client-*",
  "Amazon ALB": "x-amzn-mtls-* x-amzn-tls-*",
  // Who the client is, found out by a login in front.
  "Amazon ALB's OIDC login": "x-amzn-oidc-*",
  "Authelia, Apache, Kubernetes' front proxy": "remote-* x-remote-*",
  "Grafana, Gitea, Django RemoteUserMiddleware": "x-webauth-* x-authenticated-*",
  "oauth2-proxy": "x-auth-request-*",
  "authentik, Pomerium, Vouch, Tailscale Serve": "x-authentik-* x-pomerium-* x-vouch-* tailscale-*",
  "Kong, Apache APISIX": "x-consumer-* x-credential-* x-anonymous-consumer x-userinfo",
  "Google Identity-Aware Proxy, Cloud Endpoints": "x-goog-iap-* x-goog-authenticated-user-* " +
    "x-endpoint-api-userinfo x-apigateway-api-userinfo",
  "Azure App Service login": "x-ms-client-principal x-ms-client-principal-* x-ms-token-*",
  "mod_auth_openidc, Shibboleth": "oidc-* shib-*",
};

const ALL = Object.values(SPOKEN).flatMap((names) => names.split(" "));
const NAMES: ReadonlySet<string> = new Set(ALL.filter((name) => !name.endsWith("*")));
/** What a proxy says, too, and what the gateway says itself where none does. */
const TRACED: ReadonlySet<string> = new Set(["x-request-id", "traceparent", "tracestate"]);
/** With their last dash. */
const FAMILIES: ReadonlySet<string> = new Set(
  ALL.filter((name) => name.endsWith("-*")).map((name) => name.slice(0, -1)),
);
/** Beyond it no family's name ends; a name may hold thousands of dashes. */
const LONGEST = Math.max(...Array.from(FAMILIES, ({ length }) => length));

/**
 * Says whether a header is one by which a proxy speaks to the application behind it.
 *
 * @param name In lower case.
 * @returns True for `forwarded`, `x-forwarded-port`, `remote-user` and the like.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { isSpokenByProxies } from "./proxy_headers.ts";
 *
 * assert.ok(isSpokenByProxies("x-forwarded-port"));
 * assert.ok(!isSpokenByProxies("x-requested-with"));
 * ```
 */
export function isSpokenByProxies(name: string): boolean {
  if (NAMES.has(name)) return true;
  for (let dash = name.indexOf("-"); dash !== -1 && dash < LONGEST;) {
    if (FAMILIES.has(name.slice(0, dash + 1))) return true;
    dash = name.indexOf("-", dash + 1);
  }
  return false;
}

/**
 * Reads which header a proxy sets itself.
 *
 * @param text A name, or a family such as `X-Forwarded-*`.
 * @returns The same in lower case; undefined for what no proxy is known to say, and would not be removed either.
 */
export function parseProxyHeader(text: string): string | undefined {
  const name = text.toLowerCase();
  if (!/^[a-z0-9-]+(-\*)?$/.test(name)) return undefined;
  return TRACED.has(name) || isSpokenByProxies(name.replace("*", "any")) ? name : undefined;
}

/**
 * Tells what a proxy sets from what it merely hands on.
 *
 * @param headers From {@link parseProxyHeader}.
 * @returns Whether a header, its name in lower case, is one of them.
 */
export function toBelieved(headers: readonly string[]): (name: string) => boolean {
  const names = new Set(headers);
  const families = headers.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1));
  return (name) => names.has(name) || families.some((family) => name.startsWith(family));
}

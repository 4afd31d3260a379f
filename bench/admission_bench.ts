/**
 * What admission costs, by what is switched on: `deno bench -A bench/admission_bench.ts`.
 *
 * @module
 */
import { SignJWT } from "jose";
import type { GatewayOptions } from "../lib/config/options.ts";
import { parseConfig } from "../lib/config/schema.ts";
import { Admission } from "../lib/edge/admission.ts";
import type { EdgeParts } from "../lib/edge/parts.ts";
import { Peers } from "../lib/edge/peer.ts";
import { RequestHeads } from "../lib/edge/request_head.ts";
import { RequestIds } from "../lib/edge/request_ids.ts";
import { Visit } from "../lib/edge/visit.ts";
import { Observers } from "../lib/telemetry/observation.ts";

const SECRET = "a secret of at least 32 characters";
const HEADERS = {
  "accept": "text/html,application/xhtml+xml",
  "accept-encoding": "gzip, deflate, br",
  "accept-language": "en-GB,en;q=0.9",
  "cache-control": "no-cache",
  "cookie": "theme=dark; clientId=0123456789abcdef",
  "origin": "http://shop.example.com",
  "referer": "http://shop.example.com/",
  "sec-fetch-mode": "navigate",
  "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0",
};
const heads = new RequestHeads();
const token = await new SignJWT({ sub: "ann", exp: 4e9 }).setProtectedHeader({ alg: "HS256" })
  .sign(new TextEncoder().encode(SECRET));

const CASES: readonly [name: string, options: GatewayOptions, headers?: Record<string, string>][] =
  [
    ["nothing switched on", {}],
    ["a host filter", { hostFilters: ["*.example.com"] }],
    ["origins", { allowedOrigins: ["http://shop.example.com"] }],
    ["a rate", { rate: "1000000/s,burst=1000000000" }],
    ["trusted proxies", { trustedProxies: ["10.0.0.0/8"] }, { "x-forwarded-for": "192.0.2.7" }],
    ["sessions", { session: {} }],
    ["signed sessions", { session: { keys: [SECRET] } }],
    ["a key", { authorizationKey: ["k3y"] }, { authorization: "Bearer k3y" }],
    ["tokens, HS256", { jwt: { secret: SECRET } }, { authorization: `Bearer ${token}` }],
  ];

for (const [name, options, headers] of CASES) {
  const config = parseConfig(options);
  const parts = {
    config: () => config,
    fileKeys: [],
    gatewayId: "G",
    ids: new RequestIds(),
    observers: new Observers(() => {}),
    bus: { state: "connected" },
  } as unknown as EdgeParts;
  const [admission, peers] = [new Admission(parts), new Peers(parts)];
  const request = new Request("http://shop.example.com/api/v1/cart/7", {
    headers: { ...HEADERS, ...headers, host: "shop.example.com" },
  });
  Deno.bench(name, async () => {
    const peer = peers.identify(request, "10.0.0.1");
    const visit = new Visit(request, { parts, peer, connection: "", onLeft() {} });
    const admitted = admission.admit(
      admission.enter(request, { kind: "http", visit, headers: heads.read(request) }),
    );
    if (admitted instanceof Promise) await admitted;
  });
}

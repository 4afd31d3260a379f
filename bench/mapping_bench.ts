/**
 * The mapping layer's share of a request: `deno task bench`.
 *
 * @module
 */
import { parseHeaderBlock } from "../lib/mapping/headers.ts";
import { parseReply } from "../lib/mapping/reply.ts";
import { toRequestHeaders, toTarget } from "../lib/mapping/request.ts";
import { toPathTokens } from "../lib/mapping/subject.ts";

const REQUEST = {
  method: "GET",
  url: "http://shop.example.com/api/v1/cart/7?full=1",
  headers: [
    ["accept", "text/html,application/xhtml+xml"],
    ["accept-encoding", "gzip, deflate, br"],
    ["accept-language", "en-GB,en;q=0.9"],
    ["cache-control", "no-cache"],
    ["cookie", "session=0123456789abcdef; theme=dark"],
    ["host", "shop.example.com"],
    ["referer", "http://shop.example.com/"],
    ["sec-fetch-mode", "navigate"],
    ["user-agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0"],
    ["x-requested-with", "fetch"],
  ],
} as const;
const PROVENANCE = {
  requestId: "0123456789abcdef0123456789abcdef",
  traceparent: "00-0123456789abcdef0123456789abcdef-0123456789abcdef-00",
  tracestate: undefined,
  scheme: "http",
  isProxied: false,
  forwardedFor: "192.0.2.7",
  sessionId: undefined,
} as const;
const REPLY =
  "NATS/1.0\r\nStatus-Code: 200\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\n";

const target = toTarget(REQUEST, { prefix: "h8s", kind: "http" });
const block = `NATS/1.0\r\n${
  toRequestHeaders(REQUEST.headers, {
    target,
    subject: target.subject,
    kind: "http",
    provenance: PROVENANCE,
  })
}\r\n`;

Deno.bench("toTarget()", () => {
  toTarget(REQUEST, { prefix: "h8s", kind: "http" });
});

Deno.bench("toPathTokens() of a plain path", () => {
  toPathTokens("/api/v1/cart/7");
});

Deno.bench("toPathTokens() of a path that needs encoding", () => {
  toPathTokens("/api/caf%C3%A9/../a.b");
});

Deno.bench("toRequestHeaders(), 10 headers", () => {
  toRequestHeaders(REQUEST.headers, {
    target,
    subject: target.subject,
    kind: "http",
    provenance: PROVENANCE,
  });
});

Deno.bench("parseHeaderBlock(), 20 headers", () => {
  parseHeaderBlock(block);
});

Deno.bench("parseReply(), 3 headers", () => {
  parseReply(REPLY, 5);
});

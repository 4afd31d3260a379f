/**
 * Where requests try to get past what is guarded, and what they say to be let in.
 *
 * @module
 */
import { FORGED, KEY, ORIGIN, SESSION, SIGNED_SESSION } from "./config.ts";

/** Tokens of host and path, and how many of them are the host's as a rule. */
export interface Row {
  readonly tokens: readonly string[];
  readonly border: number;
}

/** Guarded ones and their neighbours. */
export const ROWS: readonly Row[] = [
  ...toRows("com example", [
    ...[
      "admin x",
      "admin",
      "admin x y",
      "Admin x",
      "a admin x",
      "vault x",
      "vault",
      "shop private x",
    ],
    ...["items 7", "items 7 8", "legacy x", "orders a.b", "orders >"],
    ...["orders 1", "orders 2", "orders 3", "orders 4", "orders 5", "orders 6", "orders 7"],
    ...["to admin x", "to vault x", "to shop private", "to legacy x", "to a b", "to %2E%2E admin"],
    ...["by GET admin", "by get admin", "by DELETE items", "by http vault", "by GET a"],
    ...["open control ws", "open http GET", `open ${SESSION} push`, "open a b", "open $JS API"],
    ...["two orders 7", "two $JS API", "two _INBOX h8s", "two h8s http", "two a b", "two a *"],
    ...[
      `three h8s ${SESSION} push`,
      "three h8s http GET",
      "three rooms a b",
      "three POST com admin",
      "three post com admin",
      "three h8s a b",
      "three $SYS REQ x",
    ],
    ...["rooms a b", "rooms http POST", "rooms control ws", "rooms * *", `rooms ${SESSION} push`],
    ...["a b", "private x", "x"],
  ]),
  ...toRows("com example vault", ["", "x", "orders 7", "admin x", "rooms a b", "to a b"]),
  ...toRows("com example shop", ["private x", "private", "a", "a b", "a b", "orders 7", "a%2Fb c"]),
  ...toRows("com admin", ["x", "orders 7", "rooms a b"]),
  ...toRows("com admin e", ["items 7"]),
];

/** What is shown instead of the right key. */
export const WRONG_KEYS: readonly string[] = [
  ...["Bearer wrong", "Bearer", `Basic ${KEY}`, `Bearer ${KEY}x`, `Bearer ${KEY.slice(1)}`],
  ...[`Bearer ${KEY},`, `Bearer "${KEY}"`, `Bearer ${KEY.toUpperCase()}`, `${KEY}`, "\xff"],
].map((value) => `Authorization: ${value}`);

/** Sessions that nobody gave. */
export const WRONG_COOKIES: readonly string[] = [
  ...[SESSION, `${SESSION}.`, `${SESSION}.AAAA`, `${SIGNED_SESSION}.x`, `x${SIGNED_SESSION}`],
  ...[`${SIGNED_SESSION.slice(0, -2)}`, "", "h8s.>", "%", `${FORGED}-0123456789`, "\xff"],
].flatMap((value) => [`Cookie: clientId=${value}`, `Cookie: a=b; __Host-clientId=${value}; c`]);

/** What only the gateway, and proxies that it trusts, may say. */
export const FORGERIES: readonly string[] = [
  ...["X-H8s-Subject", "X_H8s_Subject", "x-h8s_subject", "X.H8s.Subject", "X-H8s-Claims"],
  ...["X-H8s-Original-Path", "X_H8s-Body", "Nats-Msg-Id", "Nats_Msg_Id", "Client-Id", "Reply-To"],
  ...["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-User", "X_Forwarded_For", "Forwarded"],
  ...["X-Real-Ip", "True-Client-Ip", "X-Original-Url", "X-Rewrite-Url", "Proxy", "Remote-User"],
  ...["X-Client-Cert", "X-SSL-Client-Verify", "Tls-Client-Cert", "X-Auth-Request-User"],
  ...["X-Webauth-User", "Cf-Connecting-Ip", "X-Envoy-External-Address", "REMOTE_USER"],
].map((name) => `${name}: ${FORGED}`);

/** What else the configuration makes a difference for. */
export const LINES: readonly string[] = [
  ...["k1", "k2", '"k3"', "k 4", '""', "", "k".repeat(300), "\xff"]
    .map((key) => `Idempotency-Key: ${key}`),
  ...[ORIGIN, ORIGIN, "null", "https://evil.example", `${ORIGIN}.evil`, ORIGIN.toUpperCase(), ""]
    .map((origin) => `Origin: ${origin}`),
  ...["GET", "DELETE", "x\xff", ""].map((method) => `Access-Control-Request-Method: ${method}`),
  ...["x-a, authorization", "*", "\xff"].map((names) => `Access-Control-Request-Headers: ${names}`),
  "Connection: Authorization",
  "Connection: Cookie, Content-Length, X-H8s-PublishSubject",
  "Content-Length: 5",
  "Expect: 100-continue",
  "Accept-Encoding: gzip",
  "If-None-Match: *",
];

function toRows(host: string, paths: readonly string[]): Row[] {
  const border = host.split(" ").length;
  return paths.map((path) => ({
    tokens: `${host} ${path}`.trim().split(" "),
    border,
  }));
}

/**
 * The gateway whose doors are tried: what its configuration guards, and what it keeps.
 *
 * @module
 */
import { createHmac } from "node:crypto";

/** The key that opens what is guarded; a request that shows it says so in its query, which crosses. */
export const KEY = "the-right-key";
/** What a request with the right key has in its query, and no other. */
export const KEY_MARK = "proof=key";
/** A session that the gateway itself began; whoever shows its cookie says so in the query. */
export const SESSION = "session-of-alice";
/** What a request with that session has in its query, and no other. */
export const SESSION_MARK = "proof=session";
/** What stands in every header that a client must not speak in. */
export const FORGED = "forged";
/** The stream that keeps what is said, and its prefix. */
export const STREAM = "kept";
/** The host that the reverse daemon serves. */
export const BACKEND_HOST = "shop.example.com";
/** Whose pages may ask. */
export const ORIGIN = "https://pages.example";

const SIGNING_KEY = "a secret that is long enough to sign with";
const SIGNATURE = createHmac("sha256", SIGNING_KEY).update(`clientId=${SESSION}`)
  .digest("base64url");
/** The value of its cookie. */
export const SIGNED_SESSION = `${SESSION}.${SIGNATURE}`;

/** In the order of `--config`; what stands before may guard what stands after. */
export const CONFIG = {
  auth: "none",
  authorizationKey: [KEY],
  allowedOrigins: [ORIGIN],
  session: { keys: [SIGNING_KEY] },
  persist: STREAM,
  persistStorage: "memory",
  routes: [
    { match: { host: "vault.example.com" }, auth: "key" },
    { match: { host: BACKEND_HOST, path: "/private/*" }, auth: "key" },
    { match: { path: "/admin/*" }, auth: "key" },
    { match: { path: "/items/:id", methods: ["DELETE"] }, auth: "key" },
    { match: { path: "/legacy/*" }, auth: "key", cors: "workload" },
    {
      match: { path: "/orders/:id", methods: ["POST", "PUT"] },
      ...{ subject: "orders.{id}", mode: "publish", persist: true },
    },
    {
      match: { path: "/rooms/:room/:client", upgrade: "websocket" },
      publish: "rooms.{room}.{client}",
      subscribe: ["{prefix}.{room}.{client}.>"],
    },
    // Parameters that lead wherever they are let.
    { match: { path: "/to/:a/:b" }, subject: "{prefix}.http.GET.com.example.{a}.{b}" },
    { match: { path: "/by/:a/:b" }, subject: "{prefix}.http.{a}.com.example.{b}" },
    { match: { path: "/open/:a/:b" }, subject: "{prefix}.{a}.{b}", mode: "publish" },
    { match: { path: "/two/:a/:b" }, subject: "{a}.{b}" },
    { match: { path: "/three/:a/:b/:c" }, subject: "{a}.{b}.{c}" },
  ],
};

/**
 * Which rights in NATS a configuration needs, as `docs/nats-permissions.md` has them, and how each is tried
 * so that nothing comes of it.
 *
 * @module
 */
import type { GatewayConfig } from "../../config/schema.ts";
import { toRecordsBucket } from "../../nats/jetstream/records.ts";
import { INBOX, type SUBJECT, toOwnSubject, toPushTokens } from "../../mapping/names.ts";
import { toResumeSubjects } from "../../mapping/resume.ts";
import { toTapSubject } from "../../mapping/tap.ts";

/** One right. */
export interface Need {
  readonly verb: "publish" | "subscribe";
  /** As it is given. */
  readonly right: string;
  /** What is tried. */
  readonly subject: string;
  /** With which payload. */
  readonly payload: string;
  /** Undefined for what is always needed. */
  readonly for: string | undefined;
  /** True for what a gateway does its work without. */
  readonly isExtra?: boolean;
}

/** A host that nobody serves, as tokens (RFC 2606). */
const NOWHERE = "invalid.h8s-doctor";
const NOBODY = "h8s-doctor";
/** No JSON: the API refuses it after it was let in. */
const BROKEN = "{";

/**
 * Lists the rights.
 *
 * @returns Each once.
 */
export function listNeeds(config: GatewayConfig): Need[] {
  const { prefix, persist, events, session } = config;
  const own = (name: keyof typeof SUBJECT, ...tokens: string[]) =>
    toOwnSubject(prefix, name, ...tokens);
  const publish = (right: string, subject: string, payload = "", why?: string): Need => ({
    ...{ verb: "publish", right, subject, payload, for: why },
  });
  const subscribe = (right: string, why?: string): Need => ({
    ...{ verb: "subscribe", right, payload: "", for: why },
    subject: right.replace(/\.list\.\*$/, `.list.${NOBODY}`),
  });
  const needs = [
    publish(`${prefix}.http.>`, `${prefix}.http.GET.${NOWHERE}`),
    publish(`${prefix}.ws.ws.>`, `${prefix}.ws.ws.${NOWHERE}`),
    publish(own("upload", ">"), own("upload", "POST", NOWHERE)),
    publish(own("control", ">"), own("control", NOBODY)),
    publish("_INBOX.>", `_INBOX.${NOBODY}`),
    subscribe(`${INBOX}.>`),
    subscribe(own("list")),
    subscribe(own("list", "*")),
    subscribe(own("interest", "register", ">")),
    subscribe(own("interest", "unregister", ">")),
  ];
  const stream = (name: string, why: string) =>
    ["INFO", "CREATE"].map((what) => {
      const right = `$JS.API.STREAM.${what}.${name}`;
      return publish(right, right, what === "INFO" ? "" : BROKEN, why);
    });
  if (persist !== undefined) {
    const keys = `${persist}-keys`;
    const why = "Idempotency-Key with --persist";
    needs.push(
      ...[...stream(persist, "--persist"), ...stream(`KV_${keys}`, why)],
      publish(`$KV.${keys}.>`, `$KV.${keys}.${NOBODY}`, "", why),
    );
  }
  if (events !== undefined) {
    needs.push(
      publish(own("events", ">"), own("events", NOBODY, NOWHERE), "", "--events"),
      ...stream(events, "--events"),
    );
  }
  const bucket = toRecordsBucket(config);
  if (bucket !== undefined) {
    const name = `KV_${bucket}`;
    const api = (call: string, tail = "", payload = "") => {
      const right = `$JS.API.${call}.${name}`;
      return publish(
        tail === "" ? right : `${right}.>`,
        right + tail,
        payload,
        "connection records",
      );
    };
    const nothing = JSON.stringify({ filter: `$KV.${bucket}.${NOBODY}` });
    needs.push(
      publish("$JS.API.INFO", "$JS.API.INFO", "", "connection records"),
      ...stream(name, "connection records"),
      api("DIRECT.GET", `.$KV.${bucket}.${NOBODY}`),
      api("STREAM.PURGE", "", nothing),
      ...["CREATE", "INFO", "DELETE"].map((call) =>
        api(`CONSUMER.${call}`, `.${NOBODY}`, call === "CREATE" ? BROKEN : "")
      ),
      publish(`$KV.${bucket}.>`, `$KV.${bucket}.${NOBODY}`, "", "connection records"),
      subscribe(own("gateway", "*", "*"), "connection records"),
    );
  }
  if (config.resume > 0 && bucket !== undefined) {
    const { stream: name } = toResumeSubjects(prefix);
    const nothing = JSON.stringify({ filter: `${INBOX}.${NOBODY}` });
    needs.push(
      ...stream(name, "--resume"),
      publish(`$JS.API.STREAM.PURGE.${name}`, `$JS.API.STREAM.PURGE.${name}`, nothing, "--resume"),
      publish(
        ...[`$JS.API.CONSUMER.CREATE.${name}`, `$JS.API.CONSUMER.CREATE.${name}`] as const,
        ...[BROKEN, "--resume"] as const,
      ),
      publish(
        ...[
          `$JS.API.CONSUMER.DELETE.${name}.>`,
          `$JS.API.CONSUMER.DELETE.${name}.${NOBODY}`,
        ] as const,
        ...["", "--resume"] as const,
      ),
      subscribe(own("moved", "*"), "--resume"),
      subscribe(own("resumed", "*"), "--resume"),
    );
  }
  if (session !== undefined) needs.push(subscribe(`${prefix}.${toPushTokens("*")}`, "sessions"));
  needs.push({ ...subscribe(toTapSubject(prefix), "h8s tap, --admin-tap"), isExtra: true });
  return needs;
}

/**
 * Options: NATS, and the subjects there.
 *
 * @module
 */
import { z } from "zod";
import { isSubjectPrefix } from "../../mapping/subject.ts";
import { duration, parsed, secret } from "../fields.ts";

const NATS_URL = `a NATS URL such as "nats://127.0.0.1:4222"`;
const PREFIX = `literal subject tokens joined by dots, e.g. "h8s"`;

/** How NATS is reached. */
export interface NatsOptions {
  /**
   * NATS servers to connect to.
   *
   * @default ["nats://127.0.0.1:4222"]
   */
  readonly natsUrl?: readonly string[];
  /**
   * The first tokens of every subject.
   *
   * @default "h8s"
   */
  readonly prefix?: string;
  /**
   * How long WebSockets stay open while NATS is away.
   *
   * @default "15s"
   */
  readonly natsGrace?: string | number;
  /**
   * Whether messages pass by the NATS client library on its own socket, which costs less; off, every one
   * goes through it.
   *
   * @default true
   */
  readonly fastLane?: boolean;
}

/** The same, to be checked. */
export const natsFields = {
  natsUrl: z.array(secret(parsed(NATS_URL, parseNatsUrl), withoutLogin)).min(
    1,
    `expected ${NATS_URL}`,
  )
    .prefault(["nats://127.0.0.1:4222"])
    .meta({ placeholder: "URL", description: "NATS server; may be repeated" }),
  prefix: parsed(PREFIX, (text) => isSubjectPrefix(text) ? text : undefined).prefault("h8s")
    .meta({ placeholder: "TOKENS", description: "First tokens of every subject" }),
  natsGrace: duration("15s", "How long WebSockets stay open while NATS is away"),
  fastLane: z.boolean().default(true)
    .meta({ description: "Pass by the NATS client library; costs less" }),
};

function parseNatsUrl(text: string): string | undefined {
  const url = URL.parse(text.includes("://") ? text : `nats://${text}`);
  if (url === null || !/^(nats|tls):$/.test(url.protocol) || url.hostname === "") return undefined;
  return isPercentEncoded(url.username) && isPercentEncoded(url.password) ? text : undefined;
}

/** Up to the last `@`, since a password that should be percent-encoded may hold one. */
function withoutLogin(url: unknown): string {
  return String(url).replace(/^([a-z]+:\/\/)?.*@/is, "$1");
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * What may cross NATS behind guarded doors, said independently of `lib/mapping`.
 *
 * @module
 */
import type { Crossing, Rules } from "../observer.ts";
import { BACKEND_HOST, FORGED, KEY, KEY_MARK, SESSION, SESSION_MARK, STREAM } from "./config.ts";

/** Where the routes lead, and what the gateway asks of JetStream. */
const KNOWN = new RegExp([
  "^orders\\.[^.]+$",
  "^h8s\\.(?!(?:http|ws|upload|control|events|resumed)\\.)[^.]+\\.[^.]+$",
  // By a route's parameter, which is no method.
  "^h8s\\.(?:http|upload)\\.[^.]+\\.com\\.example\\.[^.]+$",
  // The head of a large body has a subject of its own.
  "^h8s\\.upload\\.(?!_INBOX|\\$)[^.]+\\.[^.]+(?:\\.[^.]+)?$",
  "^(?!h8s\\.|_INBOX|\\$)[^.]+\\.[^.]+(?:\\.[^.]+)?$",
  `^\\$JS\\.API\\.(?:INFO$|[A-Z.]+\\.(?:${STREAM}|KV_${STREAM}-keys|KV_h8s-connections)(?:\\.|$))`,
  `^\\$KV\\.(?:${STREAM}-keys|h8s-connections)\\.`,
  // Of the server.
  "^\\$JS\\.EVENT\\.",
  // Of the reverse daemon.
  "^h8s\\.control\\.(?:interest\\.register\\.|ws\\.conn\\.list|ws\\.authorize\\.|reverse\\.)",
].join("|"));
/** What a client cannot speak to, but its gateway and the reverse daemon do. */
const INTERNAL = /^(?:\$JS\.|\$KV\.|h8s\.control\.(?:interest|reverse|ws\.conn\.list)(?:\.|$))/;
const KEPT = /^(?:orders\.[^.]+$|rooms\.[^.]+\.[^.]+$|h8s\.ws\.ws\.)/;
const PUSH = /^h8s\.([^.]+)\.push$/;
const CONVENTIONAL = /^h8s\.(http|upload|ws)\.([^.]+)\.(.+)$/;
const LABEL = /^[a-z0-9_-]{1,63}$/;
const MAX_HOST_LENGTH = 253;
/** The names that all of {@link FORGERIES} have, in whatever spelling. */
const FORGEABLE = new RegExp(
  "^(?:x-h8s|nats|client-id|reply-to|x-forwarded|forwarded|x-real|true-client|x-original|x-rewrite|" +
    "proxy|remote|x-client-cert|x-ssl|tls-client|x-auth-request|x-webauth|cf|x-envoy)(?:-|$)",
);

/** Judges each message; knows the numbers of all that have come. */
export class DoorRules implements Rules {
  readonly #numbers = new Set<string>();
  /** Requests for the stream. */
  orders = 0;
  /** What crossed to where only the key leads. */
  guarded = 0;

  /** @inheritdoc */
  isKnown(subject: string): boolean {
    return KNOWN.test(subject);
  }

  /** @inheritdoc */
  isInternal(subject: string): boolean {
    return INTERNAL.test(subject);
  }

  /** @inheritdoc */
  isKept(subject: string): boolean {
    return KEPT.test(subject);
  }

  /** @inheritdoc */
  isAnswered(subject: string): boolean {
    const tokens = BACKEND_HOST.split(".").toReversed().join(".");
    return !`${subject}.`.includes(`.${tokens}.`);
  }

  /** @inheritdoc */
  judge(crossing: Crossing): string[] {
    const { subject, lines } = crossing;
    const wrong = lines.filter(isForged).map((line) => `the client's own ${line}`);
    const query = readHeader(lines, "X-H8s-Original-Query");
    const published = readHeader(lines, "X-H8s-PublishSubject");
    if (isGuarded(subject, crossing) || isGuarded(published, crossing)) {
      this.guarded++;
      if (!query.includes(KEY_MARK)) wrong.push("nobody without the key may get there");
      if (lines.some((line) => line.includes(KEY))) wrong.push("the key itself crossed");
    }
    const session = readHeader(lines, "Client-Id");
    const push = PUSH.exec(subject)?.[1];
    if (push !== undefined && push !== session) wrong.push("to somebody else's sockets");
    if (session === SESSION && !query.includes(SESSION_MARK)) {
      wrong.push("somebody else's session");
    }
    if (subject.startsWith("orders.")) this.orders++;
    else if (!lines.some((line) => /^(?:X-H8s-Frame|Upgrade): /i.test(line))) {
      const number = /\bn=([\w-]+)/.exec(query)?.[1];
      const id = `${subject.startsWith("h8s.upload.") ? "upload " : ""}${number}`;
      if (number !== undefined && this.#numbers.has(id)) wrong.push("it came before");
      this.#numbers.add(id);
    }
    return wrong.map((what) => `${what}: ${subject} ${JSON.stringify(lines)}`);
  }
}

/**
 * Says whether a header line is one that a client made up and must not have got through.
 *
 * @param line Name, colon and value.
 */
export function isForged(line: string): boolean {
  const colon = line.indexOf(":");
  const name = line.slice(0, colon).toLowerCase().replace(/[^a-z0-9]/g, "-");
  return name.length > 0 && line.slice(0, colon).includes("_") ||
    FORGEABLE.test(name) && line.slice(colon).includes(FORGED);
}

/** The contract's first section: whatever host and path a subject is read as, each reading's owner is asked. */
function isGuarded(subject: string, { lines, size }: Crossing): boolean {
  const [, kind, method, rest = ""] = CONVENTIONAL.exec(subject) ?? [];
  if (kind === undefined) return false;
  const tokens = rest.split(".");
  if (/^com\.example\.(?:vault|shop\.private)(?:\.|$)/.test(rest)) return true;
  const isPreflight = kind === "http" && method === "OPTIONS" && size === 0 &&
    lines.some((line) => line.startsWith("Origin: ")) &&
    lines.some((line) => line.startsWith("Access-Control-Request-Method: "));
  for (let from = 1, length = -1; from < tokens.length; from++) {
    const label = tokens[from - 1]!;
    length += label.length + 1;
    if (!LABEL.test(label) || length > MAX_HOST_LENGTH) return false;
    const [first, ...others] = tokens.slice(from);
    if (first === "admin") return true;
    if (first === "legacy" && !isPreflight) return true;
    if (first === "items" && others.length === 1 && method === "DELETE") return true;
  }
  return false;
}

function readHeader(lines: readonly string[], name: string): string {
  return lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? "";
}

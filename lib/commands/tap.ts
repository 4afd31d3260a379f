/**
 * `h8s tap PATTERN`: heads of what passes, live.
 *
 * @module
 */
import { UsageError } from "../config/flag_table.ts";
import type { Question } from "../config/questions.ts";
import { findHeader, type HeaderEntry } from "../mapping/headers.ts";
import { isHostMatch, toHostPattern } from "../mapping/host_pattern.ts";
import { toRemoteAddress } from "../mapping/incoming.ts";
import { HEADER } from "../mapping/names.ts";
import { type PathTokens, toHostTokens, toPathTokens } from "../mapping/subject.ts";
import { type TapHead, type TapReport, toTapSubject } from "../mapping/tap.ts";
import { Heads } from "../nats/asking/heads.ts";
import { systemClock } from "../time/clock.ts";
import type { Asking } from "./lists.ts";
import { checkRights } from "./rights.ts";
import type { OpenNats } from "./nats.ts";

/** The most lines in a second: what comes besides is counted. */
const MOST_PER_SECOND = 200;

/** What is watched, and which of it is meant. */
export interface TapTarget {
  readonly subjects: readonly string[];
  /** Says whether a message is meant. */
  readonly isMeant: (headers: readonly HeaderEntry[]) => boolean;
}

/**
 * Reads a pattern.
 *
 * @param text `[METHOD] HOST/PATH`; `ws` for WebSockets, `*` for any method or host, `/*` at the end for
 * all below.
 * @throws {UsageError} when it is none.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseTap } from "./tap.ts";
 *
 * assert.deepEqual(parseTap("GET shop.example/cart", "h8s").subjects, [
 *   "h8s.http.GET.example.shop.cart",
 *   "h8s.upload.GET.example.shop.cart",
 * ]);
 * ```
 */
export function parseTap(text: string, prefix: string): TapTarget {
  const parts = /^(?:(\*|ws|[A-Z][A-Z0-9-]*)\s+)?([^\s/]+)?(\/\S*)?$/.exec(text.trim());
  if (parts === null || text.trim() === "") throw refuse(text);
  const [, method = "*", host = "*", path = "/*"] = parts;
  const isOpen = path.endsWith("/*");
  try {
    const pathTokens = toPathTokens(isOpen ? path.slice(0, -2) : path);
    const pattern = host === "*" ? undefined : toHostPattern(host);
    const kinds = [
      ...(method === "ws" ? [] : [`http.${method}`, `upload.${method}`]),
      ...(method === "ws" || method === "*" ? ["ws.ws"] : []),
    ];
    const tails = toTails(pattern, { pathTokens, isOpen });
    return {
      subjects: kinds.flatMap((kind) => tails.map((tail) => `${prefix}.${kind}.${tail}`)),
      isMeant: (headers) => {
        const host = findHeader(headers, HEADER.originalHost) ?? findHeader(headers, "host");
        const tokens = host === undefined ? undefined : toHostTokens(host).split(".");
        if (pattern !== undefined && tokens && !isHostMatch(pattern, tokens, tokens.length)) {
          return false;
        }
        const own = toPathTokens(findHeader(headers, HEADER.originalPath) ?? "/");
        return own === pathTokens || isOpen &&
            (pathTokens === "" || own.startsWith(`${pathTokens}.`));
      },
    };
  } catch {
    throw refuse(text);
  }
}

/** Watches until it has seen enough. */
export async function tap(
  { operands: [pattern], options }: Extract<Question, { name: "tap" }>,
  { session, prefix, terminal, errors }: Asking & Pick<OpenNats, "errors">,
): Promise<number> {
  const { subject: subjects, count, seconds, headers: showsHeaders, json } = options;
  const taps: TapTarget[] = subjects.length === 0 || pattern !== undefined
    ? [parseTap(pattern ?? "*/*", prefix)]
    : [];
  if (subjects.length > 0) taps.push({ subjects, isMeant: () => true });
  const { promise, resolve } = Promise.withResolvers<void>();
  let seen = 0;
  const budget = new LineBudget((skipped) => terminal.note(`… ${skipped} more, not shown`));
  const onHead = (told: TapHead, { isMeant }: TapTarget) => {
    if (!isMeant(told.headers) || (count > 0 && seen >= count)) return;
    seen++;
    if (budget.take()) {
      const head = toHead(told);
      if (json) terminal.json(head);
      else {
        terminal.line(renderHead(head, terminal));
        if (showsHeaders) {
          for (const [name, value] of head.headers) terminal.line(`    ${name}: ${value}`);
        }
      }
    }
    if (count > 0 && seen >= count) resolve();
  };
  const onReport = ({ gateway, heads, missed, refused }: TapReport, tap: TapTarget) => {
    if (refused !== undefined) terminal.note(`${gateway} shows nothing: ${refused}`);
    if (missed > 0) terminal.note(`… ${missed} more, not shown`);
    for (const head of heads) onHead(head, tap);
  };
  const clock = systemClock();
  using watches = new DisposableStack();
  watches.use(budget);
  const watched = taps.map((tap) =>
    watches.use(
      new Heads(session, {
        ...{ prefix, subjects: tap.subjects, clock },
        onReport: (report) => onReport(report, tap),
      }),
    )
  );
  await checkRights(session, errors);
  const begun = await Promise.all(watched.map(({ begun }) => begun));
  if (!begun.includes(true)) {
    terminal.note(
      `h8s: no gateway answers under the prefix ${prefix}; ` +
        `where one runs, let its NATS user subscribe to ${toTapSubject(prefix)}`,
    );
    return 1;
  }
  terminal.patience(`watching ${taps.flatMap(({ subjects }) => subjects).join(" ")} …`);
  if (seconds > 0) watches.defer(clock.after(seconds * 1000, resolve));
  await promise;
  return seen === 0 ? 1 : 0;
}

/** A message without its payload, as it may be shown. */
interface Head {
  readonly time: string;
  readonly subject: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly client: string;
  readonly bytes: number;
  readonly headers: readonly HeaderEntry[];
}

function toHead({ at, subject, headers, size }: TapHead): Head {
  const value = (name: string) => findHeader(headers, name) ?? "";
  return {
    time: new Date(at).toISOString(),
    subject,
    host: value(HEADER.originalHost) || value("host"),
    path: value(HEADER.originalPath),
    query: value(HEADER.originalQuery),
    client: toRemoteAddress(headers),
    bytes: size,
    headers,
  };
}

function renderHead(head: Head, { paint }: Asking["terminal"]): string {
  const { time, subject, host, path, query, client, bytes } = head;
  const url = `${host}${path}${query === "" ? "" : `?${query}`}`;
  return `${paint.dim(time.slice(11, 23))} ${paint.bold(subject)} ${url} ${client} ${bytes} B`;
}

function toTails(
  pattern: { readonly tokens: readonly string[]; readonly isBelow: boolean } | undefined,
  { pathTokens, isOpen }: { pathTokens: PathTokens; isOpen: boolean },
): string[] {
  if (pattern === undefined) return [">"];
  const host = pattern.tokens.join(".");
  if (pattern.isBelow) return [`${host}.>`];
  const whole = pathTokens === "" ? host : `${host}.${pathTokens}`;
  return isOpen ? [whole, `${whole}.>`] : [whole];
}

/** Who floods the gateway does not flood the terminal. */
class LineBudget implements Disposable {
  readonly #timer: ReturnType<typeof setInterval>;
  #left = MOST_PER_SECOND;
  #skipped = 0;

  constructor(onSkipped: (skipped: number) => void) {
    this.#timer = setInterval(() => {
      if (this.#skipped > 0) onSkipped(this.#skipped);
      this.#left = MOST_PER_SECOND;
      this.#skipped = 0;
    }, 1000);
  }

  take(): boolean {
    if (this.#left-- > 0) return true;
    this.#skipped++;
    return false;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function refuse(text: string): UsageError {
  return new UsageError(
    `Cannot use ${JSON.stringify(text)}: expected [METHOD] HOST/PATH, e.g. 'GET shop.example/*'`,
  );
}

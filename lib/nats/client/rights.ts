/**
 * What the gateway's user of NATS may not do and would have to.
 *
 * @module
 */
import { PermissionViolationError } from "@nats-io/nats-core";
import { INBOX, toOwnSubject } from "../../mapping/names.ts";
import { isCovered } from "../../mapping/subject_pattern.ts";
import { toTapSubject } from "../../mapping/tap.ts";
import type { Log } from "../../telemetry/log.ts";
import { repeat, systemClock } from "../../time/clock.ts";
import type { Session } from "./session.ts";

/** How often what was refused is tried again, in milliseconds; heartbeats come by themselves as often. */
const RETRY_MS = 5000;
/** A right that was not missed for this long is there now. */
const FORGET_MS = RETRY_MS + 2000;
/** Clients choose subjects; what they choose is not remembered for ever. */
const MAX_TOLD = 100;

/** What it works with. */
export interface RightsOptions {
  readonly session: Pick<Session, "resubscribe" | "onState">;
  /** Of all subjects. */
  readonly prefix: string;
  readonly log: Log;
}

/** Notes what NATS refuses, says once what to allow, and asks again for what is needed. */
export class MissingRights implements Disposable {
  readonly #options: RightsOptions;
  readonly #clock: ReturnType<typeof systemClock>;
  readonly #endRetries: () => void;
  readonly #endState: () => void;
  readonly #told = new Set<string>();
  /** Needed for everything; when it was missed last. */
  readonly #needed = new Map<string, { readonly violation: Violation; readonly at: number }>();

  constructor(options: RightsOptions, clock = systemClock()) {
    this.#options = options;
    this.#clock = clock;
    this.#endRetries = repeat(clock, RETRY_MS, () => this.#retry());
    // Another connection may have other rights, and the client library has forgotten what was refused.
    this.#endState = options.session.onState((state) => {
      if (state !== "connected") return;
      this.#told.clear();
      this.#retry();
    });
  }

  /** The right without which the gateway is of no use, and NATS refused it; undefined where there is none. */
  get trouble(): string | undefined {
    const oldest = this.#clock.now() - FORGET_MS;
    for (const { violation: { verb, subject }, at } of this.#needed.values()) {
      if (at >= oldest) return `NATS does not permit to ${verb} ${subject}`;
    }
    return undefined;
  }

  /**
   * Looks at an error.
   *
   * @returns True when it is about a right: then it has been told.
   */
  note(error: Error): boolean {
    if (!(error instanceof PermissionViolationError)) return false;
    const { prefix } = this.#options;
    const violation = toViolation(error);
    const right = toRight(violation, prefix);
    if (isNeeded(violation, prefix)) {
      this.#needed.set(`${violation.verb} ${violation.subject}`, {
        violation,
        at: this.#clock.now(),
      });
    }
    if (this.#told.has(right) || this.#told.size >= MAX_TOLD) return true;
    this.#told.add(right);
    const { verb, subject } = violation;
    const message = `NATS does not permit to ${verb} ${subject}`;
    const allow = `the gateway's user to ${right}`;
    this.#options.log.error(message, { allow, see: "docs/nats-permissions.md" });
    return true;
  }

  /** Tries no more. */
  [Symbol.dispose](): void {
    this.#endRetries();
    this.#endState();
  }

  #retry(): void {
    const oldest = this.#clock.now() - FORGET_MS;
    for (const [key, { violation, at }] of this.#needed) {
      if (at < oldest) this.#needed.delete(key);
      else if (violation.verb === "subscribe to") {
        this.#options.session.resubscribe(violation.subject);
      }
    }
  }
}

interface Violation {
  readonly verb: "publish to" | "subscribe to";
  readonly subject: string;
}

function toViolation({ operation, subject }: PermissionViolationError): Violation {
  return { verb: operation === "publish" ? "publish to" : "subscribe to", subject };
}

/** Neither what clients or routes choose, nor that nobody can watch, takes the gateway out of service. */
function isNeeded({ verb, subject }: Violation, prefix: string): boolean {
  return verb === "publish to"
    ? subject.startsWith(`${toOwnSubject(prefix, "gateway")}.`)
    : subject.startsWith(`${INBOX}.`) ||
      (subject.startsWith(`${toOwnSubject(prefix, "control")}.`) &&
        subject !== toTapSubject(prefix));
}

/** The right as `docs/nats-permissions.md` has it, where it is there; else the subject itself. */
function toRight({ verb, subject }: Violation, prefix: string): string {
  const patterns = verb === "publish to"
    ? [
      ...["http", "ws.ws", "upload", "control"].map((kind) => `${prefix}.${kind}.>`),
      ...["_INBOX.>", "$KV.*.>", "$JS.API.DIRECT.GET.*.>", "$JS.API.CONSUMER.*.*.>"],
    ]
    : [
      `${INBOX}.>`,
      toOwnSubject(prefix, "resumed", "*"),
      toOwnSubject(prefix, "connection", "*", "*"),
    ];
  const pattern = patterns.find((pattern) => isCovered(subject, pattern)) ?? subject;
  const tokens = subject.split(".");
  // Which bucket, which stream, which of the questions: what the right is about stays.
  const named = pattern.split(".").map((token, index) =>
    token === "*" && index < pattern.split(".").length - 1 ? tokens[index] : token
  );
  return `${verb === "publish to" ? "publish" : "subscribe"} ${named.join(".")}`;
}

/**
 * What would become of a request, and why: by the same functions that decide about real ones.
 *
 * @module
 */
import type { GatewayConfig } from "../config/schema.ts";
import { GatewayError } from "../errors.ts";
import { toAuthorizeSubject } from "../mapping/authorize.ts";
import { listCaptured } from "../mapping/capture.ts";
import type { HeaderEntry, RequestKind } from "../mapping/headers.ts";
import { fromHostTokens } from "../mapping/host_pattern.ts";
import { type Interest, matchesInterest } from "../mapping/interest.ts";
import { type Target, toTarget, toUploadSubject } from "../mapping/request.ts";
import { type Auth, renderMatch, type Route } from "../mapping/route.ts";
import type { Decision } from "../mapping/route_table.ts";
import {
  fromPathTokens,
  type HostTokens,
  type PathTokens,
  type Subject,
} from "../mapping/subject.ts";
import { isCovered } from "../mapping/subject_pattern.ts";
import { hostFilter } from "./admission/host.ts";
import { registeredInterest } from "./admission/interest.ts";
import { checkOrigin } from "./admission/origin.ts";
import { toRules } from "./admission/rules.ts";
import { urlLength } from "./admission/size.ts";
import { Cors } from "./cors.ts";
import { type Routed, toRouted } from "./admission/routing.ts";

/** The request that is asked about. */
export interface SampleRequest {
  /** @default "GET" */
  readonly method?: string;
  /** As a client would send it: http or https, authority, path and query, not normalised. */
  readonly url: string;
  /** @default "http" */
  readonly kind?: RequestKind;
  /** The page that it would come from; undefined for a client that is no browser. */
  readonly origin?: string | undefined;
}

/** What one check says. */
export interface CheckResult {
  readonly check: "shape" | "length" | "host" | "origin" | "identity" | "interest" | "route";
  /** `asks` where it depends on what the client shows. */
  readonly verdict: "passes" | "refuses" | "asks";
  /** Why, or what is asked for. */
  readonly text: string;
  /** What the client would be told; present where it is refused. */
  readonly status?: number;
}

/** A route by its place in the configuration. */
export interface ExplainedRoute {
  /** From 0. */
  readonly index: number;
  /** E.g. `"GET shop.example/cart/:id"`. */
  readonly match: string;
  /** The parts of the path that it names. */
  readonly params: Readonly<Record<string, string>>;
}

/** The request that has the same subject with the border between host and path elsewhere. */
export interface ExplainedReading {
  readonly host: string;
  readonly path: string;
  /** True for the host and path that were asked for. */
  readonly isAsked: boolean;
  /** The route that it would take; its demand counts, too. */
  readonly route: Omit<ExplainedRoute, "params">;
  readonly auth: Auth;
}

/** What would become of a request. */
export interface Explanation {
  readonly method: string;
  readonly kind: RequestKind;
  readonly url: string;
  /** Undefined where the request has none. */
  readonly hostTokens: HostTokens | undefined;
  readonly pathTokens: PathTokens | undefined;
  /** Where its messages go; undefined where they go nowhere. */
  readonly subject: Subject | undefined;
  /** Where the head of a large body goes. */
  readonly uploadSubject: string | undefined;
  /** What reaches a WebSocket besides its inbox. */
  readonly subscribe: readonly string[];
  readonly mode: Routed["mode"] | undefined;
  readonly isPersistent: boolean;
  /** Undefined for the convention. */
  readonly route: ExplainedRoute | undefined;
  /** In the order in which they are made, up to the first that refuses. */
  readonly checks: readonly CheckResult[];
  readonly readings: readonly ExplainedReading[];
  /** Who has registered for it; undefined where that is not known. */
  readonly listeners: readonly Interest[] | undefined;
}

/** What is known besides the request. */
export interface ExplainOptions {
  readonly config: GatewayConfig;
  /** Registrations that stand; undefined where they are not known. */
  readonly interests?: readonly Interest[] | undefined;
}

/** In the place of what is made up for each client. */
const UNKNOWN = { gateway: "<gateway>", session: "<session>", connection: "<connection>" };
const ASKS: Readonly<Record<Exclude<Auth, "none">, string>> = {
  key: "a key: Authorization: Bearer KEY",
  jwt: "a token: Authorization: Bearer TOKEN",
  authorize: "what a workload decides, which is asked at",
};

/**
 * Explains a request.
 *
 * @param options The configuration, and who has registered.
 * @returns Its subject, its route, and what each check says.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseConfig } from "../config/schema.ts";
 * import { explain } from "./explain.ts";
 *
 * const config = parseConfig({ hostFilters: ["shop.example"] });
 * const { subject } = explain({ url: "https://shop.example/cart/7" }, { config });
 * assert.equal(subject, "h8s.http.GET.example.shop.cart.7");
 * const { checks } = explain({ url: "https://www.example/" }, { config });
 * assert.equal(checks.at(-1)?.check, "host");
 * assert.equal(checks.at(-1)?.verdict, "refuses");
 * ```
 */
export function explain(question: SampleRequest, options: ExplainOptions): Explanation {
  return new Way(question, options).explain();
}

/** Goes the way of a request, and notes what is said to it. */
class Way {
  readonly #question: Required<Omit<SampleRequest, "origin">> & Pick<SampleRequest, "origin">;
  readonly #options: ExplainOptions;
  readonly #checks: CheckResult[] = [];
  #target: Target | undefined;
  #decision: Decision | undefined;
  #readings: ExplainedReading[] = [];
  #routed: Routed | undefined;

  constructor(
    { method = "GET", url, kind = "http", origin }: SampleRequest,
    options: ExplainOptions,
  ) {
    this.#question = { method, url, kind, origin };
    this.#options = options;
  }

  explain(): Explanation {
    try {
      this.#go();
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
    }
    const { method, kind, url } = this.#question;
    const { hostTokens, pathTokens } = this.#target ?? {};
    const { subject, subscribe = [], mode, isPersistent = false } = this.#routed ?? {};
    const match = this.#decision?.match;
    const isSent = subject !== undefined && kind === "http" && !isPersistent;
    return {
      ...{ method, kind, url, hostTokens, pathTokens, subject },
      uploadSubject: isSent && mode === "request"
        ? toUploadSubject(subject, this.#options.config.prefix)
        : undefined,
      ...{ subscribe, mode, isPersistent },
      route: match && { ...this.#toRoute(match.route), params: match.params },
      checks: this.#checks,
      readings: this.#readings,
      listeners: this.#listeners(),
    };
  }

  #go(): void {
    const { config, interests } = this.#options;
    const { method, url, kind, origin } = this.#question;
    const { prefix, listen, hostFilters, maxUrlLength } = config;
    const target = this.#check("shape", "host, path and method can be a subject", () => {
      if (kind === "websocket" && method !== "GET") {
        throw new GatewayError(
          "malformed_request",
          "Cannot upgrade: a WebSocket handshake is a GET",
        );
      }
      return toTarget({ method, url, headers: toHost(url) }, { prefix, kind, listen });
    });
    this.#target = target;
    const request = new Request("http://localhost/", {
      method,
      headers: origin === undefined ? {} : { origin },
    });
    const candidate = { request, kind, target, headers: [...request.headers] };
    this.#check("length", `at most ${maxUrlLength} characters`, () => {
      urlLength(maxUrlLength)(candidate);
    });
    const served = hostFilters.length === 0 ? "every host is served" : hostFilters.join(", ");
    this.#check("host", served, () => {
      if (hostFilters.length > 0) hostFilter(hostFilters)(candidate);
    });
    const rules = toRules(config);
    const { hostTokens, pathTokens } = target;
    const query = { hostTokens, pathTokens, method, kind };
    const decision = this.#decision = rules.table.decide(query);
    this.#readings = rules.table.listReadings(query).map(({ border, route, auth }) =>
      this.#toReading(target, { border, route, auth })
    );
    const origins = Cors.of(request, { config, route: decision.match?.route })?.origins;
    this.#check("origin", toOriginText({ origins, kind }), () => checkOrigin(candidate, origins));
    this.#noteIdentity(target, decision);
    if (config.trackInterest && interests !== undefined) {
      this.#check("interest", "a workload has registered", () => {
        registeredInterest({ has: () => this.#listeners()!.length > 0 })(candidate);
      });
    }
    const routable = {
      ...{ method, kind, target },
      sessionId: rules.hasSessions ? UNKNOWN.session : undefined,
      connectionId: kind === "websocket" ? UNKNOWN.connection : undefined,
    };
    const told = decision.match === undefined ? "by the convention" : "by its route";
    this.#routed = this.#check(
      "route",
      told,
      () => toRouted(decision, { request: routable, rules, parts: toParts(config) }),
    );
  }

  #check<T>(check: CheckResult["check"], text: string, task: () => T): T {
    try {
      const result = task();
      this.#checks.push({ check, verdict: "passes", text });
      return result;
    } catch (error) {
      if (error instanceof GatewayError) {
        const { message, status } = error;
        this.#checks.push({ check, verdict: "refuses", text: message, status });
      }
      throw error;
    }
  }

  #noteIdentity({ hostTokens }: Target, { demands }: Decision): void {
    const { prefix } = this.#options.config;
    if (demands.length === 0) {
      this.#checks.push({ check: "identity", verdict: "passes", text: "nothing is asked for" });
    }
    for (const demand of demands) {
      const where = demand === "authorize"
        ? ` ${toAuthorizeSubject(this.#question.kind, { prefix, hostTokens })}`
        : "";
      this.#checks.push({ check: "identity", verdict: "asks", text: ASKS[demand] + where });
    }
  }

  #toReading(
    { hostTokens, pathTokens }: Target,
    { border, route, auth }: { border: number; route: Route; auth: Auth },
  ): ExplainedReading {
    const own = hostTokens.split(".");
    const tokens = pathTokens === "" ? own : [...own, ...pathTokens.split(".")];
    return {
      host: fromHostTokens(tokens.slice(0, border)),
      path: fromPathTokens(tokens.slice(border).join(".")),
      isAsked: border === own.length,
      route: this.#toRoute(route),
      auth,
    };
  }

  #toRoute(route: Route): Omit<ExplainedRoute, "params"> {
    const routes: readonly Route[] = this.#options.config.routes;
    return { index: routes.indexOf(route), match: renderMatch(route) };
  }

  #listeners(): readonly Interest[] | undefined {
    const { interests } = this.#options;
    if (interests === undefined || this.#target === undefined) return interests && [];
    const { method, kind } = this.#question;
    const { hostTokens, pathTokens } = this.#target;
    const query = { hostTokens, pathTokens, method: kind === "websocket" ? "ws" : method };
    return interests.filter((interest) => matchesInterest(interest, query));
  }
}

/** What the gateway would have, as far as it matters for a subject. */
function toParts(config: GatewayConfig): Parameters<typeof toRouted>[1]["parts"] {
  const captured = config.persist === undefined
    ? undefined
    : listCaptured(config.routes, config.prefix);
  return {
    config: () => config,
    gatewayId: UNKNOWN.gateway,
    persist: captured && {
      captures: (subject) => captured.some((pattern) => isCovered(subject, pattern)),
    },
    resume: config.resume > 0 ? {} : undefined,
  };
}

/** A client writes the authority of its URL into `Host`. */
function toHost(url: string): HeaderEntry[] {
  const [, authority = ""] = /^[a-z]+:\/\/([^/?#]*)/i.exec(url) ?? [];
  return [["host", authority]];
}

function toOriginText(
  { origins, kind }: { origins: readonly string[] | undefined; kind: RequestKind },
): string {
  if (origins !== undefined) return `pages of ${origins.join(", ") || "no origin"}`;
  return kind === "websocket" ? "pages of the same host" : "pages of all origins may ask";
}

/**
 * CORS at the edge: which rules a request falls under, and its answers.
 *
 * @module
 */
import type { GatewayConfig } from "../config/schema.ts";
import {
  type CorsKind,
  type CorsRules,
  setCorsHeaders,
  toCorsHeaders,
  toPreflightHeaders,
  toPreflightMethod,
  USUALLY_EXPOSED,
} from "../mapping/cors.ts";
import type { Route } from "../mapping/route.ts";

type CorsConfig = Pick<
  GatewayConfig,
  "allowedOrigins" | "cors" | "corsExposedHeaders" | "corsMaxAge" | "publishOnly"
>;

/** What is known, as a request goes on, of the page that it may come from. */
export interface Page {
  cors: Cors | undefined;
}

/** What holds for one request. */
export class Cors {
  readonly #request: Request;
  readonly #rules: CorsRules;
  readonly #method: string | undefined;
  /** Who answers; where there is no workload to do so, it is the gateway. */
  readonly kind: CorsKind;

  /**
   * Looks up what holds.
   *
   * @param options `config`: what is configured; `route`: the request's, if it is known and has one.
   * @returns Undefined where no origins are listed, so that nothing is said of it.
   */
  static of(
    request: Request,
    { config, route }: { config: CorsConfig; route: Route | undefined },
  ): Cors | undefined {
    const origins = route?.allowedOrigins ?? config.allowedOrigins;
    return origins && new Cors(request, { origins, config, route });
  }

  private constructor(
    request: Request,
    { origins, config, route }: {
      origins: readonly string[];
      config: CorsConfig;
      route: Route | undefined;
    },
  ) {
    this.#request = request;
    this.#method = toPreflightMethod(request);
    const isPublished = config.publishOnly || route?.mode === "publish";
    this.kind = isPublished ? "gateway" : route?.cors ?? config.cors;
    this.#rules = {
      origins,
      exposed: config.corsExposedHeaders ?? USUALLY_EXPOSED,
      maxAgeSeconds: Math.floor(config.corsMaxAge / 1000),
    };
  }

  /** Exact origins in lower case, `*`, `null`. */
  get origins(): readonly string[] {
    return this.#rules.origins;
  }

  /** True where a browser asks if it may ask. */
  get isPreflight(): boolean {
    return this.#method !== undefined;
  }

  /** The answer to a preflight. */
  toPreflightResponse(): Response {
    const headers = toPreflightHeaders(this.#request, this.#rules).map((entry) => [...entry]);
    return new Response(null, { status: 204, headers: headers as [string, string][] });
  }

  /**
   * Puts the headers on a response.
   *
   * @param response Whatever the request comes to; changed.
   */
  apply(response: Response, by: CorsKind): Response {
    const isWorkloads = by === "workload" && this.kind === "workload";
    // The headers of an upgrade are fixed, and no page reads them.
    if (!isWorkloads && response.status !== 101) {
      setCorsHeaders(response.headers, toCorsHeaders(this.#request, this.#rules));
    }
    return response;
  }
}

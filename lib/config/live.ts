/**
 * The configuration of a running gateway: what may change meanwhile, and what has to wait.
 *
 * @module
 */
import { listCaptured } from "../mapping/capture.ts";
import { listDifferences } from "./differences.ts";
import type { GatewayOptions } from "./options.ts";
import { configSchema, type GatewayConfig, parseConfig } from "./schema.ts";

type Option = keyof GatewayConfig & keyof GatewayOptions;

/** What is read anew for each request or connection. All else takes effect at the next start. */
const LIVE: ReadonlySet<Option> = new Set<Option>([
  ...["requestTimeout", "idleTimeout", "bodyTimeout", "sendTimeout"] as const,
  ...[
    "maxBodySize",
    "responseBuffer",
    "responseTotal",
    "replyTotal",
    "bareReplies",
    "publishOnly",
  ] as const,
  ...["wsSendTimeout", "wsSendLimit", "wsSendTotal", "wsReceiveBuffer", "wsReceiveTotal"] as const,
  ...["wsIdleTimeout", "resumeMaxWaiting"] as const,
  ...["hostFilters", "allowedOrigins", "trustedProxies", "proxyHeaders", "rate"] as const,
  ...["cors", "corsMaxAge", "corsExposedHeaders"] as const,
  ...["maxConnections", "maxConnectionsPerAddress", "maxInFlight"] as const,
  ...["maxUrlLength", "maxHeaderBytes", "maxHeaders"] as const,
  ...["auth", "authorizationKey", "jwt", "authorizeTimeout", "forwardCredentials"] as const,
  ...["adminKey", "adminTap"] as const,
  ...["session", "routes", "natsGrace", "drainTimeout", "drainDelay"] as const,
]);

/** What a new version of the configuration changed, by the options' names. */
export interface ConfigChange {
  /** In effect from now on. */
  readonly applied: readonly string[];
  /** In effect at the next start only. */
  readonly postponed: readonly string[];
}

/** Holds the one configuration that everybody reads. */
export class LiveConfig {
  #options: GatewayOptions;
  #current: GatewayConfig;

  /**
   * @param options What differs from the defaults.
   * @throws {ConfigError} when an option cannot be used.
   */
  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#current = parseConfig(options);
  }

  /** The configuration as it is now; whoever reads it later may read another one. */
  get current(): GatewayConfig {
    return this.#current;
  }

  /** The options that differ from their defaults, as they may be shown. */
  get differences(): Record<string, string | number | boolean> {
    return listDifferences(configSchema, this.#options);
  }

  /**
   * Takes a new version, whole or not at all.
   *
   * @param options What differs from the defaults, instead of what was said before.
   * @throws {ConfigError} when an option cannot be used, or not without one that has to wait; then nothing
   * has changed.
   */
  replace(options: GatewayOptions): ConfigChange {
    parseConfig(options);
    const changed = (Object.keys(configSchema.shape) as Option[])
      .filter((option) => !isSame(options[option], this.#options[option]));
    let applied = changed.filter((option) => LIVE.has(option));
    if (this.#keepsOther(parseConfig(this.#with(options, applied)))) {
      applied = applied.filter((option) => option !== "routes");
    }
    const wanted = this.#with(options, applied);
    // What stays the same stays the same object, since much is remembered for it.
    this.#current = { ...this.#current, ...pick(parseConfig(wanted), applied) };
    this.#options = wanted;
    return { applied, postponed: changed.filter((option) => !applied.includes(option)) };
  }

  #with(options: GatewayOptions, applied: readonly Option[]): GatewayOptions {
    return { ...this.#options, ...pick(options, applied) };
  }

  /** The stream is made for the subjects of the routes that there are at the start. */
  #keepsOther({ persist, prefix, routes }: GatewayConfig): boolean {
    if (persist === undefined) return false;
    return !isSame(listCaptured(routes, prefix), listCaptured(this.#current.routes, prefix));
  }
}

function pick<T extends object>(from: T, keys: readonly (keyof T)[]): Partial<T> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Partial<T>;
}

/** Of what was written, so plain data. */
function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

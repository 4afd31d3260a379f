/**
 * What has to be right before anything starts: options that can be used, files that can be read, a
 * certificate and its key, one way to log in. `config check` asks for the same.
 *
 * @module
 */
import { z } from "zod";
import { type Certificate, toCertificate } from "./config/certificate.ts";
import { findSecondReaders, tryFiles } from "./config/files.ts";
import { readKeys } from "./config/keys.ts";
import { ConfigError, type ConfigProblem } from "./config/options.ts";
import { natsLoginFields } from "./config/options/nats_login.ts";
import {
  configSchema,
  findProblems,
  type GatewayConfig,
  type ReverseConfig,
  reverseSchema,
} from "./config/schema.ts";
import { type Login, toLogin } from "./nats/client/login.ts";

/** What a gateway starts with. */
export interface Prepared<Config> {
  /** Complete; with the texts of the files that it names. */
  readonly config: Config;
  readonly login: Login;
}

/**
 * Prepares a gateway.
 *
 * @throws {ConfigError} with all that is wrong.
 */
export function prepareGateway(
  options: object,
): Prepared<GatewayConfig> & {
  readonly fileKeys: readonly string[];
  readonly certificate: Certificate | undefined;
} {
  const findings = new Findings<GatewayConfig>(configSchema, options);
  const { config } = findings;
  const fileKeys = findings.attempt(
    ["authorizationKeyFile"],
    () => readKeys(config.authorizationKeyFile),
  );
  const certificate = findings.attempt(
    ["tlsCert", "tlsKey"],
    () => toCertificate(config, ["tlsCert", "tlsKey"]),
  );
  const login = findings.attempt(LOGIN, () => toLogin(config));
  findings.end();
  return { config, login: login!, fileKeys: fileKeys!, certificate };
}

/**
 * Prepares a reverse daemon.
 *
 * @param options Which hosts, and where their requests go.
 * @throws {ConfigError} with all that is wrong.
 */
export function prepareReverse(
  options: object,
): Prepared<ReverseConfig> {
  const findings = new Findings<ReverseConfig>(reverseSchema, options);
  const login = findings.attempt(LOGIN, () => toLogin(findings.config));
  findings.end();
  return { config: findings.config, login: login! };
}

const LOGIN = Object.keys(natsLoginFields);

/** All that is wrong, as far as it can be found although something else is. */
class Findings<Config> {
  readonly #problems: ConfigProblem[];
  readonly #config: object;

  constructor(schema: z.ZodObject, options: object) {
    const written: Readonly<Record<string, unknown>> = { ...options };
    this.#problems = [
      ...findProblems(schema, written),
      ...findSecondReaders(schema, written),
    ];
    const usable = Object.entries(schema.shape).flatMap(([option, part]) => {
      const result = z.safeParse(part, written[option]);
      return result.success && !this.#isBroken(option) ? [[option, result.data]] : [];
    });
    const { config, problems } = tryFiles(schema, Object.fromEntries(usable));
    this.#config = config;
    this.#problems.push(...problems);
  }

  /** Complete where nothing is wrong; else without the options that cannot be used. */
  get config(): Config {
    return this.#config as Config;
  }

  /** Does what takes some options, unless one of them is known to be wrong. */
  attempt<T>(options: readonly string[], task: () => T): T | undefined {
    if (options.some((option) => this.#isBroken(option))) return undefined;
    let result: T | undefined;
    this.#problems.push(...ConfigError.collect([() => result = task()]));
    return result;
  }

  end(): void {
    ConfigError.throwIfAny(this.#problems);
  }

  #isBroken(option: string): boolean {
    return this.#problems.some(({ path }) => path[0] === option);
  }
}

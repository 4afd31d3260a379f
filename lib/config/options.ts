/**
 * What can be configured: the types that a program sees. Each group has a file in `options/`, which holds
 * an option's type and its check side by side.
 *
 * @module
 */
import type { AdminOptions } from "./options/admin.ts";
import type { AdmissionOptions } from "./options/admission.ts";
import type { AccessLogOptions } from "./options/access_log.ts";
import type { CorsOptions } from "./options/cors.ts";
import type { IdentityOptions } from "./options/identity.ts";
import type { ListenOptions } from "./options/listen.ts";
import type { LogOptions } from "./options/log.ts";
import type { CollectorOptions, TracingOptions } from "./options/tracing.ts";
import type { NatsOptions } from "./options/nats.ts";
import type { NatsLoginOptions } from "./options/nats_login.ts";
import type { RequestOptions } from "./options/requests.ts";
import type { PersistenceOptions } from "./options/persistence.ts";
import type { BackendOptions } from "./options/reverse.ts";
import type { RoutingOptions } from "./options/routing.ts";
import type { SocketOptions } from "./options/sockets.ts";

/**
 * What one may leave out or write as people do: everything is optional, durations and sizes may be
 * text (`"5s"`, `"2MiB"`), addresses are `"HOST:PORT"`.
 */
export interface GatewayOptions
  extends
    NatsOptions,
    ListenOptions,
    AdminOptions,
    RequestOptions,
    SocketOptions,
    AdmissionOptions,
    CorsOptions,
    IdentityOptions,
    RoutingOptions,
    PersistenceOptions,
    LogOptions,
    AccessLogOptions,
    TracingOptions {}

/** The reverse daemon's configuration. */
export interface ReverseOptions
  extends
    BackendOptions,
    NatsLoginOptions,
    Pick<NatsOptions, "prefix">,
    LogOptions,
    CollectorOptions {}

/** A configuration that cannot be read or used; the message says where and why, a line for each thing. */
export class ConfigFileError extends Error {
  /** Always `"ConfigFileError"`. */
  override readonly name = "ConfigFileError";
}

/** One value that cannot be used. */
export interface ConfigProblem {
  /**
   * Where the value is, e.g. `["routes", "0", "subject"]`; the first is the name of the option, as in
   * {@link GatewayOptions}.
   */
  readonly path: readonly string[];
  /** What is wrong and what would be right. */
  readonly reason: string;
  /** The name itself is wrong, whatever stands behind it. */
  readonly isUnknown?: boolean;
}

/** Values that cannot be used, named; the message has one line for each. */
export class ConfigError extends Error {
  /** Always `"ConfigError"`. */
  override readonly name = "ConfigError";
  /** All that is wrong, at least one. */
  readonly problems: readonly ConfigProblem[];

  /**
   * Names the option.
   *
   * @param path Where the first such value is.
   * @param reason What is wrong with it and what would be right.
   * @param problems All that is wrong, if there is more; the first one included.
   */
  constructor(
    readonly path: readonly string[],
    readonly reason: string,
    problems: readonly ConfigProblem[] = [{ path, reason }],
  ) {
    super(problems.map(renderProblem).join("\n"));
    this.problems = problems;
  }

  /**
   * Does several things that may each find something wrong, and tells of all of it together.
   *
   * @param tasks Each may throw a {@link ConfigError}.
   * @returns The problems of all of them.
   */
  static collect(tasks: readonly (() => void)[]): ConfigProblem[] {
    return tasks.flatMap((task) => {
      try {
        task();
        return [];
      } catch (error) {
        if (error instanceof ConfigError) return error.problems;
        throw error;
      }
    });
  }

  /**
   * Throws where something is wrong.
   *
   * @param problems Perhaps none.
   * @throws {ConfigError} with them, if there are any.
   */
  static throwIfAny(problems: readonly ConfigProblem[]): void {
    const [first] = problems;
    if (first !== undefined) throw new ConfigError(first.path, first.reason, problems);
  }
}

function renderProblem({ path, reason }: ConfigProblem): string {
  return path.length === 0
    ? `Cannot use the configuration: ${reason}`
    : `Cannot use ${path.join(".")}: ${reason}`;
}

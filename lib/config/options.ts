/**
 * What can be configured: the types that a program sees. Each group has a file in `options/`, which holds
 * an option's type and its check side by side.
 *
 * @module
 */
import type { AdmissionOptions } from "./options/admission.ts";
import type { IdentityOptions } from "./options/identity.ts";
import type { ListenOptions } from "./options/listen.ts";
import type { LogOptions } from "./options/log.ts";
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
    RequestOptions,
    SocketOptions,
    AdmissionOptions,
    IdentityOptions,
    RoutingOptions,
    PersistenceOptions,
    LogOptions {}

/** The reverse daemon's configuration. */
export interface ReverseOptions
  extends BackendOptions, NatsLoginOptions, Pick<NatsOptions, "prefix">, LogOptions {}

/** A configuration that cannot be read or used; the message is one line that says where and why. */
export class ConfigFileError extends Error {
  /** Always `"ConfigFileError"`. */
  override readonly name = "ConfigFileError";
}

/** A value that cannot be used, named. */
export class ConfigError extends Error {
  /** Always `"ConfigError"`. */
  override readonly name = "ConfigError";

  /**
   * Names the option.
   *
   * @param path Where the value is, e.g. `["routes", "0", "subject"]`; the first is the name of the
   * option, as in {@link GatewayOptions}.
   * @param reason What is wrong and what would be right.
   */
  constructor(readonly path: readonly string[], readonly reason: string) {
    super(`Cannot use ${path.join(".")}: ${reason}`);
  }
}

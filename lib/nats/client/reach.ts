/**
 * What keeps a process from NATS, in words: a server that is not there is another matter than a wrong
 * password.
 *
 * @module
 */
import { splitNatsUrl } from "../../mapping/nats_url.ts";
import type { NatsConnection } from "@nats-io/nats-core";
import type { Log, LogFields } from "../../telemetry/log.ts";
import { toRefusal } from "./dial.ts";

const UNREACHABLE = "cannot reach NATS; start one with `nats-server`, or name it with --nats-url";
const REFUSED = "NATS refuses the login";

/** Which server it is, for the log. */
export function toServer(connection: NatsConnection | undefined): LogFields {
  const info = connection?.info;
  return {
    server: connection?.getServer(),
    name: info?.server_name,
    cluster: info?.cluster,
    version: info?.version,
  };
}

/** Tells each reason once, until NATS is there. */
export class Reach {
  readonly #log: Log;
  readonly #servers: string;
  #told: string | undefined;

  /** @param urls Where NATS should be; what they say of a login is not told. */
  constructor(log: Log, urls: readonly string[]) {
    this.#log = log;
    this.#servers = urls.map((url) => splitNatsUrl(url).address).join(",");
  }

  /** Why NATS will not be there by itself; undefined where it may. */
  get trouble(): string | undefined {
    return this.#told === REFUSED ? REFUSED : undefined;
  }

  /** An attempt to connect failed. */
  failed(error: Error, attempt: number): void {
    const message = toRefusal(error) === undefined ? UNREACHABLE : REFUSED;
    this.#tell(message, { attempt, error: error.message });
  }

  /**
   * Something went wrong later.
   *
   * @returns True when it is about the login: then it has been told.
   */
  note(error: Error): boolean {
    if (toRefusal(error) === undefined) return false;
    this.#tell(REFUSED, { error: error.message });
    return true;
  }

  /** NATS is there. */
  connected(): void {
    this.#told = undefined;
  }

  #tell(message: string, fields: Record<string, string | number>): void {
    const all = { servers: this.#servers, ...fields };
    if (message === this.#told) return this.#log.debug(message, all);
    this.#told = message;
    if (message === REFUSED) this.#log.error(message, all);
    else this.#log.warn(message, all);
  }
}

/**
 * What can be configured, as types.
 *
 * @module
 */
import type { ControlSubjects } from "../mapping/control.ts";
import type { RouteOptions } from "../mapping/route.ts";
import type { LogFormat, LogLevel } from "../telemetry/log.ts";
import type { Address } from "./units.ts";

/** The gateway's configuration, complete. Durations are milliseconds, sizes bytes. */
export interface GatewayConfig {
  /** NATS servers to connect to. */
  readonly natsUrl: readonly string[];
  /** Where HTTP and WebSocket clients come in. */
  readonly listen: Address;
  /** The first tokens of every subject. */
  readonly prefix: string;
  /** How long a reply, or the next message of a streamed one, may take. */
  readonly requestTimeout: number;
  /** The largest request body and the largest WebSocket message. */
  readonly maxBodySize: number;
  /** How many bytes of a streamed response may wait for a slow client. */
  readonly responseBuffer: number;
  /** How many bytes may wait for a slow WebSocket client. */
  readonly wsSendBuffer: number;
  /** How many bytes of a WebSocket client's messages may wait for NATS to come back. */
  readonly wsReceiveBuffer: number;
  /** How often an idle WebSocket is pinged, to find those that vanished; 0 for never. */
  readonly wsIdleTimeout: number;
  /** On which subjects it is told who connected and who left. */
  readonly controlSubjects: ControlSubjects;
  /** Answer 200 as soon as a request is published; no replies. */
  readonly publishOnly: boolean;
  /** How long WebSockets stay open while NATS is away. */
  readonly natsGrace: number;
  /** How long requests in flight may take to end after a signal to stop. */
  readonly drainTimeout: number;
  /** Where health and metrics are served; undefined for nowhere. */
  readonly admin?: Address | undefined;
  /** Hosts that are served, exact or `*.example.com`; empty for all. */
  readonly hostFilters: readonly string[];
  /** Let only requests pass for which a workload has registered. */
  readonly trackInterest: boolean;
  /** The cookie that tells clients apart; undefined for none. */
  readonly session?: SessionConfig | undefined;
  /** Requests that leave the convention; the first match wins. */
  readonly routes: readonly RouteOptions[];
  /** How a log line looks. */
  readonly logFormat: LogFormat;
  /** The least that is logged. */
  readonly logLevel: LogLevel;
}

/** How sessions are kept. */
export interface SessionConfig {
  /** The cookie's name. */
  readonly cookie: string;
  /** How long it lives, in milliseconds. */
  readonly maxAge: number;
}

/** What one may say of sessions; `{}` turns them on. */
export interface SessionOptions {
  /**
   * The cookie's name.
   *
   * @default "clientId"
   */
  readonly cookie?: string;
  /**
   * How long it lives.
   *
   * @default "720h"
   */
  readonly maxAge?: string | number;
}

/**
 * What one may leave out or write as people do: everything is optional, durations and sizes may be
 * text (`"5s"`, `"2MiB"`), addresses are `"HOST:PORT"`.
 */
export interface GatewayOptions {
  /**
   * NATS servers to connect to.
   *
   * @default ["nats://127.0.0.1:4222"]
   */
  readonly natsUrl?: readonly string[];
  /**
   * Where clients come in, as `"HOST:PORT"`; port 0 for a free one.
   *
   * @default "0.0.0.0:8080"
   */
  readonly listen?: string;
  /**
   * The first tokens of every subject.
   *
   * @default "h8s"
   */
  readonly prefix?: string;
  /**
   * How long a reply, or the next message of a streamed one, may take.
   *
   * @default "30s"
   */
  readonly requestTimeout?: string | number;
  /**
   * The largest request body and the largest WebSocket message.
   *
   * @default "2MiB"
   */
  readonly maxBodySize?: string | number;
  /**
   * What of a streamed response may wait for a slow client.
   *
   * @default "8MiB"
   */
  readonly responseBuffer?: string | number;
  /**
   * What may wait for a slow WebSocket client.
   *
   * @default "1MiB"
   */
  readonly wsSendBuffer?: string | number;
  /**
   * What of a WebSocket client's messages may wait for NATS to come back.
   *
   * @default "1MiB"
   */
  readonly wsReceiveBuffer?: string | number;
  /**
   * How often an idle WebSocket is pinged; 0 for never.
   *
   * @default "30s"
   */
  readonly wsIdleTimeout?: string | number;
  /**
   * On which subjects it is told who connected and who left.
   *
   * @default "both"
   */
  readonly controlSubjects?: ControlSubjects;
  /**
   * Answer 200 as soon as a request is published; no replies.
   *
   * @default false
   */
  readonly publishOnly?: boolean;
  /**
   * How long WebSockets stay open while NATS is away.
   *
   * @default "15s"
   */
  readonly natsGrace?: string | number;
  /**
   * How long requests in flight may take to end when stopping.
   *
   * @default "10s"
   */
  readonly drainTimeout?: string | number;
  /**
   * Where health and metrics are served, as `"HOST:PORT"`.
   *
   * @default undefined: nowhere
   */
  readonly admin?: string | undefined;
  /**
   * Hosts that are served, exact or `*.example.com`.
   *
   * @default []: all
   */
  readonly hostFilters?: readonly string[];
  /**
   * Let only requests pass for which a workload has registered.
   *
   * @default false
   */
  readonly trackInterest?: boolean;
  /**
   * Tells clients apart by a cookie.
   *
   * @default undefined: no sessions
   */
  readonly session?: SessionOptions | undefined;
  /**
   * Requests that leave the convention; the first match wins.
   *
   * @default []
   */
  readonly routes?: readonly RouteOptions[];
  /**
   * How a log line looks.
   *
   * @default "text"
   */
  readonly logFormat?: LogFormat;
  /**
   * The least that is logged.
   *
   * @default "info"
   */
  readonly logLevel?: LogLevel;
}

/** The reverse daemon's configuration. */
export interface ReverseOptions
  extends Pick<GatewayOptions, "natsUrl" | "prefix" | "logFormat" | "logLevel"> {
  /** The public hosts whose requests go to the backend. */
  readonly hostname: readonly string[];
  /** The local server, e.g. `"http://localhost:3000"`. */
  readonly backendUrl: string;
  /**
   * Replicas of one name share the work.
   *
   * @default "h8s-reverse"
   */
  readonly queueGroup?: string;
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

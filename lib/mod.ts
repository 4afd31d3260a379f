/**
 * The gateway as a library: HTTP and WebSocket clients in, NATS messages out.
 *
 * @example
 * ```ts ignore
 * import { startGateway } from "@h8s/gateway";
 *
 * await using gateway = startGateway({ natsUrl: ["nats://127.0.0.1:4222"] });
 * await gateway.connected;
 * console.log(`listening on port ${gateway.address.port}`);
 * ```
 *
 * @module
 */
export { Gateway, ListenError, startGateway } from "./gateway.ts";
export { StreamError } from "./nats/jetstream/stream.ts";
export type { ConfigChange } from "./config/live.ts";
export { ConfigError, type ConfigProblem, type GatewayOptions } from "./config/options.ts";
export type { AdminOptions } from "./config/options/admin.ts";
export type { AdmissionOptions } from "./config/options/admission.ts";
export type { AccessLogOptions } from "./config/options/access_log.ts";
export type { CorsOptions } from "./config/options/cors.ts";
export type { IdentityOptions, JwtAlgorithm, JwtOptions } from "./config/options/identity.ts";
export type { ListenOptions } from "./config/options/listen.ts";
export type { LogOptions } from "./config/options/log.ts";
export type { CollectorOptions, TracingOptions } from "./config/options/tracing.ts";
export type { NatsOptions } from "./config/options/nats.ts";
export type { NatsLoginOptions } from "./config/options/nats_login.ts";
export type { PersistenceOptions, StorageKind } from "./config/options/persistence.ts";
export type { RequestOptions } from "./config/options/requests.ts";
export type { RoutingOptions, SessionOptions } from "./config/options/routing.ts";
export type { SocketOptions } from "./config/options/sockets.ts";
export type { Address } from "./config/units.ts";
export type { ControlSubjects } from "./mapping/control.ts";
export type { CorsKind } from "./mapping/cors.ts";
export type { RequestKind } from "./mapping/headers.ts";
export type { Auth, RouteOptions } from "./mapping/route.ts";
export type { LogFormat, LogLevel } from "./telemetry/log.ts";

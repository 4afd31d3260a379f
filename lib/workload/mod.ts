/**
 * What a workload imports: `serve` puts any fetch handler, and WebSockets, behind NATS; `createRegistry`
 * knows who is connected; `Router` routes messages by their subject.
 *
 * @example
 * ```ts ignore
 * import { connect, serve } from "@h8s/gateway/workload";
 *
 * const nc = await connect({ servers: "nats://127.0.0.1:4222" });
 * await using service = serve(nc, { host: "example.com" }, () => new Response("hello"));
 * await service.finished;
 * ```
 *
 * @module
 */
export { connect, type ConnectOptions } from "./connect.ts";
export { serve, type Service } from "./serve.ts";
export type { ServeErrorHook, ServeOptions, ServeStage } from "./serve_options.ts";
export type { RequestBody, ServeHandler, ServeInfo } from "./http/handler.ts";
export type { SocketConnection, SocketHandlers } from "./socket/socket_handlers.ts";
export { ConnectionClosedError } from "./send_windows.ts";
export { createRegistry, type OpenRegistry, type RegistryOptions } from "./registry/registry.ts";
export type { Registry } from "./registry/connection_tracker.ts";
export type { KnownConnection } from "../mapping/socket_message.ts";
export type { ListedConnection } from "../mapping/listing.ts";
export type { Clock } from "../time/clock.ts";
export { LinkLostError, type NatsClient } from "./link.ts";
export * from "../router/mod.ts";

/**
 * A nats-server with a workload on one connection and a played gateway on another.
 *
 * @module
 */
import assert from "node:assert/strict";
import { connect } from "@nats-io/transport";
import { createInbox, type Msg, type NatsConnection } from "@nats-io/nats-core";
import type { ServeStage } from "../../lib/workload/mod.ts";
import { type NatsServer, startNats } from "../harness/nats_server.ts";
import { listen, natsHeaders } from "../harness/setup.ts";
import { Events } from "../harness/waiting.ts";

/** Where a request has the host that it is for. */
const HOST = "X-H8s-Original-Host";

/** What went wrong in a workload, in order. */
export interface Failures {
  readonly all: { readonly error: unknown; readonly stage: ServeStage }[];
  readonly onError: (error: unknown, stage: ServeStage) => void;
  /** Waits for the next one. */
  next(): Promise<{ readonly error: unknown; readonly stage: ServeStage }>;
}

/**
 * Collects what an `onError` is told.
 *
 * @returns The hook, and what it was told.
 */
export function collectFailures(): Failures {
  const events = new Events<{ error: unknown; stage: ServeStage }>("a failure");
  return {
    all: events.all,
    onError: (error, stage) => events.add({ error, stage }),
    next: () => events.next(),
  };
}

/** Two connections to one server. */
export interface Pair extends AsyncDisposable {
  readonly nats: NatsServer;
  /** The workload's. */
  readonly nc: NatsConnection;
  /** The played gateway's. */
  readonly edge: NatsConnection;
}

/**
 * Starts a server and connects twice.
 *
 * @param config For nats-server.
 * @returns Both connections.
 */
export async function openPair(config?: string): Promise<Pair> {
  await using stack = new AsyncDisposableStack();
  const options = config === undefined ? {} : { config };
  const nats = stack.use(await startNats({ jetstream: false, ...options }));
  const address = { servers: nats.url, reconnectTimeWait: 20 };
  const nc = stack.adopt(await connect(address), (nc) => nc.close());
  const edge = stack.adopt(await connect(address), (nc) => nc.close());
  const all = stack.move();
  return { nats, nc, edge, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** A request as a gateway would publish it. */
export interface PlayedRequest {
  readonly subject: string;
  readonly headers?: [name: string, value: string][];
  readonly body?: string | Uint8Array;
}

/** A request that waits for its reply. */
export interface PlayedExchange {
  /** Waits for the next message of the reply. */
  next(): Promise<Msg>;
  /** All messages of the reply so far. */
  readonly all: readonly Msg[];
}

/**
 * Publishes a request, with `X-H8s-Original-Host: example.com` unless told otherwise.
 *
 * @param edge The played gateway.
 * @param request What to publish.
 * @returns The reply's messages.
 */
export async function ask(edge: NatsConnection, request: PlayedRequest): Promise<PlayedExchange> {
  const { subject, headers = [], body = "" } = request;
  const inbox = createInbox("_INBOX.h8s.G1");
  const replies = await listen(edge, inbox);
  const hasHost = headers.some(([name]) => name === HOST);
  const lines: [string, string][] = hasHost ? headers : [[HOST, "example.com"], ...headers];
  edge.publish(subject, body, { reply: inbox, headers: natsHeaders(...lines) });
  return replies;
}

/**
 * Waits until the server has handled everything that both have sent, so that what has not arrived by
 * then never will.
 */
export async function settle(...connections: readonly NatsConnection[]): Promise<void> {
  for (let round = 0; round < 2; round++) {
    for (const connection of connections) await connection.flush();
  }
}

/** Checks that a reply is a problem, and that it tells nothing of the error. */
export function assertProblem(message: Msg, status: number): void {
  assert.equal(message.headers?.get("Status-Code"), String(status));
  assert.equal(message.headers?.get("Content-Type"), "application/problem+json");
  const problem = message.json<{ status: number; type: string; detail: string }>();
  assert.equal(problem.status, status);
  assert.match(problem.type, /^urn:h8s:error:/);
}

/**
 * Waits for something to happen to a connection.
 *
 * @param nc The connection.
 * @param type What, e.g. `"disconnect"`.
 */
export async function happened(nc: NatsConnection, type: string): Promise<void> {
  for await (const status of nc.status()) if (status.type === type) return;
}

/**
 * What every part of the edge works with.
 *
 * @module
 */
import type { GatewayConfig } from "../config/schema.ts";
import type { Bus } from "../nats/bus.ts";
import type { ControlLine } from "../nats/client/control_line.ts";
import type { EventStream } from "../nats/jetstream/event_stream.ts";
import type { Fanout } from "../nats/fanout.ts";
import type { Interests } from "../nats/interest.ts";
import type { IdempotencyKeys } from "../nats/jetstream/idempotency_keys.ts";
import type { Inbox } from "../nats/inbox.ts";
import type { Outbox } from "../nats/outbox.ts";
import type { Persist } from "../nats/jetstream/persist.ts";
import type { RecordStore } from "../nats/jetstream/records.ts";
import type { ResumeStore } from "../nats/jetstream/resume_stream.ts";
import type { Clock } from "../time/clock.ts";
import type { OnFault } from "../telemetry/faults.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Observers } from "../telemetry/observation.ts";
import type { Bursts } from "./limits/bursts.ts";
import type { Deadlines } from "./limits/deadlines.ts";
import type { ReceiveBudget } from "./limits/receive_budget.ts";
import type { RequestIds } from "./request_ids.ts";
import type { Windows } from "./limits/windows.ts";
import type { Strays } from "./strays.ts";
import type { SendBudget } from "./limits/send_budget.ts";

/** Made once by the gateway, shared by all requests and connections. */
export interface EdgeParts {
  /** As it is now: asked for where it is needed, since it may change. */
  readonly config: () => GatewayConfig;
  /** Keys that let in, besides those of the configuration. */
  readonly fileKeys: readonly string[];
  /** One token that no other gateway has. */
  readonly gatewayId: string;
  readonly bus: Bus;
  /** Tells what its callbacks throw to {@link EdgeParts.onFault}. */
  readonly clock: Clock;
  /** How long a subject may be, with what stands beside it. */
  readonly controlLine: Pick<ControlLine, "fits">;
  readonly inbox: Inbox;
  readonly fanout: Fanout;
  /** Who registered. */
  readonly interests: Interests;
  readonly outbox: Outbox;
  /** Where events are kept besides; undefined for nowhere. */
  readonly events: EventStream | undefined;
  /** Where connections are kept beyond the life of this gateway; undefined for nowhere. */
  readonly records: RecordStore | undefined;
  /** What waits for clients that may come back; undefined where none may. */
  readonly resume: ResumeStore | undefined;
  /** The way into the stream; undefined where nothing is persisted. */
  readonly persist: Persist | undefined;
  /** Which request a client's key was used for; undefined where nothing is persisted. */
  readonly keys: Pick<IdempotencyKeys, "use"> | undefined;
  /** What WebSocket clients said and NATS has not taken. */
  readonly budget: ReceiveBudget;
  readonly windows: Windows;
  /** What has been asked of workloads. */
  readonly bursts: Bursts;
  /** What waits for HTTP clients. */
  readonly sending: SendBudget;
  /** What waits for WebSocket clients, besides what the platform has. */
  readonly sendingToSockets: SendBudget;
  /** For what may last only so long. */
  readonly deadlines: Deadlines;
  readonly ids: RequestIds;
  readonly strays: Strays;
  /** Takes what goes wrong and nobody waits for. */
  readonly onFault: OnFault;
  readonly metrics: Metrics;
  /** Who wants to know what happens to requests and WebSockets. */
  readonly observers: Observers;
  readonly log: Log;
}

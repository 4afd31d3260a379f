/**
 * What all faults have in common.
 *
 * @module
 */
import { until } from "../harness/waiting.ts";
import type { World } from "./world.ts";

/** Something that goes wrong, and is mended again. */
export interface Fault {
  readonly name: string;
  /** How long what the fault broke may take to be told; another fault meanwhile would be two at once. */
  readonly aftermathMs?: number;
  /** How long nothing else goes wrong after it, in milliseconds. @default 0 */
  readonly quietMs?: number;
  /** The workload is not there for a while, and does not hear what is told. */
  readonly killsWorkload?: true;
  /** Sockets that stay open may miss what was under way: NATS alone promises no more. */
  readonly losesMessages?: true;
  /** What was under way to or from NATS is lost, and told again where that can be. */
  readonly breaksNats?: true;
  /** What JetStream had not acknowledged is published again: who listens live may hear it twice. */
  readonly repeatsPersisted?: true;
  /** What was under way may come after what was sent later, over another connection. */
  readonly delaysMessages?: true;
  /** What of the others' must not suffer at all: their requests, or their sockets. */
  readonly spares?: readonly ("requests" | "sockets")[];
  /** Lets it happen; resolves when all processes run again and are connected. */
  happen(world: World): Promise<void>;
}

/** Nobody but those who did it may notice. */
export const SPARES_OTHERS = ["requests", "sockets"] as const;

/** A server that hung is noticed within 6 s, and is tried again every few seconds. */
const RECONNECT_MS = 15_000;

/** A gateway may notice a loss only when it is over: so what counts is that it came back. */
export async function untilReconnected(world: World, before: readonly number[]): Promise<void> {
  for (const [index, gateway] of world.gateways.entries()) {
    const isBack = async () =>
      await reconnects(gateway) > before[index]! &&
      await gateway.metric("h8s_nats_connected") === 1;
    await until(isBack, `gateway ${index} reconnects`, RECONNECT_MS);
  }
}

/** How often each gateway has lost NATS and come back. */
export function reconnectsOf({ gateways }: World): Promise<number[]> {
  return Promise.all(gateways.map(reconnects));
}

function reconnects(gateway: World["gateways"][number]): Promise<number> {
  return gateway.metric("h8s_nats_reconnects_total");
}

/** The sum of one value of the metrics over all gateways. */
export async function sumOf({ gateways }: World, series: string): Promise<number> {
  const values = await Promise.all(gateways.map((gateway) => gateway.metric(series)));
  return values.reduce((sum, value) => sum + value);
}

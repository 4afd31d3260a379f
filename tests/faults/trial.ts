/**
 * Load, faults, and what came of it.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";
import { AckLoad } from "./ack_load.ts";
import type { Fault } from "./fault.ts";
import {
  FDS_BOUND,
  type Figure,
  type Harm,
  idleSnapshotOf,
  judgeErrors,
  judgeEvents,
  judgeHarm,
  judgeHttp,
  judgeKept,
  judgeMessages,
  judgeResources,
  type Snapshot,
  snapshotOf,
  toMemoryBound,
} from "./figures.ts";
import { HttpLoad } from "./http_load.ts";
import type { ProcessStats } from "./process_stats.ts";
import { SocketLoad } from "./socket_load.ts";
import type { World } from "./world.ts";

const HTTP_CLIENTS = 9;
const ACK_CLIENTS = 6;
const SOCKETS = { staying: 16, visiting: 8 };
/** Until caches are warm and every kind of request has been made many times. */
const WARM_UP_MS = 2500;
/** The longest that a fault may take, with what is waited for after it. */
const FAULT_MS = 90_000;
/** More than `--request-timeout`. */
const LINGER_MS = 5000;
/** How long the load goes on after a fault: what it left behind would show. */
const AFTERMATH_MS = 2500;
/** How long the peak of what was held meanwhile may take to be collected, under the same load. */
const CALM_MS = 20_000;
/** How long connections may take to be closed by the system after the load has ended; lost ones are told after 5 s. */
const SETTLE_MS = 8000;

/**
 * Puts a world under load, lets things go wrong one after the other, and counts.
 *
 * @param world All of it runs, and nothing has happened yet.
 * @param faults What goes wrong, taken one by one.
 * @param options `warmUpFaults`: after how many of them memory should grow no more; by default after none.
 * @returns The figures.
 */
export async function tryOut(
  world: World,
  faults: Iterable<Fault>,
  { warmUpFaults = 0 }: { warmUpFaults?: number } = {},
): Promise<Figure[]> {
  const idleBefore = await idleSnapshotOf(world);
  await using load = new Load(world);
  await pause(WARM_UP_MS);
  let loadedBefore = await snapshotOf(world);
  const happened: Fault[] = [];
  const harm: Harm[] = [];
  for (const fault of faults) {
    const last = happened.at(-1);
    // What the last one broke may still wait for its timeout.
    if (fault.spares !== undefined && last !== undefined && last.spares === undefined) {
      await pause(LINGER_MS);
    }
    const before = load.losses;
    const begin = Date.now();
    await inTime(fault, world);
    const end = Date.now();
    await pause(fault.quietMs ?? 0);
    harm.push({ fault, begin, end, before, after: load.losses });
    happened.push(fault);
    if (happened.length <= warmUpFaults) {
      loadedBefore = toHighest(loadedBefore, await snapshotOf(world));
    }
  }
  await pause(AFTERMATH_MS);
  const loadedAfter = await untilCalm(world, loadedBefore, toMemoryBound(happened));
  await load.stop();
  const events = await judgeEvents(world, harm);
  const idleAfter = await untilIdle(world, idleBefore);
  return [
    ...(load.acks === undefined ? [] : [await judgeKept(world, load.acks)]),
    judgeHttp(load.http),
    judgeHarm(harm),
    judgeMessages(world, load.sockets, happened),
    events,
    judgeResources(
      { idle: [idleBefore, idleAfter], loaded: [loadedBefore, loadedAfter] },
      happened,
    ),
    judgeErrors(world),
  ];
}

/** The most of both, by process. */
function toHighest(before: Snapshot, now: Snapshot): Snapshot {
  const entries = Object.entries(now).map(([name, stats]) => {
    const rssMiB = Math.max(stats.rssMiB, before[name]?.rssMiB ?? 0);
    return [name, { ...stats, rssMiB }] as const;
  });
  return { ...before, ...Object.fromEntries(entries) };
}

/** One that hangs is told by its name. */
async function inTime(fault: Fault, world: World): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`It never ended: ${fault.name}`)), FAULT_MS);
  try {
    await Promise.race([fault.happen(world), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** HTTP and WebSockets at once. */
class Load implements AsyncDisposable {
  readonly http: HttpLoad;
  readonly sockets: SocketLoad;
  readonly acks: AckLoad | undefined;

  constructor(world: World) {
    this.http = new HttpLoad((client) => `http://${world.addressFor(client)}`, HTTP_CLIENTS);
    this.sockets = new SocketLoad((client) => `ws://${world.addressFor(client)}`, SOCKETS);
    this.acks = world.isPersisted
      ? new AckLoad((client) => `ws://${world.addressFor(client)}`, ACK_CLIENTS)
      : undefined;
  }

  /** How much has gone wrong so far, for those who did nothing. */
  get losses(): Harm["before"] {
    const { refused, broken, hung } = this.http.verdicts;
    const { lost, skipped, unheard } = this.sockets.counts;
    return { requests: refused + broken + hung, sockets: lost + skipped + unheard };
  }

  async stop(): Promise<void> {
    await Promise.all([this.http.stop(), this.sockets.stop(), this.acks?.stop()]);
  }

  /** Where a fault fails, the tests that come after it are to have nothing of its load. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** A leak stays, a peak goes. */
function untilCalm(world: World, before: Snapshot, boundMiB: number): Promise<Snapshot> {
  const isCalm = (was: ProcessStats, now: ProcessStats) => now.rssMiB - was.rssMiB <= boundMiB;
  return until(isCalm, { world, before, timeoutMs: CALM_MS });
}

function untilIdle(world: World, before: Snapshot): Promise<Snapshot> {
  return until((was, now) => now.fds <= was.fds + FDS_BOUND, {
    world,
    before,
    timeoutMs: SETTLE_MS,
    look: idleSnapshotOf,
  });
}

/** Looks until all processes are as they should be, or it has taken too long. */
async function until(
  isRight: (was: ProcessStats, now: ProcessStats) => boolean,
  { world, before, timeoutMs, look = snapshotOf }: {
    world: World;
    before: Snapshot;
    timeoutMs: number;
    look?: (world: World) => Promise<Snapshot>;
  },
): Promise<Snapshot> {
  const latest = performance.now() + timeoutMs;
  for (;;) {
    const after = await look(world);
    const areRight = Object.entries(after).every(([name, now]) => {
      const was = before[name];
      return was === undefined || isRight(was, now);
    });
    if (areRight || performance.now() > latest) return after;
    await pause(100);
  }
}

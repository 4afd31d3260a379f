/**
 * The figures: what must hold after every fault.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";
import type { AckLoad } from "./ack_load.ts";
import { readEvents } from "./events.ts";
import type { Fault } from "./fault.ts";
import type { HttpLoad } from "./http_load.ts";
import { countKept } from "./kept.ts";
import { type ProcessStats, statsOf } from "./process_stats.ts";
import type { SocketLoad } from "./socket_load.ts";
import type { World } from "./world.ts";

/**
 * How much more memory a process may hold under the same load. V8 gives memory back when it feels like
 * it (a workload held 110 MiB more, 20 s after ten seconds without NATS on a busy machine), and a new
 * connection to NATS brings new buffers; a leak of a request's or a socket's state at these rates is
 * less than this in one test, which is why the soak measures the slope.
 */
const ONE_FAULT_BOUND_MIB = 128;
/** Many faults bring many peaks; V8 keeps the heap that the highest one took. */
const MANY_FAULTS_BOUND_MIB = 160;
/** Sockets that the system has not closed yet, and files that nats-server opens and closes. */
export const FDS_BOUND = 4;
/**
 * What was heard just before the workload was killed was not said yet; and the gateways are back, with what
 * they tell again, before the workload is.
 */
const DEAF_MARGIN_MS = 1500;
/** A silent gateway is given up after 15 s. */
const ENDS_TOLD_MS = 20_000;

/** Processes with what they hold, by name. */
export type Snapshot = Readonly<Record<string, ProcessStats>>;

/** Looks at all processes of a world. */
export async function snapshotOf(world: World): Promise<Snapshot> {
  const entries = Object.entries(world.processes).map(
    async ([name, pid]) => [name, await statsOf(pid)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

/**
 * As {@link snapshotOf}, without the descriptors that the runtime has lost: it never lets go of a handshake
 * whose client has gone at the very moment of its 101, and the gateway counts these.
 */
export async function idleSnapshotOf(world: World): Promise<Snapshot> {
  const lost = await Promise.all(
    world.gateways.map(async (gateway, index) =>
      [
        `gateway ${index}`,
        await gateway.metric("h8s_websocket_handshakes_lost_total").catch(() => 0),
      ] as const
    ),
  );
  const snapshot = { ...await snapshotOf(world) };
  for (const [name, count] of lost) {
    const stats = snapshot[name];
    if (stats !== undefined) snapshot[name] = { ...stats, fds: stats.fds - count, lost: count };
  }
  return snapshot;
}

/** A figure: what was counted, and what of it is wrong. */
export interface Figure {
  readonly text: string;
  readonly wrong: readonly string[];
}

/** Figure 1: every persisted message that was acknowledged is in the stream exactly once. */
export async function judgeKept(world: World, load: AckLoad): Promise<Figure> {
  const kept = await countKept(world.nc);
  const { acknowledged, waiting, handshakes } = load;
  const wrong: string[] = [];
  for (const payload of acknowledged) {
    const count = kept.get(payload) ?? 0;
    if (count !== 1) wrong.push(`acknowledged, and ${count} times in the stream: ${payload}`);
  }
  if (waiting > 0) wrong.push(`${waiting} messages were never acknowledged`);
  const text =
    `kept: ${acknowledged.length - wrong.length} of ${acknowledged.length} acknowledged ` +
    `messages exactly once, ${waiting} left waiting; ${handshakes} handshakes`;
  return { text, wrong };
}

/** Figure 2: every HTTP client got the right whole body, or an error that it can see. */
export function judgeHttp({ verdicts, complaints }: HttpLoad): Figure {
  const text = Object.entries(verdicts).map(([verdict, count]) => `${count} ${verdict}`).join(", ");
  return { text: `HTTP: ${text}`, wrong: complaints };
}

/** Sockets' messages: none twice, none after a later one, none lost without need; no request twice. */
export function judgeMessages(
  world: World,
  { counts, codes }: SocketLoad,
  faults: readonly Fault[],
): Figure {
  const wrong: string[] = [];
  const mayRepeat = world.isPersisted &&
    (faults.some(({ repeatsPersisted }) => repeatsPersisted) || saysThatItRepeats(world));
  if (counts.doubled > 0 && !mayRepeat) wrong.push(`${counts.doubled} echoes came twice`);
  for (const report of world.reports) {
    if (report.type === "repeated") wrong.push(JSON.stringify(report));
  }
  const disordered = counts.disordered +
    world.reports.filter(({ type }) => type === "disordered").length;
  if (disordered > 0 && !mayRepeat && !faults.some(({ delaysMessages }) => delaysMessages)) {
    wrong.push(`${disordered} messages came after a later one`);
  }
  const missing = counts.skipped + counts.unheard;
  if (missing > 0 && !faults.some(({ losesMessages }) => losesMessages)) {
    wrong.push(`${missing} messages never came`);
  }
  const ends = [...codes].map(([code, count]) => `${count} with ${code}`).join(", ");
  const text =
    `messages: ${counts.sent} sent, ${counts.echoed} echoed, ${counts.doubled} doubled, ` +
    `${missing} missing, ${disordered} late; ` +
    `${counts.opened} sockets, ${counts.lost} ended by others` + (ends === "" ? "" : ` (${ends})`);
  return { text, wrong };
}

/** A busy server may be late by itself; then the gateway says so. */
function saysThatItRepeats({ allGateways }: World): boolean {
  return allGateways.some(({ lines }) =>
    lines.some(({ message }) => message === "JetStream is late, and a message is published again")
  );
}

/**
 * Figure 3: every connection came once and went once, in the stream of events. What was told live may be
 * lost, or come again, where NATS was; else that is once as well.
 */
export async function judgeEvents(world: World, harm: readonly Harm[]): Promise<Figure> {
  const faults = harm.map(({ fault }) => fault);
  const latest = performance.now() + ENDS_TOLD_MS;
  const read = () => readEvents(world.nc, world.reports);
  let histories = await read();
  while (
    [...histories.values()].some(({ closed }) => closed.kept === 0) && performance.now() < latest
  ) {
    await pause(250);
    histories = await read();
  }
  const isNatsBroken = faults.some(({ breaksNats }) => breaksNats);
  const isDeaf = toDeafness(harm);
  const wrong: string[] = [];
  const counts = {
    kept: { lost: 0, doubled: 0 },
    live: { lost: 0, doubled: 0 },
    unheard: 0,
    missed: 0,
  };
  for (const [id, history] of histories) {
    for (const kind of ["established", "closed"] as const) {
      const { kept, live, heard, at } = history[kind];
      for (const [stage, count] of [["kept", kept], ["live", live]] as const) {
        if (count === 0) counts[stage].lost++;
        if (count > 1) counts[stage].doubled++;
        if (count !== 1 && (stage === "kept" || !isNatsBroken)) {
          wrong.push(`connection ${id}: ${kind} is ${stage} ${count} times`);
        }
      }
      if (heard === 0) counts.unheard++;
      if (heard === 0 && !isDeaf(at)) {
        counts.missed++;
        wrong.push(`connection ${id}: ${kind} was not heard by a workload that was there`);
      }
      if (heard > 1 && !isNatsBroken) {
        wrong.push(`connection ${id}: ${kind} was heard ${heard} times`);
      }
    }
  }
  const { kept, live, unheard, missed } = counts;
  const text = `events of ${histories.size} connections: ${kept.lost} never left their gateway, ` +
    `${kept.doubled} kept twice; live: ${live.lost} did not reach NATS, ${live.doubled} came again; ` +
    `${unheard} not heard by the workload, ${missed} of them while it was there`;
  return { text, wrong };
}

/** Says whether the workload may have missed what was told at a time. */
function toDeafness(harm: readonly Harm[]): (at: number) => boolean {
  const spans = harm.filter(({ fault }) => fault.breaksNats || fault.killsWorkload);
  return (at) =>
    spans.some(({ begin, end }) => begin - DEAF_MARGIN_MS < at && at < end + DEAF_MARGIN_MS);
}

/** How much more memory a process may hold after these faults than before, in MiB. */
export function toMemoryBound(faults: readonly Fault[]): number {
  return faults.length > 1 ? MANY_FAULTS_BOUND_MIB : ONE_FAULT_BOUND_MIB;
}

/** A fault that has passed: how much had gone wrong for others before and after it. */
export interface Harm {
  readonly fault: Fault;
  /** In milliseconds since 1970. */
  readonly begin: number;
  readonly end: number;
  readonly before: Readonly<Record<"requests" | "sockets", number>>;
  readonly after: Harm["before"];
}

/** Figure 5: a fault that is a client's own costs nobody else a request or a socket. */
export function judgeHarm(harm: readonly Harm[]): Figure {
  const wrong: string[] = [];
  for (const { fault, before, after } of harm) {
    for (const what of fault.spares ?? []) {
      const count = after[what] - before[what];
      if (count > 0) wrong.push(`${fault.name}: ${count} ${what} of others failed`);
    }
  }
  const sparing = harm.filter(({ fault }) => fault.spares !== undefined);
  return {
    text: `others: untouched by ${sparing.length - wrong.length} faults that spare them`,
    wrong,
  };
}

/** Figure 6: no error that nobody waits for, and no complaint of the runtime. */
export function judgeErrors(world: World): Figure {
  const wrong = world.allGateways.flatMap(({ noise, lines }) => [
    ...noise,
    ...lines.filter(({ stage }) => stage !== undefined).map((line) => JSON.stringify(line)),
  ]);
  return { text: `errors: ${wrong.length}`, wrong };
}

/** Figure 4: what the processes hold is back to where it was, also what others held in their place. */
export function judgeResources(
  { idle, loaded }: { idle: readonly [Snapshot, Snapshot]; loaded: readonly [Snapshot, Snapshot] },
  faults: readonly Fault[],
): Figure {
  const bound = toMemoryBound(faults);
  const wrong: string[] = [];
  const texts: string[] = [];
  for (const [name, after] of Object.entries(loaded[1])) {
    const before = loaded[0][name];
    if (before === undefined) continue;
    const fds = [idle[0][name]!.fds, idle[1][name]!.fds] as const;
    const lost = idle[1][name]!.lost ?? 0;
    const text = `${name} ${before.rssMiB} → ${after.rssMiB} MiB, ${fds[0]} → ${fds[1]} fds` +
      (lost === 0 ? "" : ` and ${lost} lost with handshakes`);
    texts.push(text);
    if (after.rssMiB - before.rssMiB > bound) wrong.push(`memory: ${text}`);
    if (fds[1] - fds[0] > FDS_BOUND) wrong.push(`file descriptors: ${text}`);
  }
  return { text: `resources: ${texts.join("; ")}`, wrong };
}

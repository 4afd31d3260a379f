/**
 * Runs a case on all targets, turn by turn, so that what disturbs one disturbs all.
 *
 * @module
 */
import { type Case, type Figure, type Result, type Sample, summarize, type World } from "./case.ts";
import { startTarget, type Target, type TargetKind } from "./targets.ts";

/** How often, and on what. */
export interface RunOptions {
  readonly runs: number;
  readonly peer: string | undefined;
  readonly peerPort: number | undefined;
  /** Flags of the gateway besides the case's own. */
  readonly flags: readonly string[];
}

/**
 * Measures a case.
 *
 * @param case_ Which one.
 * @param world What all cases share.
 * @param options How often, and on what.
 * @returns The figures, and why there are none where there are none.
 */
export async function runCase(
  case_: Case,
  world: World,
  { runs, peer, peerPort, flags }: RunOptions,
): Promise<Result> {
  await using running = new AsyncDisposableStack();
  const unmeasured: Partial<Record<TargetKind, string>> = {};
  const targets = new Map<TargetKind, Target>();
  const samples = new Map<TargetKind, Sample[]>();
  const own = (case_.flags ?? []).map((flag) => flag.replaceAll("{collector}", world.collectorUrl));
  const toOptions = (kind: TargetKind) => ({
    natsUrl: world.natsUrl,
    flags: kind === "plain" ? flags : [...own, ...flags],
    config: case_.config,
    peer,
    peerPort,
  });
  const measure = async (kind: TargetKind): Promise<Sample> => {
    if (case_.isFresh) {
      await using target = await startTarget(kind, toOptions(kind));
      return await case_.measure(target, world);
    }
    const target = targets.get(kind) ?? running.use(await startTarget(kind, toOptions(kind)));
    targets.set(kind, target);
    return await case_.measure(target, world);
  };
  const count = Math.min(runs, case_.maxRuns ?? runs);
  for (let run = 0; run < count; run++) {
    for (const kind of toKinds(case_, peer)) {
      if (unmeasured[kind] !== undefined) continue;
      try {
        samples.set(kind, [...samples.get(kind) ?? [], await measure(kind)]);
      } catch (error) {
        unmeasured[kind] = toReason(error);
      }
    }
  }
  for (const kind of Object.keys(unmeasured)) samples.delete(kind as TargetKind);
  return {
    case: case_.name,
    title: case_.title,
    runs: count,
    figures: toFigures(samples),
    unmeasured,
  };
}

function toKinds({ targets }: Case, peer: string | undefined): TargetKind[] {
  const kinds: readonly TargetKind[] = targets ?? ["bare", "h8s", "peer"];
  return kinds.filter((kind) => kind !== "peer" || peer !== undefined);
}

function toFigures(samples: ReadonlyMap<TargetKind, readonly Sample[]>): Result["figures"] {
  const figures: Record<string, Partial<Record<TargetKind, Figure>>> = {};
  for (const [kind, all] of samples) {
    for (const name of Object.keys(all[0] ?? {})) {
      (figures[name] ??= {})[kind] = summarize(all.map((sample) => sample[name]!));
    }
  }
  return figures;
}

function toReason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

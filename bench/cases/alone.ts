/**
 * What needs no load: the start of the program, and the pure functions.
 *
 * @module
 */
import type { Case, Sample, World } from "../case.ts";
import { Child, run, Unmeasurable } from "../process.ts";
import { gatewayArgs, type Target } from "../targets.ts";

/** Start-up, and the mapping layer. */
export const aloneCases: readonly Case[] = [
  {
    name: "start",
    title: "from the start of the program until it serves and is connected",
    targets: ["bare", "h8s"],
    measure: start,
  },
  {
    name: "functions",
    title: "the router and the mapping alone (Deno.bench), average of each",
    targets: ["h8s"],
    maxRuns: 1,
    measure: benchFunctions,
  },
];

async function start({ kind }: Target, { natsUrl }: World): Promise<Sample> {
  const begun = performance.now();
  if (kind === "bare") {
    const bare = new URL("../load/bare.ts", import.meta.url).pathname;
    await using child = new Child(Deno.execPath(), ["run", "--allow-net", "--no-config", bare]);
    await child.nextLine();
    return { "ready after ms": performance.now() - begun };
  }
  const flags = ["--listen", "127.0.0.1:0", "--nats-url", natsUrl, "--log-format", "json"];
  await using child = new Child(Deno.execPath(), gatewayArgs(flags), { output: "stderr" });
  await child.nextLine((line) => line.includes('"nats connected"'));
  return { "ready after ms": performance.now() - begun };
}

interface BenchOutput {
  readonly benches: readonly {
    readonly name: string;
    readonly results: readonly { readonly ok?: { readonly avg: number } }[];
  }[];
}

async function benchFunctions(): Promise<Sample> {
  const directory = new URL("../", import.meta.url).pathname;
  const text = await run(Deno.execPath(), ["bench", "-A", "--json", directory]);
  if (text === undefined) throw new Unmeasurable("deno bench failed");
  const { benches }: BenchOutput = JSON.parse(text);
  const sample: Record<string, number> = {};
  for (const { name, results } of benches) {
    const nanos = results[0]?.ok?.avg;
    if (nanos !== undefined) sample[`ns, ${name}`] = nanos;
  }
  return sample;
}

/**
 * Everything that must hold, in one go: `deno task test [STAGE …]`.
 *
 * @module
 */
import { announceNats } from "./harness/nats_server.ts";

/** One thing that must hold. */
interface Stage {
  readonly name: string;
  /** What it has to run, in one piece or in several. */
  readonly jobs: readonly Job[];
}

/** A command; each has a lane to itself. */
interface Job {
  /** Of a piece. */
  readonly file?: string;
  readonly args: readonly string[];
  /** More than this and it hangs, on a machine three times slower than a laptop, too. */
  readonly timeoutMs: number;
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** A job that has ended. */
interface Outcome extends Counts {
  readonly file: string | undefined;
  readonly seconds: number;
  /** Lines that say what was left out, and why. */
  readonly skipped: readonly string[];
}

const ENTRY_POINTS = [
  "lib/mod.ts",
  "lib/workload/mod.ts",
  "lib/router/mod.ts",
  "lib/client/mod.ts",
];
const SOURCES = ["main.ts", "lib", "tests", "bench", "examples", "docs/site/build.ts"];

/** Tests that take their time, or ask for more than nats-server: those in one piece first, the longest first. */
const SUITES: readonly Stage[] = [
  suite("faults", 30),
  suite("npm", 15),
  suite("docs", 15),
  suite("fuzz", 15),
  suite("proxies", 15),
  suite("workload", 15),
  suite("bench", 10),
  suite("jsr", 20),
  suiteByFile("browser"),
  suiteByFile("e2e"),
];
/** All other tests, so that a new folder is never left out. */
const UNIT_TESTS = [`--ignore=${SUITES.map(({ name }) => `tests/${name}`)}`, "tests"];

/** What looks at the sources alone, one after another; and then all that the others import is compiled. */
const CHECKS: readonly Stage[] = [
  stage("format", ["fmt", "--check"]),
  stage("lint", ["lint"]),
  stage("types", ["check", ...SOURCES]),
  stage("doc-lint", ["run", "-A", "tests/doc_lint.ts", ...ENTRY_POINTS]),
];
const TESTS: readonly Stage[] = [
  stage("unit", ["test", "-A", "--no-check", ...UNIT_TESTS], 25),
  stage("doc-tests", ["test", "-A", "--doc", "lib"]),
  ...SUITES,
  stage("publish", ["publish", "--dry-run", "--allow-dirty", "--quiet"]),
];
/** How many jobs go on at a time: what runs the program waits about as long as it computes. */
const LANES = Math.min(navigator.hardwareConcurrency + 2, 6);

await announceNats();
const counts = [...await runAll(CHECKS, 1), ...await runAll(TESTS, LANES)];
const [passed, failed] = [sum(counts, "passed"), sum(counts, "failed")];
console.log(`\n${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) Deno.exit(1);

/** Runs those that are asked for; each lane takes the next job when it has ended one. */
async function runAll(stages: readonly Stage[], lanes: number): Promise<Outcome[]> {
  const chosen = stages.filter(({ name }) => Deno.args.length === 0 || Deno.args.includes(name));
  const outcomes = new Map(chosen.map((stage): [Stage, Outcome[]] => [stage, []]));
  const queue = chosen.flatMap((stage) => stage.jobs.map((job) => ({ stage, job }))).values();
  const runLane = async () => {
    for (const { stage, job } of queue) {
      const own = outcomes.get(stage)!;
      own.push(await run(stage, job));
      if (own.length === stage.jobs.length) report(stage, own);
    }
  };
  await Promise.all(Array.from({ length: lanes }, runLane));
  return [...outcomes.values()].flat();
}

function stage(name: string, args: readonly string[], timeoutMinutes = 10): Stage {
  return { name, jobs: [{ args, timeoutMs: timeoutMinutes * 60_000 }] };
}

/** One job: the folder of this name. */
function suite(name: string, timeoutMinutes: number): Stage {
  return stage(name, ["test", "-A", "--no-check", `tests/${name}`], timeoutMinutes);
}

/** As many jobs as there are files. */
function suiteByFile(name: string, timeoutMinutes = 10): Stage {
  const files = [...Deno.readDirSync(`tests/${name}`)].map((entry) => entry.name)
    .filter((file) => file.endsWith("_test.ts")).sort();
  const jobs = files.map((file): Job => ({
    file,
    args: ["test", "-A", "--no-check", `tests/${name}/${file}`],
    timeoutMs: timeoutMinutes * 60_000,
  }));
  return { name, jobs };
}

/** Prints all output where something failed, else nothing. */
async function run({ name }: Stage, { file, args, timeoutMs }: Job): Promise<Outcome> {
  const begun = performance.now();
  const { success, signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(timeoutMs),
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  const seconds = (performance.now() - begun) / 1000;
  const skipped = [...text.matchAll(/^SKIPPED: .*/gm)].map(([line]) => line);
  if (!success) console.log(`FAIL ${name} ${file ?? ""}\n${text}`);
  if (signal !== null) console.log(`${name} was ended by ${signal} after ${seconds.toFixed(1)} s`);
  return { ...toCounts(text, success), file, seconds, skipped };
}

/** One line; its time is that of all its jobs, one after another. */
function report({ name }: Stage, outcomes: readonly Outcome[]): void {
  const verdict = sum(outcomes, "failed") === 0 ? "ok  " : "FAIL";
  const toText = (seconds: number) => `${seconds.toFixed(1)} s`;
  const [first, ...others] = outcomes.toSorted((a, b) => b.seconds - a.seconds);
  const longest = others.length === 0
    ? ""
    : `; the longest: ${first!.file}, ${toText(first!.seconds)}`;
  const all = `${sum(outcomes, "passed")} passed, ${toText(sum(outcomes, "seconds"))}`;
  console.log(`${verdict} ${name.padEnd(10)} ${all}${longest}`);
  for (const line of new Set(outcomes.flatMap(({ skipped }) => skipped))) console.log(line);
}

function sum(outcomes: readonly Outcome[], what: "passed" | "failed" | "seconds"): number {
  return outcomes.reduce((total, outcome) => total + outcome[what], 0);
}

/** What `deno test` counted; any other command counts as one. */
function toCounts(text: string, success: boolean): Counts {
  const summary = /(\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed/.exec(text);
  const ownCounts = { passed: Number(summary?.[1] ?? 0), failed: Number(summary?.[2] ?? 0) };
  if (summary === null) return { passed: success ? 1 : 0, failed: success ? 0 : 1 };
  return success || ownCounts.failed > 0 ? ownCounts : { ...ownCounts, failed: 1 };
}

/**
 * Everything that must hold, in one go: `deno task test [STAGE …]`.
 *
 * @module
 */
import { announceNats } from "./harness/nats_server.ts";

/** One thing that must hold. */
interface Stage {
  readonly name: string;
  readonly args: readonly string[];
  /** More than this and it hangs, on a machine three times slower than a laptop, too. */
  readonly timeoutMs: number;
}

const ENTRY_POINTS = [
  "lib/mod.ts",
  "lib/workload/mod.ts",
  "lib/router/mod.ts",
  "lib/client/mod.ts",
];
const SOURCES = ["main.ts", "lib", "tests", "bench", "examples"];
/** Tests that take their time, or ask for more than nats-server: a stage each, the longest first. */
const SUITES: readonly Stage[] = [
  suite("e2e", 40),
  suite("faults", 30),
  suite("browser", 20),
  suite("npm", 15),
  suite("jsr", 20),
  suite("docs", 10),
  suite("proxies", 15),
  suite("fuzz", 15),
  suite("workload", 15),
  suite("bench", 10),
];
/** All other tests, so that a new folder is never left out. */
const UNIT_TESTS = [`--ignore=${SUITES.map(({ name }) => `tests/${name}`)}`, "tests"];

/** What looks at the sources alone, one after another. */
const CHECKS: readonly Stage[] = [
  stage("format", ["fmt", "--check"]),
  stage("lint", ["lint"]),
  stage("types", ["check", ...SOURCES]),
  stage("doc-lint", ["run", "-A", "tests/doc_lint.ts", ...ENTRY_POINTS]),
  stage("doc-tests", ["test", "-A", "--doc", "lib"]),
  stage("publish", ["publish", "--dry-run", "--allow-dirty", "--quiet"]),
];
/** What runs the program. It waits more than it computes, so two of them go on at a time. */
const TESTS: readonly Stage[] = [
  ...SUITES,
  stage("unit", ["test", "-A", "--no-check", ...UNIT_TESTS], 25),
];

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

await announceNats();
let passed = 0;
let failed = 0;
await runAll(CHECKS.filter(isChosen));
const tests = TESTS.filter(isChosen).values();
await Promise.all([runAll(tests), runAll(tests)]);
console.log(`\n${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) Deno.exit(1);

function isChosen({ name }: Stage): boolean {
  return Deno.args.length === 0 || Deno.args.includes(name);
}

/** One after another, as far as nobody else takes them. */
async function runAll(stages: Iterable<Stage>): Promise<void> {
  for (const stage of stages) {
    const counts = await runStage(stage);
    passed += counts.passed;
    failed += counts.failed;
  }
}

function stage(name: string, args: readonly string[], timeoutMinutes = 10): Stage {
  return { name, args, timeoutMs: timeoutMinutes * 60_000 };
}

function suite(name: string, timeoutMinutes: number): Stage {
  return stage(name, ["test", "-A", "--no-check", `tests/${name}`], timeoutMinutes);
}

/** Prints one line, and all output where something failed. */
async function runStage({ name, args, timeoutMs }: Stage): Promise<Counts> {
  const begun = performance.now();
  const { success, signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(timeoutMs),
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  const counts = toCounts(text, success);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(
    `${success ? "ok  " : "FAIL"} ${name.padEnd(10)} ${counts.passed} passed, ${seconds} s`,
  );
  for (const [line] of text.matchAll(/^SKIPPED: .*/gm)) console.log(line);
  if (!success) console.log(text);
  if (signal !== null) console.log(`${name} was ended by ${signal} after ${seconds} s`);
  return counts;
}

/** What `deno test` counted; any other command counts as one. */
function toCounts(text: string, success: boolean): Counts {
  const summary = /(\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed/.exec(text);
  const ownCounts = { passed: Number(summary?.[1] ?? 0), failed: Number(summary?.[2] ?? 0) };
  if (summary === null) return { passed: success ? 1 : 0, failed: success ? 0 : 1 };
  return success || ownCounts.failed > 0 ? ownCounts : { ...ownCounts, failed: 1 };
}

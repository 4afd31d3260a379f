import assert from "node:assert/strict";
import { type Run, toTables } from "../../bench/markdown.ts";

const DOCS = new URL("../../docs/", import.meta.url);
const PAGES = await Promise.all(
  ["performance.md", "performance-log.md"].map((page) => Deno.readTextFile(new URL(page, DOCS))),
);
const RUNS: Run[] = JSON.parse(await Deno.readTextFile(new URL("performance.json", DOCS)));
const MACHINE = { commit: "abc1234", date: "2026-11-27" };

Deno.test("each run in docs/performance.json is named after a heading of the pages", () => {
  const headings = [...PAGES.join("\n").matchAll(/^#{2,} (.*)$/gm)].map(([, heading]) => heading!);
  for (const { of } of RUNS) {
    assert.ok(headings.some((heading) => of === heading || of.startsWith(`${heading}: `)), of);
  }
  const names = RUNS.map(({ of }) => of);
  assert.deepEqual(names, [...new Set(names)]);
});

Deno.test("docs/performance.json has a run of each command that the pages show", () => {
  const shown = PAGES.map((text) => text.slice(text.indexOf("\n## "))).join("\n");
  const commands = [...shown.matchAll(/deno task bench(?:\\\n|[^`\n])*/g)]
    .map(([command]) => toWords(command.replace(/#.*/, "").replaceAll("\\\n", " ")));
  assert.ok(commands.length > 5, "the commands are found");
  const measured = RUNS.map(({ command }) => toWords(command));
  for (const command of commands) {
    const isMeasured = measured.some((words) => command.every((word) => words.includes(word)));
    assert.ok(isMeasured, command.join(" "));
  }
});

/** A run's command has lost its quotes. */
function toWords(command: string): string[] {
  return command.replaceAll(/['"]/g, "").trim().split(/\s+/);
}

Deno.test("toTables() puts the gateway beside the bare server and beside another gateway", () => {
  const run = toRun({
    command: "deno task bench get-32 --peer h8sd",
    results: [{
      case: "get-32",
      title: "GET",
      runs: 1,
      figures: {
        "cpu µs/request": { bare: one(10), h8s: one(30), peer: one(60) },
        "p99 ms": { bare: one(1), h8s: one(2), peer: one(4) },
        "p50 ms": { bare: one(1), h8s: one(2), peer: one(3) },
      },
      unmeasured: {},
    }],
  });
  assert.deepEqual(toTables(run), [
    "`deno task bench get-32 --peer h8sd`, abc1234, 2026-11-27",
    `CPU, 1 = one GET of the bare server in this run, 10 µs

|     | bare | Go daemon | gateway | aim | gateway / bare | gateway / Go |
| --- | ---- | --------- | ------- | --- | -------------- | ------------ |
| GET | 1    | 6         | 3       | 2.8 | 3.00           | 0.500        |`,
    `Latency in ms

|     | p50 bare | p50 Go daemon | p50 gateway | p99 bare | p99 Go daemon | p99 gateway |
| --- | -------- | ------------- | ----------- | -------- | ------------- | ----------- |
| GET | 1        | 3             | 2           | 1        | 4             | 2           |`,
  ]);
});

Deno.test("toTables() says what could not be measured, and has no figure for it", () => {
  const run = toRun({
    command: "deno task bench download",
    results: [{
      case: "download",
      title: "download",
      runs: 2,
      figures: { "MB/s": { bare: one(100), h8s: { median: 50, min: 40, max: 60 } } },
      unmeasured: { peer: "it has no streams" },
    }],
  });
  assert.deepEqual(toTables(run).slice(1), [
    `|                | bare | gateway (min–max) | gateway / bare |
| -------------- | ---- | ----------------- | -------------- |
| download: MB/s | 100  | 50 (40–60)        | 0.500          |`,
    "download: peer not measured: it has no streams",
  ]);
});

Deno.test("toTables() shows both ends of what grows, and then all sizes", () => {
  const run = toRun({
    command: "deno task bench:scale headers",
    grown: [{
      name: "headers",
      title: "headers",
      runs: 1,
      figures: {
        "cpu µs/request": { 1: one(20), 10: one(22), 1000: one(30) },
        "p99 ms": { 1: one(1), 10: one(1), 1000: one(2) },
      },
    }],
  });
  assert.deepEqual(toTables(run).slice(1), [
    `| CPU of a request | least | most  | most / least | p99 ms |
| ---------------- | ----- | ----- | ------------ | ------ |
| headers          | 1     | 1 000 | 1.50         | 1 → 2  |`,
    `| headers        | 1   | 10  | 1 000 |
| -------------- | --- | --- | ----- |
| cpu µs/request | 20  | 22  | 30    |
| p99 ms         | 1   | 1   | 2     |`,
  ]);
});

Deno.test("all runs in docs/performance.json can be shown", () => {
  for (const run of RUNS) {
    const [, ...tables] = toTables(run);
    assert.ok(tables.length > 0, run.of);
    assert.doesNotMatch(tables.join("\n"), /undefined|NaN/, run.of);
  }
});

function one(median: number) {
  return { median, min: median, max: median };
}

function toRun(run: Pick<Run, "command" | "results" | "grown">): Run {
  return { of: "HTTP", machine: MACHINE, ...run };
}

/**
 * The tables of docs/performance.md from the runs in docs/performance.json: `deno task bench:tables --help`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type Run, toTables } from "./markdown.ts";

const RUNS = new URL("../docs/performance.json", import.meta.url);
const USAGE = `deno task bench:tables [SECTION] [options]

  SECTION     a run's name, or the beginning of it: the heading that shows it; all without one
  --add FILE  puts what a benchmark has written (bench/results.json, bench/scale.json,
              bench/steps.json) into docs/performance.json first, under the name SECTION,
              in the place of the run that has this name
  --list      the names of the runs, and their commands`;

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals: [section = "", ...more] } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      add: { type: "string" },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help || more.length > 0 || (values.add !== undefined && section === "")) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  let runs: Run[] = JSON.parse(await Deno.readTextFile(RUNS));
  if (values.add !== undefined) {
    const added: Omit<Run, "of"> = JSON.parse(await Deno.readTextFile(values.add));
    // Where it was written is nobody's business.
    const command = added.command.replace(/ --json \S+/, "");
    runs = [...runs.filter(({ of }) => of !== section), { of: section, ...added, command }];
    await Deno.writeTextFile(RUNS, JSON.stringify(runs, null, 2) + "\n");
  }
  const exact = runs.filter(({ of }) => of === section);
  const chosen = exact.length > 0 ? exact : runs.filter(({ of }) => of.startsWith(section));
  if (chosen.length === 0) {
    console.error(`Cannot find a run of "${section}": there are those that --list names`);
    return 2;
  }
  for (const run of chosen) {
    if (values.list) console.log(`${run.of}\n  ${run.command}`);
    else console.log(`\n### ${run.of}\n\n${toTables(run).join("\n\n")}`);
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

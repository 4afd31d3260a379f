/**
 * How the cost grows with the number of sockets, headers, routes and so on: `deno task bench:scale --help`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { announceNats, startNats } from "../tests/harness/nats_server.ts";
import { describeMachine, type Machine, startResponder, startStreamWorkload } from "./machine.ts";
import { Unmeasurable } from "./process.ts";
import { processGrowth, proxiedGrowth } from "./scale/processes.ts";
import { bucketGrowths, recordGrowths } from "./scale/records.ts";
import { requestGrowths } from "./scale/requests.ts";
import { routeGrowths } from "./scale/routes.ts";
import { killedGrowth } from "./scale/killed.ts";
import { interestGrowth } from "./scale/interests.ts";
import { socketGrowth } from "./scale/sockets.ts";
import { type Grown, type Growth, measureGrowth, renderGrown } from "./scale/growth.ts";

const HERE = new URL("./", import.meta.url).pathname;
const ALL: readonly Growth[] = [
  ...requestGrowths,
  ...routeGrowths,
  interestGrowth,
  socketGrowth,
  processGrowth,
  proxiedGrowth,
  ...recordGrowths,
  killedGrowth,
  ...bucketGrowths,
];
const USAGE = `deno task bench:scale [NAME …] [options]

  NAME         what grows, or the beginning of its name: "routes"; all without one
  --runs N     runs of each (default 3)
  --seconds N  how long each load lasts (default 3)
  --quick      one short run, and the least and the most alone
  --json FILE  writes all figures there (default bench/scale.json)

${
  ALL.map(({ name, title, sizes }) => `  ${name.padEnd(12)} ${title}: ${sizes.join(", ")}`).join(
    "\n",
  )
}`;

/** Everything that was measured, and where. */
interface Report {
  readonly command: string;
  readonly machine: Machine;
  readonly grown: Grown[];
}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      runs: { type: "string" },
      seconds: { type: "string" },
      json: { type: "string", default: `${HERE}scale.json` },
      quick: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const { quick, json } = values;
  const [runs, seconds] = [values.runs ?? (quick ? 1 : 3), values.seconds ?? (quick ? 1 : 3)].map(
    Number,
  );
  const chosen = ALL.filter(({ name }) =>
    positionals.length === 0 || positionals.some((begin) => name.startsWith(begin))
  );
  if (chosen.length === 0 || !(runs! >= 1) || !(seconds! > 0)) {
    console.error(USAGE);
    return 2;
  }
  const { version } = await announceNats();
  await using nats = await startNats();
  const responder = await startResponder(nats.port);
  await using _responder = responder.child;
  await using _workload = await startStreamWorkload(nats.url);
  const report: Report = {
    command: ["deno task bench:scale", ...args].join(" "),
    machine: await describeMachine({ nats: version, responder: responder.kind }),
    grown: [],
  };
  console.log(Object.entries(report.machine).map(([key, value]) => `${key}: ${value}`).join("\n"));
  for (const growth of chosen) {
    const sizes = quick ? [growth.sizes[0]!, growth.sizes.at(-1)!] : growth.sizes;
    const world = { nats, seconds: seconds! };
    const grown = await measureGrowth(growth, world, { runs: runs!, sizes }).catch(toReason);
    if (typeof grown === "string") {
      console.log(`\n${growth.title}  (${growth.name})\n  not measured: ${grown}`);
      continue;
    }
    report.grown.push(grown);
    // At once, so that an end in the middle costs one of them.
    await Deno.writeTextFile(json, JSON.stringify(report, null, 2) + "\n");
    console.log(renderGrown(grown));
  }
  console.log(`\n${json}`);
  return 0;
}

function toReason(error: unknown): string {
  if (error instanceof Unmeasurable) return error.message;
  throw error;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

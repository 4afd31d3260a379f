/**
 * The benchmark: `deno task bench --help`.
 *
 * @module
 */
import { announceNats, startNats } from "../tests/harness/nats_server.ts";
import { describeMachine, type Machine, startResponder, startStreamWorkload } from "./machine.ts";
import { aloneCases } from "./cases/alone.ts";
import { httpCases } from "./cases/http.ts";
import { seenCases } from "./cases/seen.ts";
import { streamCases } from "./cases/stream.ts";
import { socketCases } from "./cases/websocket.ts";
import type { Case, Effort, Result } from "./case.ts";
import { type BenchOptions, parseBenchOptions, USAGE } from "./options.ts";
import { renderResult } from "./report.ts";
import { runCase } from "./runner.ts";

const HERE = new URL("./", import.meta.url).pathname;
const DEFAULT_JSON = `${HERE}results.json`;
const FULL: Effort = { seconds: 3, scale: 1 };
const QUICK: Effort = { seconds: 1, scale: 0.1 };
/** What `--quick` leaves out: their sense is in being large. */
const SLOW_CASES = ["idle-20000", "functions", "get-256", "large", "ws-out-10kB", "ws-in-10kB"];

const ALL: readonly Case[] = [
  ...httpCases,
  ...seenCases,
  ...streamCases,
  ...socketCases,
  ...aloneCases,
];

/** Everything that was measured, and where. */
interface Report {
  readonly command: string;
  readonly machine: Machine;
  readonly results: Result[];
}

async function main(args: readonly string[]): Promise<number> {
  const options = parseBenchOptions(args);
  if (options.help) {
    console.log(`${USAGE}\n\ncases:\n${ALL.map(toLine).join("\n")}`);
    return 0;
  }
  const cases = ALL.filter((case_) => isChosen(case_, options));
  if (cases.length === 0) {
    console.error(`Cannot find such a case; there are ${ALL.map(({ name }) => name).join(", ")}`);
    return 2;
  }
  const { version } = await announceNats();
  await using nats = await startNats({ jetstream: options.jetstream });
  const responder = await startResponder(nats.port);
  await using _responder = responder.child;
  await using workload = await startStreamWorkload(nats.url);
  const report: Report = {
    command: ["deno task bench", ...args].join(" "),
    machine: await describeMachine({ nats: version, responder: responder.kind }),
    results: [],
  };
  console.log(Object.entries(report.machine).map(([key, value]) => `${key}: ${value}`).join("\n"));
  await using collector = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      await request.body?.pipeTo(new WritableStream());
      return Response.json({});
    },
  );
  const world = {
    natsUrl: nats.url,
    pids: { "nats-server": nats.pid, workload: workload.pid },
    collectorUrl: `http://127.0.0.1:${collector.addr.port}`,
    effort: options.quick ? QUICK : FULL,
  };
  const path = options.json ?? DEFAULT_JSON;
  for (const case_ of cases) {
    const result = await runCase(case_, world, options);
    report.results.push(result);
    // At once, so that an end in the middle costs one case.
    await Deno.writeTextFile(path, JSON.stringify(report, null, 2) + "\n");
    console.log(renderResult(result));
  }
  console.log(`\n${path}`);
  return 0;
}

function isChosen({ name, isLong = false }: Case, { cases, quick }: BenchOptions): boolean {
  if (cases.length > 0) return cases.some((begin) => name.startsWith(begin));
  return !isLong && !(quick && SLOW_CASES.some((begin) => name.startsWith(begin)));
}

function toLine({ name, title, isLong }: Case): string {
  return `  ${name.padEnd(18)} ${title}${isLong ? " (only when named)" : ""}`;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

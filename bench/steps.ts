/**
 * Where the microseconds of a request go: servers that do one thing more each, turn by turn.
 * `deno task bench:steps --help`
 *
 * @module
 */
import { parseArgs } from "node:util";
import { announceNats, startNats } from "../tests/harness/nats_server.ts";
import { type Figure, type Sample, summarize } from "./case.ts";
import { type Client, findClient, type HttpLoad } from "./load/http.ts";
import { STEPS } from "./load/steps.ts";
import { describeMachine, type Machine, startResponder } from "./machine.ts";
import { Child, CpuMeter, Unmeasurable } from "./process.ts";
import { gatewayArgs } from "./targets.ts";

const HERE = new URL("./", import.meta.url).pathname;
const CONNECTIONS = 32;
/** V8 compiles for a while. */
const WARM_UP_SECONDS = 2;
/** The last step. */
const GATEWAY = "gateway";
const ALL: Readonly<Record<string, string>> = { ...STEPS, [GATEWAY]: "the gateway as it is" };

const LOADS: Readonly<Record<string, Omit<HttpLoad, "connections" | "seconds">>> = {
  "GET": { path: "/api/v1/small" },
  "POST 1 kB": { path: "/api/v1/small", bodyBytes: 1000 },
  "POST 100 kB": { path: "/api/v1/small", bodyBytes: 100_000 },
  "reply of 100 kB": { path: "/api/v1/large" },
};

const USAGE = `deno task bench:steps [options]

  --runs N     runs of each (default 3)
  --seconds N  how long each load lasts (default 3)
  --json FILE  writes all figures there (default bench/steps.json)

${Object.entries(ALL).map(([name, title]) => `  ${name.padEnd(8)} ${title}`).join("\n")}`;

/** A server, and what it has allocated. */
class Step implements AsyncDisposable {
  readonly #child: Child;
  readonly #port: number;

  private constructor(child: Child, port: number) {
    this.#child = child;
    this.#port = port;
  }

  static async start(name: string, natsUrl: string): Promise<Step> {
    const [run, ...args] = name === GATEWAY
      ? gatewayArgs(["--listen", "127.0.0.1:0", "--nats-url", natsUrl, "--log-format", "json"])
      : [
        "run",
        "--allow-net",
        "--config",
        `${HERE}../deno.json`,
        `${HERE}load/steps.ts`,
        name,
        natsUrl,
      ];
    const preload = ["--preload", `${HERE}load/allocations.ts`];
    const child = new Child(Deno.execPath(), [run!, ...preload, ...args], { output: "stderr" });
    const line = await child.nextLine((line) => line.includes("listening"));
    if (name === GATEWAY) await child.nextLine((line) => line.includes('"nats connected"'));
    return new Step(child, Number(/(?:"address":"[^"]*:|on )(\d+)/.exec(line)?.[1]));
  }

  async measure(client: Client, load: HttpLoad): Promise<Sample> {
    const target = { port: this.#port };
    await client.run(target, { ...load, seconds: Math.min(WARM_UP_SECONDS, load.seconds) });
    const before = await this.#allocated();
    const cpu = new CpuMeter(this.#child.pid);
    const { requests, errors } = await client.run(target, load);
    const micros = cpu.micros();
    if (errors > 0) throw new Unmeasurable(`${errors} of ${requests} requests failed`);
    const bytes = await this.#allocated() - before;
    return { micros: micros / requests, kilobytes: bytes / 1000 / requests };
  }

  async #allocated(): Promise<number> {
    Deno.kill(this.#child.pid, "SIGUSR2");
    return Number((await this.#child.nextLine((line) => /^allocated \d+$/.test(line))).slice(10));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}

/** What is measured of a step: processor time of a request, and what it allocates. */
type Figures = Readonly<Record<"micros" | "kilobytes", Figure>>;

/** Of one load, by step. */
interface Ladder {
  readonly load: string;
  readonly steps: Readonly<Record<string, Figures>>;
}

/** Everything that was measured, and where. */
interface Report {
  readonly command: string;
  readonly machine: Machine;
  readonly ladders: Ladder[];
}

/** All steps run the whole time, and are measured turn by turn: what disturbs one disturbs all. */
async function climb(
  load: HttpLoad,
  { steps, runs }: { steps: ReadonlyMap<string, Step>; runs: number },
): Promise<Ladder["steps"]> {
  const client = await findClient();
  const samples = new Map<string, Sample[]>([...steps.keys()].map((name) => [name, []]));
  for (let run = 0; run < runs; run++) {
    for (const [name, step] of steps) samples.get(name)!.push(await step.measure(client, load));
  }
  return Object.fromEntries([...samples].map(([name, all]) => [name, {
    micros: summarize(all.map(({ micros }) => micros!)),
    kilobytes: summarize(all.map(({ kilobytes }) => kilobytes!)),
  }]));
}

/** `unit`: what one GET of the first step costs. */
function render({ load, steps }: Ladder, unit: number): string {
  const lines = [`\n${load}, ${CONNECTIONS} connections`];
  let before = 0;
  for (const [name, { micros: { median, min, max }, kilobytes }] of Object.entries(steps)) {
    const cells = [
      `${median.toFixed(1)} µs (${min.toFixed(1)}–${max.toFixed(1)})`.padEnd(26),
      `of it ${(median - before).toFixed(1)}`.padEnd(14),
      `${(median / unit).toFixed(2)} × GET`.padEnd(14),
      `${kilobytes.median.toFixed(1)} kB allocated`,
    ];
    lines.push(`  ${name.padEnd(9)} ${cells.join("")}`);
    before = median;
  }
  return lines.join("\n");
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: "string", default: "3" },
      seconds: { type: "string", default: "3" },
      json: { type: "string", default: `${HERE}steps.json` },
      help: { type: "boolean", default: false },
    },
  });
  const [runs, seconds] = [Number(values.runs), Number(values.seconds)];
  if (values.help || !(runs >= 1) || !(seconds > 0)) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  const { version } = await announceNats();
  await using nats = await startNats({ jetstream: false });
  const responder = await startResponder(nats.port);
  await using _responder = responder.child;
  await using running = new AsyncDisposableStack();
  const steps = new Map<string, Step>();
  for (const name of Object.keys(ALL)) {
    steps.set(name, running.use(await Step.start(name, nats.url)));
  }
  const report: Report = {
    command: ["deno task bench:steps", ...args].join(" "),
    machine: await describeMachine({ nats: version, responder: responder.kind }),
    ladders: [],
  };
  for (const [name, load] of Object.entries(LOADS)) {
    const options = { ...load, connections: CONNECTIONS, seconds };
    const ladder = { load: name, steps: await climb(options, { steps, runs }) };
    report.ladders.push(ladder);
    await Deno.writeTextFile(values.json, JSON.stringify(report, null, 2) + "\n");
    console.log(render(ladder, report.ladders[0]!.steps["serve"]!.micros.median));
  }
  console.log(`\n${values.json}`);
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

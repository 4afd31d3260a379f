/**
 * Where the microseconds of a request go, and of a WebSocket's message: servers that do one thing more each,
 * turn by turn.
 * `deno task bench:steps --help`
 *
 * @module
 */
import { parseArgs } from "node:util";
import { announceNats, startNats } from "../tests/harness/nats_server.ts";
import { type Figure, type Sample, summarize } from "./case.ts";
import { type Client, findClient, type HttpLoad } from "./load/http.ts";
import { SOCKET_STEPS } from "./load/socket_steps.ts";
import { STEPS } from "./load/steps.ts";
import type { SocketLoad } from "./load/websocket.ts";
import { describeMachine, type Machine, startResponder } from "./machine.ts";
import { Child, CpuMeter, Unmeasurable } from "./process.ts";
import { gatewayArgs } from "./targets.ts";

const HERE = new URL("./", import.meta.url).pathname;
const CONNECTIONS = 32;
/** V8 compiles for a while. */
const WARM_UP_SECONDS = 2;
/** The last step. */
const GATEWAY = "gateway";
const ALL: Readonly<Record<string, string>> = {
  ...STEPS,
  ...SOCKET_STEPS,
  [GATEWAY]: "the gateway as it is",
};

const LOADS: Readonly<Record<string, Omit<HttpLoad, "connections" | "seconds">>> = {
  "GET": { path: "/api/v1/small" },
  "POST 1 kB": { path: "/api/v1/small", bodyBytes: 1000 },
  "POST 10 kB": { path: "/api/v1/small", bodyBytes: 10_000 },
  "POST 100 kB": { path: "/api/v1/small", bodyBytes: 100_000 },
  "POST 1 MB": { path: "/api/v1/small", bodyBytes: 1_000_000 },
  "reply of 100 kB": { path: "/api/v1/large" },
};

const SOCKET_LOADS: Readonly<Record<string, Pick<SocketLoad, "mode" | "sockets" | "messages">>> = {
  "WebSocket messages from 100 clients": { mode: "in", sockets: 100, messages: 100_000 },
  "WebSocket messages to 100 clients": { mode: "out", sockets: 100, messages: 100_000 },
  "WebSockets opened and closed": { mode: "open", sockets: 1500, messages: 0 },
};

const USAGE = `deno task bench:steps [LOAD …] [options]

  LOAD         the beginning of its name; all without one:
${
  [...Object.keys(LOADS), ...Object.keys(SOCKET_LOADS)].map((name) => `                 ${name}`)
    .join("\n")
}

  --runs N     runs of each (default 3)
  --seconds N  how long each load lasts (default 3)
  --json FILE  writes all figures there (default bench/steps.json)

steps:
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
        `${HERE}load/${name in SOCKET_STEPS ? "socket_steps" : "steps"}.ts`,
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

  async measureSockets(
    load: (typeof SOCKET_LOADS)[string],
    { kind, natsUrl }: Pick<SocketLoad, "kind" | "natsUrl">,
  ): Promise<Sample> {
    const { pid } = this.#child;
    const all: SocketLoad = { ...load, kind, natsUrl, pid, port: this.#port, bytes: 100 };
    const args = ["run", "-A", `${HERE}load/websocket.ts`, JSON.stringify(all)];
    await using child = new Child(Deno.execPath(), args);
    const outcome: { figures: Sample } | { error: string } = JSON.parse(
      await child.nextLine((line) => line.startsWith("{")),
    );
    if ("error" in outcome) throw new Unmeasurable(outcome.error);
    const [micros = Number.NaN] = Object.values(outcome.figures);
    return { micros };
  }

  async #allocated(): Promise<number> {
    Deno.kill(this.#child.pid, "SIGUSR2");
    return Number((await this.#child.nextLine((line) => /^allocated \d+$/.test(line))).slice(10));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}

/** What is measured of a step: processor time of a request, or message, and what a request allocates. */
export interface Figures {
  readonly micros: Figure;
  readonly kilobytes?: Figure;
}

/** Of one load, by step. */
export interface Ladder {
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
  steps: ReadonlyMap<string, Step>,
  runs: number,
  measure: (step: Step, name: string) => Promise<Sample>,
): Promise<Ladder["steps"]> {
  const samples = new Map<string, Sample[]>([...steps.keys()].map((name) => [name, []]));
  for (let run = 0; run < runs; run++) {
    for (const [name, step] of steps) samples.get(name)!.push(await measure(step, name));
  }
  return Object.fromEntries(
    [...samples].map(([name, all]) => {
      const micros = summarize(all.map(({ micros }) => micros!));
      const kilobytes = all.flatMap(({ kilobytes }) => kilobytes ?? []);
      return [
        name,
        kilobytes.length === 0 ? { micros } : { micros, kilobytes: summarize(kilobytes) },
      ];
    }),
  );
}

/** `unit`: what one GET of the first step costs, where that was measured. */
function render({ load, steps }: Ladder, unit: number | undefined): string {
  const lines = [`\n${load}`];
  let before = 0;
  for (const [name, { micros: { median, min, max }, kilobytes }] of Object.entries(steps)) {
    const cells = [
      `${median.toFixed(1)} µs (${min.toFixed(1)}–${max.toFixed(1)})`.padEnd(26),
      `of it ${(median - before).toFixed(1)}`.padEnd(14),
      unit === undefined ? "" : `${(median / unit).toFixed(2)} × GET`.padEnd(14),
      kilobytes === undefined ? "" : `${kilobytes.median.toFixed(1)} kB allocated`,
    ];
    lines.push(`  ${name.padEnd(9)} ${cells.join("").trimEnd()}`);
    before = median;
  }
  return lines.join("\n");
}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
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
  const start = async (names: object) => {
    const steps = new Map<string, Step>();
    for (const name of [...Object.keys(names), GATEWAY]) {
      steps.set(name, running.use(await Step.start(name, nats.url)));
    }
    return steps;
  };
  const report: Report = {
    command: ["deno task bench:steps", ...args].join(" "),
    machine: await describeMachine({ nats: version, responder: responder.kind }),
    ladders: [],
  };
  const isChosen = ([name]: readonly [string, unknown]) =>
    positionals.length === 0 || positionals.some((begin) => name.startsWith(begin));
  let unit: number | undefined;
  const add = async (ladder: Ladder) => {
    report.ladders.push(ladder);
    await Deno.writeTextFile(values.json, JSON.stringify(report, null, 2) + "\n");
    if (ladder.load.startsWith("GET")) unit = ladder.steps["serve"]?.micros.median;
    console.log(render(ladder, unit));
  };
  const requests = Object.entries(LOADS).filter(isChosen);
  if (requests.length > 0) {
    const client = await findClient();
    const steps = await start(STEPS);
    for (const [name, load] of requests) {
      const all = { ...load, connections: CONNECTIONS, seconds };
      const measured = await climb(steps, runs, (step) => step.measure(client, all));
      await add({ load: `${name}, ${CONNECTIONS} connections`, steps: measured });
    }
  }
  const messages = Object.entries(SOCKET_LOADS).filter(isChosen);
  if (messages.length > 0) {
    const steps = await start(SOCKET_STEPS);
    for (const [name, load] of messages) {
      const measured = await climb(steps, runs, (step, name) => {
        const kind = name === GATEWAY || name === "lane" ? "gateway" : "bare";
        return step.measureSockets(load, { kind, natsUrl: nats.url });
      });
      await add({ load: name, steps: measured });
    }
  }
  console.log(`\n${values.json}`);
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

/**
 * A load of HTTP requests from a program of its own: `wrk` where it is installed, else `autocannon` from npm.
 *
 * @module
 */
import { CpuMeter, run, Unmeasurable } from "../process.ts";
import type { Sample } from "../case.ts";
import type { Target } from "../targets.ts";

/** What every request carries besides `Host`: with it ten, as few browsers send fewer. */
const HEADERS: Readonly<Record<string, string>> = {
  "Accept": "text/html,application/xhtml+xml",
  "Accept-Encoding": "gzip, deflate, br",
  "Accept-Language": "en-GB,en;q=0.9",
  "Cache-Control": "no-cache",
  "Cookie": "session=0123456789abcdef; theme=dark",
  "Referer": "http://bench.example.com/",
  "Sec-Fetch-Mode": "navigate",
  "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0",
  "X-Requested-With": "fetch",
};

/** The requests of a load. */
export interface HttpLoad {
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  /** Bytes; a POST if there are any. */
  readonly bodyBytes?: number;
  /** Of {@link HEADERS} and made up ones, without `Host`. @default 9 */
  readonly headers?: number;
  /** @default "bench.example.com" */
  readonly host?: string;
}

/** What the client saw. */
interface Outcome {
  /** That were answered. */
  readonly requests: number;
  /** Answers that were errors, and {@link Outcome.broken}. */
  readonly errors: number;
  /** Connections that were refused or broken: each attempt is one, whether it would have been a request or not. */
  readonly broken: number;
  readonly seconds: number;
  readonly p50Millis: number;
  readonly p99Millis: number;
}

/**
 * Loads a server, and looks at what it costs.
 *
 * @param target The server.
 * @param load What to send.
 * @returns Processor time, latencies, throughput.
 * @throws {Unmeasurable} when there is no client, or when requests failed.
 */
export async function loadHttp(target: Target, load: HttpLoad): Promise<Sample> {
  const client = await findClient();
  await client.run(target, { ...load, seconds: Math.min(1, load.seconds) });
  const cpu = new CpuMeter(target.pid);
  const outcome = await client.run(target, load);
  const micros = cpu.micros();
  if (outcome.errors > 0 || outcome.requests === 0) {
    throw new Unmeasurable(`${outcome.errors} of ${outcome.requests} requests failed`);
  }
  return {
    "cpu µs/request": micros / outcome.requests,
    "p50 ms": outcome.p50Millis,
    "p99 ms": outcome.p99Millis,
    "requests/s": outcome.requests / outcome.seconds,
  };
}

/** A program that sends requests. */
export interface Client {
  readonly name: string;
  run(target: Pick<Target, "port">, load: HttpLoad): Promise<Outcome>;
}

/**
 * Looks for a load client.
 *
 * @returns The first that works.
 * @throws {Unmeasurable} that says how to get one.
 */
export async function findClient(): Promise<Client> {
  // wrk has no flag for its version, and ends with 1 when it prints it.
  if (await run("sh", ["-c", "command -v wrk"]) !== undefined) {
    return { name: "wrk", run: runWrk };
  }
  if (await run("npx", ["-y", "autocannon@8", "--version"]) !== undefined) {
    return { name: "autocannon", run: runAutocannon };
  }
  throw new Unmeasurable("there is no HTTP load client; apt-get install wrk, or install Node.js");
}

async function runWrk(target: Pick<Target, "port">, load: HttpLoad): Promise<Outcome> {
  const script = await Deno.makeTempFile({ suffix: ".lua" });
  try {
    await Deno.writeTextFile(script, toLua(load));
    const { connections, seconds, path } = load;
    const args = ["-t1", `-c${connections}`, `-d${Math.ceil(seconds)}s`, "-s", script];
    const text = await run("wrk", [...args, `http://127.0.0.1:${target.port}${path}`]);
    const json = /^\{.*\}$/m.exec(text ?? "")?.[0];
    if (json === undefined) throw new Unmeasurable("wrk failed");
    return JSON.parse(json);
  } finally {
    await Deno.remove(script);
  }
}

function toLua({ bodyBytes = 0, ...load }: HttpLoad): string {
  const lines = toHeaders(load).map(([name, value]) => `wrk.headers["${name}"] = "${value}"`);
  return `
${lines.join("\n")}
${bodyBytes > 0 ? `wrk.method = "POST"\nwrk.body = string.rep("x", ${bodyBytes})` : ""}
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%d,"errors":%d,"broken":%d,"seconds":%f,"p50Millis":%f,"p99Millis":%f}\\n',
    summary.requests, e.connect + e.read + e.write + e.status + e.timeout,
    e.connect + e.read + e.write, summary.duration / 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
`;
}

async function runAutocannon(target: Pick<Target, "port">, load: HttpLoad): Promise<Outcome> {
  const { connections, seconds, path, bodyBytes = 0 } = load;
  const args = ["-y", "autocannon@8", "-j", "-c", `${connections}`, "-d", `${Math.ceil(seconds)}`];
  for (const [name, value] of toHeaders(load)) args.push("-H", `${name}=${value}`);
  if (bodyBytes > 0) args.push("-m", "POST", "-b", "x".repeat(bodyBytes));
  const text = await run("npx", [...args, `http://127.0.0.1:${target.port}${path}`]);
  if (text === undefined) throw new Unmeasurable("autocannon failed");
  const { requests, errors, non2xx, duration, latency } = JSON.parse(text);
  return {
    requests: requests.total,
    errors: errors + non2xx,
    broken: errors,
    seconds: duration,
    p50Millis: latency.p50,
    p99Millis: latency.p99,
  };
}

function toHeaders(
  { headers: count = 9, host = "bench.example.com" }: HttpLoad,
): [name: string, value: string][] {
  const all = Object.entries(HEADERS);
  while (all.length < count) all.push([`X-Made-Up-${all.length}`, `value number ${all.length}`]);
  return [["Host", host], ...all.slice(0, count)];
}

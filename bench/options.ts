/**
 * The command line of the benchmark.
 *
 * @module
 */
import { parseArgs } from "node:util";

/** What it says. */
export interface BenchOptions {
  /** Names of cases, or beginnings of them; empty for all that are not long. */
  readonly cases: readonly string[];
  readonly peer: string | undefined;
  /** Where the other gateway listens, if its port is its own choice. */
  readonly peerPort: number | undefined;
  readonly runs: number;
  readonly json: string | undefined;
  /** Whether nats-server has JetStream: then WebSockets have records. */
  readonly jetstream: boolean;
  readonly quick: boolean;
  readonly flags: readonly string[];
  readonly help: boolean;
}

/** How it is used. */
export const USAGE = `deno task bench [CASE …] [options]

  CASE            a case, or the beginning of its name: "get", "ws-in"; all without one
  --peer COMMAND  measures another gateway, too, turn by turn; {port} and {nats} in the
                  command become where to listen and the URL of nats-server:
                  --peer 'gateway --listen 127.0.0.1:{port} --nats {nats}'
  --peer-port N   the port of one that cannot be told where to listen:
                  --peer 'h8sd -nats-url {nats}' --peer-port 8080
  --flag FLAG     passes a flag to the gateway, again for each one
  --jetstream     a nats-server with JetStream, so that WebSockets have records
  --runs N        runs of each case (default 3)
  --json FILE     writes all figures there (default bench/results.json)
  --quick         one short run of each case, in less than a minute`;

/**
 * Reads the command line.
 *
 * @param args Without the program's name.
 * @returns What it says.
 * @throws {TypeError} when it cannot be read.
 */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      peer: { type: "string" },
      "peer-port": { type: "string" },
      runs: { type: "string" },
      json: { type: "string" },
      flag: { type: "string", multiple: true },
      jetstream: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const runs = Number(values.runs ?? (values.quick ? 1 : 3));
  if (!Number.isInteger(runs) || runs < 1) {
    throw new TypeError(`Cannot run ${values.runs} times: expected 1, 2, …`);
  }
  const port = values["peer-port"];
  const peerPort = port === undefined ? undefined : Number(port);
  if (peerPort !== undefined && !(Number.isInteger(peerPort) && peerPort > 0 && peerPort < 65536)) {
    throw new TypeError(`Cannot look for a peer on port "${port}": expected 1 to 65535`);
  }
  const { peer, json, jetstream, quick, help, flag: flags = [] } = values;
  return { cases: positionals, peer, peerPort, runs, json, jetstream, quick, flags, help };
}

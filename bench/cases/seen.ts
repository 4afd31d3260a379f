/**
 * What it costs to be seen: a GET with each way to look at it, beside the same gateway without.
 *
 * @module
 */
import type { Case, World } from "../case.ts";
import { loadHttp } from "../load/http.ts";
import type { Target } from "../targets.ts";

const LOAD = { path: "/api/v1/small", connections: 32 };
const PAGE = ["--admin", "127.0.0.1:0"];
const COLLECTOR = ["--otlp-endpoint", "{collector}"];

/** The flags that let it be seen; the page with somebody who looks. */
export const seenCases: readonly Case[] = [
  seen("seen-log", "an access log, json", ["--access-log", "json"]),
  seen("seen-log-text", "an access log, text", ["--access-log", "text"]),
  seen("seen-traces-0", "traces, none of it sampled", [...COLLECTOR, "--trace-sample", "0"]),
  seen("seen-traces", "traces, 1 % sampled", [...COLLECTOR, "--trace-sample", "0.01"]),
  seen("seen-traces-all", "traces, all of it sampled", [...COLLECTOR, "--trace-sample", "1"]),
  seen("seen-admin", "the admin address, nobody looks", PAGE),
  {
    ...seen("seen-page", "the admin page, somebody looks", PAGE),
    measure: async (target, world) => {
      await using _viewer = await look(target);
      return await load(target, world);
    },
  },
];

function seen(name: string, title: string, flags: readonly string[]): Case {
  const targets = ["plain", "h8s"] as const;
  return { name, title: `GET, 32 connections: ${title}`, targets, flags, measure: load };
}

function load(target: Target, { effort }: World) {
  return loadHttp(target, { ...LOAD, seconds: effort.seconds });
}

/** As a browser that shows the page: it reads each sample. */
async function look({ kind, adminPort }: Target): Promise<AsyncDisposable> {
  if (kind === "plain") return { [Symbol.asyncDispose]: async () => {} };
  const leave = new AbortController();
  const { signal } = leave;
  const response = await fetch(`http://127.0.0.1:${adminPort}/events`, { signal });
  const reading = response.body!.pipeTo(new WritableStream()).catch(() => {});
  return {
    [Symbol.asyncDispose]: async () => {
      leave.abort();
      await reading;
    },
  };
}

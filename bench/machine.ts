/**
 * What is measured on, and the workloads that all measurements share.
 *
 * @module
 */
import { findClient } from "./load/http.ts";
import { Child, run } from "./process.ts";

/** What the figures depend on, for people. */
export type Machine = Readonly<Record<string, string | number>>;

const HERE = new URL("./", import.meta.url).pathname;

/** Starts the workload that costs next to nothing: in C where there is a compiler. */
export async function startResponder(natsPort: number): Promise<{ child: Child; kind: string }> {
  const binary = await Deno.makeTempFile({ prefix: "h8s-responder-" });
  const isBuilt = await run("cc", ["-O2", "-o", binary, `${HERE}load/responder.c`]) !== undefined;
  const child = isBuilt
    ? new Child(binary, ["127.0.0.1", String(natsPort)])
    : new Child(Deno.execPath(), [
      "run",
      "-A",
      `${HERE}load/responder.ts`,
      "127.0.0.1",
      String(natsPort),
    ]);
  await child.nextLine((line) => line === "ready");
  await Deno.remove(binary);
  return { child, kind: isBuilt ? "C" : "Deno; there is no cc" };
}

/** Starts the workload that streams. */
export async function startStreamWorkload(natsUrl: string): Promise<Child> {
  const args = ["run", "--allow-net", "--allow-env", `${HERE}load/workload.ts`, natsUrl];
  const child = new Child(Deno.execPath(), args);
  await child.nextLine((line) => line === "ready");
  return child;
}

/** Says what there is to measure on, besides what is known. */
export async function describeMachine(known: Readonly<Record<string, string>>): Promise<Machine> {
  const client = await findClient().then(({ name }) => name, (error) => error.message);
  const git = (...args: string[]) => run("git", ["-C", `${HERE}..`, ...args]);
  const commit = await git("rev-parse", "--short", "HEAD");
  const isAsCommitted = await git("diff", "--quiet", "HEAD", "--", "lib", "main.ts") !== undefined;
  const info = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  return {
    cpu: /^model name\s*: (.*)$/m.exec(info)?.[1] ?? "unknown",
    cores: navigator.hardwareConcurrency,
    deno: Deno.version.deno,
    "http client": client,
    date: new Date().toISOString().slice(0, 10),
    ...(commit === undefined
      ? {}
      : { commit: `${commit.trim()}${isAsCommitted ? "" : ", changed since"}` }),
    ...known,
  };
}

import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url).pathname;
const FOLDERS = ["config", "mapping", "nats", "router", "workload", "e2e"];
const registry = Deno.env.get("JSR_URL") ?? "https://jsr.io/";

const isThere = await isReachable();
if (!isThere) {
  console.warn(
    `\nSKIPPED: the suite with the dependencies of JSR. ${registry} cannot be reached; ` +
      "JSR_URL names a mirror. What is published was tried with the npm packages of the same name.\n",
  );
}

Deno.test({ name: "the suite passes with the dependencies of JSR", ignore: !isThere, fn: suite });

async function suite(): Promise<void> {
  const how = ["--import-map", "import_map.jsr.json", "--no-lock"];
  const args = ["test", "-A", ...how, ...FOLDERS.map((folder) => `tests/${folder}`)];
  const { success, stdout } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT }).output();
  assert.ok(success, new TextDecoder().decode(stdout));
}

async function isReachable(): Promise<boolean> {
  try {
    const url = new URL("@nats-io/nats-core/meta.json", registry);
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

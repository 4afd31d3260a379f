import assert from "node:assert/strict";
import importMap from "../../import_map.jsr.json" with { type: "json" };
import manifest from "../../deno.json" with { type: "json" };
import { startNats } from "../harness/nats_server.ts";
import { Registry } from "./registry.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const GATEWAY = `jsr:${manifest.name}`;

Deno.test("the import maps of npm and of JSR name the same packages", () => {
  const [jsr, npm] = [importMap, manifest].map(({ imports }) => Object.keys(imports).toSorted());
  // An import map reads "ajv/" for what deno.json takes "ajv" for.
  assert.deepEqual(jsr!.filter((name) => !name.endsWith("/")), npm);
});

Deno.test("what is published runs from a registry that speaks JSR's protocol", async (t) => {
  await using published = await publish();
  const { registry, run } = published;

  await t.step("the links of the README lead to what is published", async () => {
    const readme = await Deno.readTextFile(`${ROOT}README.md`);
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => `/${path}`);
    assert.ok(links.length > 10);
    const files = registry.filesOf(manifest.name);
    assert.deepEqual(links.filter((path) => !files.includes(path)), []);
  });

  await t.step("the help names the command", async () => {
    const { stdout } = await run(["--allow-net", `${GATEWAY}/main`, "--help"]);
    assert.match(stdout, /Usage: deno run --allow-net jsr:@h8s\/gateway@[\d.]+\/main \[FLAGS\]/);
  });

  await t.step("a port that cannot be shared is refused in words", async () => {
    const flags = ["--listen", "127.0.0.1:0", "--share-port"];
    const { code, stderr } = await run(["--allow-net", `${GATEWAY}/main`, ...flags]);
    assert.match(stderr, /^h8s: Cannot share 127\.0\.0\.1:0: .*--unstable-net/m);
    assert.equal(code, 1);
  });

  await t.step("a gateway and a workload speak with each other", async () => {
    await using nats = await startNats({ jetstream: false });
    const { code, stdout, stderr } = await run(["--allow-net", "both.ts", nats.url]);
    assert.equal(stdout, "hello from 127.0.0.1\n", stderr);
    assert.equal(code, 0, stderr);
  });
});

/** A gateway and a workload, as somebody writes them who has JSR alone. */
const BOTH = `
import { startGateway } from "${GATEWAY}";
import { connect, serve } from "${GATEWAY}/workload";

const [servers = ""] = Deno.args;
const nc = await connect({ servers, log: () => {} });
const service = serve(nc, { host: "127.0.0.1" }, (request) =>
  new Response("hello from " + new URL(request.url).hostname));
await service.ready;
const gateway = startGateway({ listen: "127.0.0.1:0", natsUrl: [servers], logLevel: "error" });
await gateway.connected;
const response = await fetch("http://127.0.0.1:" + gateway.address.port);
console.log(await response.text());
await gateway.stop();
await service.stop();
await nc.close();
`;

interface Published extends AsyncDisposable {
  readonly registry: Registry;
  /** Runs Deno in an empty folder, outside of this repository. */
  run(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }>;
}

async function publish(): Promise<Published> {
  await using stack = new AsyncDisposableStack();
  const registry = stack.use(new Registry(importMap.imports));
  const folder = await Deno.makeTempDir({ prefix: "h8s-jsr-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  await Deno.writeTextFile(`${folder}/both.ts`, BOTH);
  const env = await toEnv(folder, registry);
  const how = ["--import-map", "import_map.jsr.json", "--no-lock", "--no-check"];
  const whose = ["--token", "t", "--no-provenance", "--allow-dirty"];
  const command = { args: ["publish", ...how, ...whose], cwd: ROOT, env };
  const { success, stderr } = await new Deno.Command(Deno.execPath(), command).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const owned = stack.move();
  return {
    registry,
    async run(args) {
      const options = { args: ["run", "--no-prompt", ...args], cwd: folder, env };
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), options).output();
      const decoder = new TextDecoder();
      return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A cache of its own, so that this registry leaves nothing behind; what npm gave is used again. */
async function toEnv(folder: string, registry: Registry): Promise<Record<string, string>> {
  const info = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { npmCache } = JSON.parse(new TextDecoder().decode(info.stdout));
  await Deno.mkdir(`${folder}/.deno`);
  await Deno.symlink(npmCache, `${folder}/.deno/npm`);
  return { JSR_URL: registry.url, DENO_DIR: `${folder}/.deno`, NO_COLOR: "1" };
}

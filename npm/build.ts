/**
 * Makes the npm package: TypeScript's own compiler over what `deno.json` exports, without the gateway.
 *
 * `deno run -A npm/build.ts [FOLDER]`, by default `dist/npm`; then `npm publish dist/npm`.
 *
 * @module
 */
import manifest from "../deno.json" with { type: "json" };

/** The one that Deno checks with. */
const COMPILER = `typescript@${Deno.version.typescript}`;
const TYPES = ["@types/node@22", "@types/ws@8"];
/** Deno programs. */
const LEFT_OUT = [".", "./main"];
const DEPENDENCIES = [
  "@nats-io/jetstream",
  "@nats-io/nats-core",
  "@opentelemetry/api",
  "ws",
] as const;
const ROOT = new URL("../", import.meta.url).pathname;

const entries = Object.entries(manifest.exports).filter(([name]) => !LEFT_OUT.includes(name))
  .map(([name, path]) => ({ name: name.replace("./", ""), path }));

if (import.meta.main) {
  const folder = Deno.args[0] ?? `${ROOT}dist/npm`;
  await build(folder);
  console.log(`made ${folder}`);
}

/**
 * Makes the package.
 *
 * @param folder Where to; what is there goes.
 */
export async function build(folder: string): Promise<void> {
  const work = await Deno.makeTempDir({ prefix: "h8s-npm-" });
  try {
    await run("cp", [
      "-R",
      `${ROOT}lib`,
      `${ROOT}npm/tsconfig.json`,
      `${ROOT}npm/node_version.ts`,
      work,
    ]);
    for (const { name, path } of entries) {
      await Deno.writeTextFile(`${work}/${name}.ts`, toEntry(path));
    }
    await Deno.writeTextFile(`${work}/package.json`, toJson({ private: true, type: "module" }));
    const packages = [
      COMPILER,
      ...TYPES,
      ...Object.entries(toDependencies()).map((pair) => pair.join("@")),
    ];
    await run("npm", ["install", "--silent", "--no-audit", "--no-fund", ...packages], work);
    await run(Deno.execPath(), ["run", "-A", "node_modules/typescript/bin/tsc", "-p", "."], work);
    await run("cp", [`${ROOT}LICENSE`, `${ROOT}npm/README.md`, `${work}/package`]);
    await Deno.writeTextFile(`${work}/package/package.json`, toJson(toPackage()));
    await run("rm", ["-rf", folder]);
    await Deno.mkdir(folder, { recursive: true });
    await run("cp", ["-R", `${work}/package/.`, folder]);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

function toPackage(): object {
  return {
    name: manifest.name,
    version: manifest.version,
    description: "HTTP and WebSocket clients in, NATS messages out: workloads, router, client",
    keywords: ["nats", "http", "websocket", "ingress", "gateway", "serve"],
    license: manifest.license,
    type: "module",
    engines: { node: ">=22" },
    exports: Object.fromEntries(entries.map(({ name }) => [`./${name}`, {
      types: `./${name}.d.ts`,
      default: `./${name}.js`,
    }])),
    // A page has no sockets.
    browser: { "./lib/nats/client/dial.js": false },
    sideEffects: ["./node_version.js"],
    dependencies: toDependencies(),
  };
}

function toDependencies(): Record<string, string> {
  return Object.fromEntries(
    DEPENDENCIES.map((name) => [name, manifest.imports[name].replace(`npm:${name}@`, "")]),
  );
}

/** The version is looked at before anything else is run. */
function toEntry(path: string): string {
  return `import "./node_version.ts";\nexport * from "${path}";\n`;
}

function toJson(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

async function run(command: string, args: string[], cwd = ROOT): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd }).output();
  if (success) return;
  const decoder = new TextDecoder();
  throw new Error(
    `Cannot build: ${command} ${args.join(" ")} failed:\n${decoder.decode(stdout)}${
      decoder.decode(stderr)
    }`,
  );
}

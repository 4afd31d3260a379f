import assert from "node:assert/strict";
import { HEADER } from "../lib/mapping/names.ts";

/** Low to high. Those on one line do not know each other; `telemetry` and `router` know nobody. */
const LAYERS: readonly (readonly string[])[] = [
  ["crowd", "errors", "telemetry", "time", "router", "version", "without_environment"],
  ["mapping"],
  ["config"],
  ["nats", "tracing"],
  ["edge", "workload", "client"],
  ["admin"],
  ["prepare"],
  ["gateway", "reverse", "commands"],
  ["mod"],
  ["main"],
];
/** Inside the edge, low to high: what is common to all, and then as {@link LAYERS}, but for neighbours. */
const EDGE_FLOORS: readonly (readonly string[])[] = [
  [
    ...["cors", "limits", "parts", "peer", "problem", "remembering", "request_head", "request_ids"],
    ...["strays", "visit"],
  ],
  ["admission", "lifetime"],
  ["http"],
  ["socket"],
  ["resume"],
  ["connections"],
  ["explain", "handler", "listener", "subject_length"],
];
const KNOW_NOBODY = ["telemetry", "router"];
/** Run wherever the NATS client runs; what needs the runtime gets it handed in. */
const WITHOUT_DENO = ["mapping", "nats", "workload", "client", "telemetry", "time", "router"];
/** What is told beside requests and messages. */
const OWN_SUBJECT = String
  .raw`\.control\.(?:ws|http|connection|gateway|interest|reverse|workload)\b`;
/** Users import them from different entry points, each of which has its own. */
const OF_TWO_PACKAGES = ["Address", "ListenOptions", "connect"];
/** Their state is that of something of which a process has one. */
const OF_THE_PROCESS = ["lib/without_environment.ts"];
/** Of code: a cap on comments, too, would be paid for with files that belong to another. */
const MAX_LINES = 250;
const ROOT = new URL("../", import.meta.url);

/** Path from the root, e.g. `lib/nats/bus.ts`, and text. */
type Sources = ReadonlyMap<string, string>;

Deno.test("imports point down", async () => {
  assert.deepEqual(findUpwardImports(await readSources()), []);
});

Deno.test("imports inside the edge point down", async () => {
  assert.deepEqual(findUpwardInEdge(await readSources()), []);
});

Deno.test("imports make no cycle", async () => {
  assert.deepEqual(findCycles(await readSources()), []);
});

Deno.test("no two folders beside each other import each other", async () => {
  assert.deepEqual(findMutualFolders(await readSources()), []);
});

Deno.test("Deno.* stays where it belongs", async () => {
  assert.deepEqual(findUsesOfDeno(await readSources()), []);
});

Deno.test("headers and subjects of ours are spelled in one place", async () => {
  assert.deepEqual(findStrayNames(await readSources()), []);
});

Deno.test("strings of a kind are made by their constructors alone", async () => {
  assert.deepEqual(findStrayKinds(await readSources()), []);
});

Deno.test(`no file has more than ${MAX_LINES} lines of code`, async () => {
  assert.deepEqual(findLongFiles(await readSources()), []);
});

Deno.test("each exported name has one meaning", async () => {
  assert.deepEqual(findTwins(await readSources()), []);
});

Deno.test("no file keeps a state that all who import it share", async () => {
  const sources = await readSources();
  const others = [...sources].filter(([path]) => !OF_THE_PROCESS.includes(path));
  assert.deepEqual(findSharedState(new Map(others)), []);
});

Deno.test("every file is looked at, and belongs to a layer", async () => {
  const sources = await readSources();
  for (const path of ["main.ts", "lib/mod.ts", "lib/nats/bus.ts", "lib/edge/http/exchange.ts"]) {
    assert.ok(sources.has(path), path);
  }
  const isStray = (path: string) =>
    toRank(path) === -1 || isOf("edge", path) && toFloor(path) === -1;
  assert.deepEqual([...sources.keys()].filter(isStray), []);
  const imports = [...sources].flatMap(([path, text]) => readImports(path, text));
  assert.ok(imports.length > sources.size, `${imports.length} imports in ${sources.size} files`);
  assert.deepEqual(imports.filter((path) => !sources.has(path)), []);
});

Deno.test("findUpwardImports() finds an arrow that points up, or across", async (t) => {
  const table: [from: string, to: string, isAllowed: boolean][] = [
    ["lib/mapping/a.ts", "../errors.ts", true],
    ["lib/mapping/a.ts", "./b.ts", true],
    ["lib/config/a.ts", "../mapping/b.ts", true],
    ["lib/config/a.ts", "../telemetry/b.ts", true],
    ["lib/edge/a.ts", "../nats/b.ts", true],
    ["lib/edge/a.ts", "../config/b.ts", true],
    ["lib/workload/a.ts", "../nats/b.ts", true],
    ["lib/reverse/a.ts", "../workload/b.ts", true],
    ["lib/gateway.ts", "./edge/b.ts", true],
    ["lib/mod.ts", "./gateway.ts", true],
    ["main.ts", "./lib/gateway.ts", true],
    ["main.ts", "./lib/reverse/a.ts", true],
    ["lib/errors.ts", "./mapping/b.ts", false],
    ["lib/mapping/a.ts", "../nats/b.ts", false],
    ["lib/nats/a.ts", "../edge/b.ts", false],
    ["lib/config/a.ts", "../nats/b.ts", false],
    ["lib/edge/a.ts", "../workload/b.ts", false],
    ["lib/workload/a.ts", "../edge/b.ts", false],
    ["lib/edge/a.ts", "../gateway.ts", false],
    ["lib/gateway.ts", "./reverse/b.ts", false],
    ["lib/reverse/a.ts", "../gateway.ts", false],
    ["lib/gateway.ts", "../main.ts", false],
    ["lib/telemetry/a.ts", "../errors.ts", false],
    ["lib/telemetry/a.ts", "../mapping/b.ts", false],
    ["lib/telemetry/a.ts", "./b.ts", true],
    ["lib/edge/a.ts", "../mod.ts", false],
    ["lib/nats/a.ts", "../elsewhere/b.ts", false],
  ];
  for (const [from, to, isAllowed] of table) {
    await t.step(`${from} → ${to}`, () => {
      const found = findUpwardImports(new Map([[from, `import { x } from "${to}";\n`]]));
      assert.equal(found.length, isAllowed ? 0 : 1);
    });
  }
});

Deno.test("findUpwardInEdge() finds an arrow that points up", async (t) => {
  const table: [from: string, to: string, isAllowed: boolean][] = [
    ["lib/edge/handler.ts", "./connections/b.ts", true],
    ["lib/edge/connections/a.ts", "../resume/b.ts", true],
    ["lib/edge/socket/a.ts", "./b.ts", true],
    ["lib/edge/admission.ts", "./admission/b.ts", true],
    ["lib/edge/http/a.ts", "../admission/b.ts", true],
    ["lib/edge/limits/a.ts", "../parts.ts", true],
    ["lib/edge/limits/a.ts", "../../nats/bus.ts", true],
    ["lib/edge/parts.ts", "./http/b.ts", false],
    ["lib/edge/admission/a.ts", "../http/b.ts", false],
    ["lib/edge/http/a.ts", "../socket/b.ts", false],
    ["lib/edge/socket/a.ts", "../handler.ts", false],
    ["lib/edge/lifetime/a.ts", "../connections/b.ts", false],
  ];
  for (const [from, to, isAllowed] of table) {
    await t.step(`${from} → ${to}`, () => {
      const found = findUpwardInEdge(new Map([[from, `import { x } from "${to}";\n`]]));
      assert.equal(found.length, isAllowed ? 0 : 1);
    });
  }
});

Deno.test("findCycles() finds the files that import each other, each cycle once", () => {
  const sources = new Map([
    ["lib/nats/a.ts", `import { b } from "./b.ts";\n`],
    ["lib/nats/b.ts", `import type { C } from "./c.ts";\n`],
    ["lib/nats/c.ts", `export * from "./a.ts";\n`],
    ["lib/nats/d.ts", `import "./a.ts";\nimport "./e.ts";\n`],
    ["lib/nats/e.ts", `import "./f.ts";\n`],
    ["lib/nats/f.ts", ""],
    ["lib/nats/self.ts", `await import("./self.ts");\n`],
  ]);
  assert.deepEqual(findCycles(sources), [
    "lib/nats/a.ts → lib/nats/b.ts → lib/nats/c.ts → lib/nats/a.ts",
    "lib/nats/self.ts → lib/nats/self.ts",
  ]);
});

Deno.test("findUsesOfDeno() finds code and no comments, where it is not allowed", () => {
  const text = [
    "/** For `Deno.serve`. */",
    " * Deno.serve();",
    "// Deno.serve();",
    "const a = 1; // not Deno.serve()",
    'const url = "https://a"; Deno.serve();',
    "type Server = Deno.HttpServer;",
    "globalThis.Deno.exit();",
    "const { exit } = Deno;",
    "const MyDeno = 1;",
  ].join("\n");
  const sources = new Map([["lib/nats/a.ts", text], ["lib/edge/a.ts", text], ["main.ts", text]]);
  const lines = [5, 6, 7, 8].map((line) => `lib/nats/a.ts:${line}`);
  assert.deepEqual(findUsesOfDeno(sources), lines);
});

Deno.test("findStrayNames() finds a header or a subject that is spelled elsewhere", () => {
  const text = [
    ' * Its `"X-H8s-Frame"`.',
    'toHeaderLine("X-H8s-Frame", kind);',
    'findHeader(entries, "x-h8s-frame");',
    "/^X-H8s-Close/.test(block);",
    'first.get("nats-subject");',
    "`${prefix}.control.ws.conn.${type}`;",
    'subscribe("_INBOX.h8s.>");',
    'control.get("frame");',
    'incoming.control.get("gateway-id");',
    'createInbox("_INBOX.h8s-workload");',
    'const program = "nats-server";',
  ].join("\n");
  const sources = new Map([["lib/edge/a.ts", text], ["lib/mapping/names.ts", text]]);
  const lines = [2, 3, 4, 5, 6, 7].map((line) => `lib/edge/a.ts:${line}`);
  assert.deepEqual(findStrayNames(sources), lines);
});

Deno.test("findStrayKinds() finds a string that is called lines, and was made elsewhere", () => {
  const text = 'const a = "x" as HeaderLines;\nconst b = toSubject(c) as string;\n';
  const paths = ["lib/mapping/headers.ts", "lib/mapping/flow.ts", "lib/edge/a.ts"];
  const found = findStrayKinds(new Map(paths.map((path) => [path, text])));
  assert.deepEqual(found, ["lib/mapping/flow.ts:1", "lib/edge/a.ts:1"]);
});

Deno.test("findLongFiles() counts neither comments nor blank lines", () => {
  const long = "/**\n * Why.\n */\n\n// And why.\n" + "x();\n".repeat(MAX_LINES);
  const sources = new Map([["lib/a.ts", long], ["lib/b.ts", `${long}y(); // so\n`]]);
  assert.deepEqual(findLongFiles(sources), [`lib/b.ts: ${MAX_LINES + 1} lines`]);
});

Deno.test("findSharedState() finds what can be set again, and none in a function", () => {
  const text = [
    "let a = 1;",
    "export let b;",
    "const c = new Map<string, number>();",
    "const D = new Map([[1, 2]]);",
    "function e() {",
    "  let f = 1;",
    "}",
  ].join("\n");
  const sources = new Map([["lib/a.ts", text], ["main.ts", ""]]);
  assert.deepEqual(findSharedState(sources), ["lib/a.ts:1", "lib/a.ts:2", "lib/a.ts:3"]);
});

Deno.test("findTwins() finds a name of two files, and none that is exported again", () => {
  const sources = new Map([
    ["lib/a.ts", "export class A {}\nexport async function toB() {}\nconst C = 1;\n"],
    ["lib/b.ts", 'export { A } from "./a.ts";\nexport function toB() {}\nexport const C = 2;\n'],
  ]);
  assert.deepEqual(findTwins(sources), ["toB: lib/a.ts, lib/b.ts"]);
});

Deno.test("readImports() finds every kind of import, and none in a comment", () => {
  const text = [
    `import { a } from "./a.ts";`,
    `import type { B } from "../errors.ts";`,
    `import c, {`,
    `  type D,`,
    `} from "./c.ts";`,
    `export * from "./d.ts";`,
    `export { type E } from "./e.ts";`,
    `import "./f.ts";`,
    `const g = await import("./g.ts");`,
    `type H = import("./h.ts").H;`,
    `import { z } from "zod";`,
    `import manifest from "./deno.json" with { type: "json" };`,
    ` * import { i } from "./i.ts";`,
    `// import { j } from "./j.ts";`,
  ].join("\n");
  const names = ["a", "c", "d", "e", "f", "g", "h"].map((name) => `lib/nats/${name}.ts`);
  const expected = ["lib/errors.ts", ...names];
  assert.deepEqual(readImports("lib/nats/x.ts", text).toSorted(), expected.toSorted());
});

function findUpwardImports(sources: Sources): string[] {
  return toArrows(sources).filter(([from, to]) => !isAllowed(from, to)).map(toText);
}

function isAllowed(from: string, to: string): boolean {
  const [own, other] = [toLayer(from), toLayer(to)];
  if (own === other) return true;
  return !KNOW_NOBODY.includes(own) && toRank(to) !== -1 && toRank(to) < toRank(from);
}

function findUpwardInEdge(sources: Sources): string[] {
  return toArrows(sources)
    .filter(([from, to]) => isOf("edge", from) && isOf("edge", to) && toFloor(to) > toFloor(from))
    .map(toText);
}

/** Depth first; a file that is met again on the way to itself closes a cycle. */
function findCycles(sources: Sources): string[] {
  const cycles: string[] = [];
  const done = new Set<string>();
  function visit(path: string, way: readonly string[]): void {
    const begin = way.indexOf(path);
    if (begin !== -1) cycles.push([...way.slice(begin), path].join(" → "));
    if (begin !== -1 || done.has(path)) return;
    for (const next of readImports(path, sources.get(path) ?? "")) visit(next, [...way, path]);
    done.add(path);
  }
  for (const path of sources.keys()) visit(path, []);
  return cycles;
}

function findMutualFolders(sources: Sources): string[] {
  const arrows = new Set(
    toArrows(sources).map((ends) => toText(ends.map(toFolder) as [string, string])),
  );
  return [...arrows].flatMap((arrow) => {
    const [from = "", to = ""] = arrow.split(" → ");
    const isMutual = from < to && toFolder(from) === toFolder(to) && arrows.has(toText([to, from]));
    return isMutual ? [`${from} ↔ ${to}`] : [];
  });
}

function toFolder(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function findUsesOfDeno(sources: Sources): string[] {
  const strict = [...sources].filter(([path]) => WITHOUT_DENO.includes(toLayer(path)));
  return findLines(new Map(strict), { except: /^$/, stray: /(?<![\w$])Deno(?![\w$])/ });
}

/** Whatever the case: a name in lower case is one, too. */
function findStrayNames(sources: Sources): string[] {
  const names = Object.values(HEADER).filter((name) => name.startsWith("Nats-")).join("|");
  const stray = new RegExp(`x-h8s-|["'\`](?:${names})|_INBOX\\.h8s\\b(?!-)|${OWN_SUBJECT}`, "i");
  return findLines(sources, { except: /^lib\/mapping\/names\.ts$/, stray });
}

function findStrayKinds(sources: Sources): string[] {
  const stray = /\bas (?:HeaderBlock|HeaderLines|HostTokens|PathTokens|Subject)\b/;
  return findLines(sources, { except: /^lib\/mapping\/(headers|subject)\.ts$/, stray });
}

function findLines(
  sources: Sources,
  { except, stray }: { except: RegExp; stray: RegExp },
): string[] {
  return [...sources].filter(([path]) => !except.test(path)).flatMap(([path, text]) =>
    withoutComments(text).split("\n").flatMap((line, index) =>
      stray.test(line) ? [`${path}:${index + 1}`] : []
    )
  );
}

function findLongFiles(sources: Sources): string[] {
  return [...sources]
    .map((
      [path, text],
    ): [string, number] => [path, withoutComments(text).match(/\S.*$/gm)?.length ?? 0])
    .filter(([path, lines]) => path.startsWith("lib/") && lines > MAX_LINES)
    .map(([path, lines]) => `${path}: ${lines} lines`);
}

/** What can be set again, and tables that are empty at first. */
function findSharedState(sources: Sources): string[] {
  const shared = /^(?:export )?(?:let |var |const .* = new (?:Map|Set|WeakMap|WeakSet)\b.*\(\);)/;
  return [...sources].flatMap(([path, text]) =>
    text.split("\n").flatMap((line, index) => shared.test(line) ? [`${path}:${index + 1}`] : [])
  );
}

/** What two files export under one name; one that is exported again is the same thing. */
function findTwins(sources: Sources): string[] {
  const exported =
    /^export (?:async |abstract )?(?:class|interface|type|function\*?|const) (\w+)/gm;
  const files = new Map<string, Set<string>>();
  for (const [path, text] of sources) {
    for (const [, name = ""] of text.matchAll(exported)) {
      files.set(name, (files.get(name) ?? new Set()).add(path));
    }
  }
  return [...files].filter(([name, paths]) => paths.size > 1 && !OF_TWO_PACKAGES.includes(name))
    .map(([name, paths]) => `${name}: ${[...paths].join(", ")}`);
}

function toArrows(sources: Sources): [from: string, to: string][] {
  return [...sources].flatMap(([from, text]) =>
    readImports(from, text).map((to): [string, string] => [from, to])
  );
}

function toText([from, to]: [from: string, to: string]): string {
  return `${from} → ${to}`;
}

/** The files of this project that a file imports. */
function readImports(path: string, text: string): string[] {
  const specifiers = withoutComments(text)
    .matchAll(/^(?:import|export)\s[^"';]*?from\s+"([^"]+)"|\bimport\s*\(?\s*"([^"]+)"/gm);
  return [...specifiers]
    .map(([, from, bare]) => from ?? bare ?? "")
    .filter((specifier) => specifier.startsWith(".") && specifier.endsWith(".ts"))
    .map((specifier) => new URL(specifier, `file:///${path}`).pathname.slice(1));
}

/** Line by line, as `deno fmt` leaves them; the number of lines stays. */
function withoutComments(text: string): string {
  return text.replaceAll(/^[ \t]*(?:\*|\/\*|\/\/).*$|[ \t]\/\/ .*$/gm, "");
}

/** `lib/nats/bus.ts` → `nats`, `lib/errors.ts` → `errors`. */
function toLayer(path: string): string {
  return /^(?:lib\/)?([^/.]+)/.exec(path)?.[1] ?? "";
}

/** The higher, the more it may know; -1 for what is in no layer. */
function toRank(path: string): number {
  return LAYERS.findIndex((names) => names.includes(toLayer(path)));
}

function isOf(layer: string, path: string): boolean {
  return toLayer(path) === layer;
}

/** The floor of a file in the edge, by its folder or its own name. */
function toFloor(path: string): number {
  const name = /^lib\/edge\/([^/.]+)/.exec(path)?.[1] ?? "";
  return EDGE_FLOORS.findIndex((names) => names.includes(name));
}

async function readSources(): Promise<Sources> {
  const paths = ["main.ts", ...await listFiles("lib")];
  const texts = paths.map(async (path): Promise<[string, string]> => [
    path,
    await Deno.readTextFile(new URL(path, ROOT)),
  ]);
  return new Map(await Promise.all(texts));
}

async function listFiles(directory: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(directory, ROOT))) {
    const path = `${directory}/${name}`;
    if (isDirectory) paths.push(...await listFiles(path));
    else if (name.endsWith(".ts")) paths.push(path);
  }
  return paths.toSorted();
}

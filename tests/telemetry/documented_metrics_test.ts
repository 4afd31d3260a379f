import assert from "node:assert/strict";
import { startGateway } from "../../lib/mod.ts";
import { promtool } from "../harness/promtool.ts";

const ROOT = new URL("../../", import.meta.url);
const UNITS = "total|seconds|bytes|open|away|connected|info|messages|in_flight";
const NAME = new RegExp(`\\b(?:h8s|process)_[a-z0-9_]+_(?:${UNITS})(?:_bucket)?\\b`, "g");
const RULES = "deploy/prometheus/h8s.rules.yml";
const DASHBOARD = "deploy/grafana/h8s.json";

Deno.test("every metric is documented, and every documented one exists", async () => {
  const exported = await listExported();
  const documented = new Set<string>();
  for await (const { name } of Deno.readDir(new URL("docs/", ROOT))) {
    if (name.endsWith(".md")) {
      for (const metric of await listNames(`docs/${name}`)) documented.add(metric);
    }
  }
  assert.deepEqual([...exported].filter((name) => !documented.has(name)), [], "not documented");
  assert.deepEqual([...documented].filter((name) => !exported.has(name)), [], "not exported");
});

for (const path of [RULES, DASHBOARD]) {
  Deno.test(`${path} asks for metrics that there are`, async () => {
    const exported = await listExported();
    const names = await listNames(path);
    assert.ok(names.length > 5);
    assert.deepEqual(names.map(toMetric).filter((name) => !exported.has(name)), []);
  });
}

Deno.test("the dashboard shows each metric, and asks for labels and values that there are", async () => {
  const text = await readMetrics();
  const queries = await readQueries();
  const shown = new Set(queries.flatMap((query) => query.match(NAME) ?? []).map(toMetric));
  const exported = [...await listExported()].filter((name) => !name.endsWith("start_time_seconds"));
  assert.deepEqual(exported.filter((name) => !shown.has(name)), []);
  for (const query of queries) {
    const [name = ""] = query.match(NAME) ?? [];
    const [, by = ""] = /by \(([^)]*)\)/.exec(query) ?? [];
    // What a scrape adds; and of hosts there is none before the first request.
    if (name === "h8s_http_host_failures_total" || by === "le") continue;
    const labels = by.split(", ").filter((label) => label !== "");
    const isThere = labels.every((label) =>
      new RegExp(`^${name}\\{.*\\b${label}="`, "m").test(text)
    );
    assert.ok(isThere, query);
  }
  const rules = await Deno.readTextFile(new URL(RULES, ROOT));
  for (const [, name, label, value] of rules.matchAll(/(h8s_\w+)\{(\w+)=~?"([^"]+)"\}/g)) {
    assert.ok(text.includes(`${name}{${label}="${value}"}`), `${name} ${label} ${value}`);
  }
});

Deno.test("promtool takes the alerts, the dashboard's queries, and what /metrics says", async () => {
  await promtool(["check", "rules", new URL(RULES, ROOT).pathname]);
  const queries = (await readQueries()).map((expr) => expr.replaceAll("$__rate_interval", "5m"));
  const rules = queries.map((expr, index) => ({ record: `query:number${index}`, expr }));
  const asRules = JSON.stringify({ groups: [{ name: "dashboard", rules }] });
  const file = await Deno.makeTempFile({ suffix: ".yml" });
  await Deno.writeTextFile(file, asRules);
  await promtool(["check", "rules", file]);
  await Deno.remove(file);
  await promtool(["check", "metrics"], await readMetrics());
});

Deno.test("each alert rings when it should, and none where all is well", async () => {
  await promtool(["test", "rules", new URL("alerts.test.yml", import.meta.url).pathname]);
});

Deno.test("what the process takes, and each close code, is there from the beginning", async () => {
  const text = await readMetrics();
  assert.ok(Number(/^process_cpu_seconds_total (\S+)$/m.exec(text)?.[1]) > 0);
  for (const code of [1002, 1007, 1012, 3008, 4499]) {
    assert.ok(text.includes(`h8s_websockets_closed_total{code="${code}"} 0`), `${code}`);
  }
});

function toMetric(name: string): string {
  return name.replace(/_bucket$/, "");
}

async function readQueries(): Promise<string[]> {
  const { panels } = JSON.parse(await Deno.readTextFile(new URL(DASHBOARD, ROOT)));
  return panels.flatMap(({ targets }: { targets: { expr: string }[] }) =>
    targets.map(({ expr }) => expr)
  );
}

async function listNames(path: string): Promise<string[]> {
  const text = await Deno.readTextFile(new URL(path, ROOT));
  return Array.from(text.matchAll(NAME), ([name]) => name);
}

async function listExported(): Promise<Set<string>> {
  const text = await readMetrics();
  return new Set(Array.from(text.matchAll(/^# TYPE ((?:h8s|process)_\w+)/gm), ([, name]) => name!));
}

async function readMetrics(): Promise<string> {
  const gateway = startGateway({ listen: "127.0.0.1:0", admin: "127.0.0.1:0", logLevel: "error" });
  const { port } = gateway.adminAddress!;
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  const text = await response.text();
  await gateway.stop();
  return text;
}

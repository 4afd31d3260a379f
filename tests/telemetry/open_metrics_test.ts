import assert from "node:assert/strict";
import { createHealthHandler } from "../../lib/telemetry/health.ts";
import { Metrics } from "../../lib/telemetry/metrics.ts";
import { renderOpenMetrics, wantsOpenMetrics } from "../../lib/telemetry/open_metrics.ts";
import { freePort } from "../harness/free_port.ts";
import { withPrometheus } from "../harness/promtool.ts";
import { pause } from "../../lib/time/within.ts";

const SAMPLED = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
const NOT_SAMPLED = `00-${"c".repeat(32)}-${"b".repeat(16)}-00`;

Deno.test("wantsOpenMetrics() is what Accept asks for by name, and does not refuse", () => {
  const table: [accept: string | null, wants: boolean][] = [
    [null, false],
    ["*/*", false],
    ["text/plain;version=0.0.4", false],
    ["application/openmetrics-text", true],
    [
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;q=0.2",
      true,
    ],
    ["text/plain;q=0.5, Application/OpenMetrics-Text; version=0.0.1; q=0.75", true],
    ["application/openmetrics-text;q=0, */*", false],
    ["application/openmetrics-texts", false],
  ];
  for (const [accept, wants] of table) assert.equal(wantsOpenMetrics(accept), wants, `${accept}`);
});

Deno.test("renderOpenMetrics() names counters without _total, and escapes what labels say", () => {
  const text = renderOpenMetrics([
    {
      name: "a_total",
      help: 'says "so"\nand \\',
      type: "counter",
      values: [
        { value: 1, labels: { host: 'a"b\\c\nd' } },
      ],
    },
    { name: "b", help: "b", type: "gauge", values: [{ value: Infinity, labels: {} }] },
  ], new Map());
  assert.equal(
    text,
    [
      "# TYPE a counter",
      '# HELP a says \\"so\\"\\nand \\\\',
      'a_total{host="a\\"b\\\\c\\nd"} 1',
      "# TYPE b gauge",
      "# HELP b b",
      "b +Inf",
      "# EOF\n",
    ].join("\n"),
  );
});

Deno.test("only a request that is traced is the exemplar of its bucket, the last one of all", async () => {
  const metrics = createMetrics();
  end(metrics, { ms: 3, traceparent: undefined });
  end(metrics, { ms: 3, traceparent: NOT_SAMPLED });
  assert.doesNotMatch(await metrics.renderOpen(), /trace_id/);
  end(metrics, { ms: 3, traceparent: SAMPLED.replaceAll("a", "d") });
  end(metrics, { ms: 4, traceparent: SAMPLED });
  end(metrics, { ms: 99_000, traceparent: SAMPLED });
  const lines = (await metrics.renderOpen()).split("\n").filter((line) => line.includes(" # "));
  assert.deepEqual(lines.map((line) => line.replace(/ [\d.]+$/, "")), [
    ...["h8s_http_request_duration_seconds", "h8s_http_first_byte_seconds"].flatMap((name) => [
      `${name}_bucket{le="0.005"} 4 # {trace_id="${"a".repeat(32)}"} 0.004`,
      `${name}_bucket{le="+Inf"} 5 # {trace_id="${"a".repeat(32)}"} 99`,
    ]),
  ]);
  assert.doesNotMatch(await metrics.render(), /trace_id/);
});

Deno.test("Prometheus itself scrapes it, and finds the exemplar", async () => {
  await withPrometheus();
  const metrics = createMetrics();
  end(metrics, { ms: 4, traceparent: SAMPLED });
  const types: (string | null)[] = [];
  const handler = createHealthHandler({ metrics, notReady: () => undefined });
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const response = await handler(request);
      types.push(response.headers.get("content-type"));
      return response;
    },
  );
  const directory = await Deno.makeTempDir();
  const config = {
    global: { scrape_interval: "250ms", scrape_timeout: "200ms" },
    scrape_configs: [
      { job_name: "h8s", static_configs: [{ targets: [`127.0.0.1:${server.addr.port}`] }] },
    ],
  };
  await Deno.writeTextFile(`${directory}/prometheus.yml`, JSON.stringify(config));
  const port = freePort();
  const prometheus = new Deno.Command("prometheus", {
    args: [
      `--config.file=${directory}/prometheus.yml`,
      `--storage.tsdb.path=${directory}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--enable-feature=exemplar-storage",
      "--log.level=error",
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    const query = new URLSearchParams({
      query: "h8s_http_request_duration_seconds_bucket",
      start: String(Date.now() / 1000 - 60),
      end: String(Date.now() / 1000 + 60),
    });
    const url = `http://127.0.0.1:${port}/api/v1`;
    const found = await poll(async () => {
      const { data } = await (await fetch(`${url}/query_exemplars?${query}`)).json();
      return data.length > 0 ? data : undefined;
    });
    const [{ seriesLabels, exemplars: [{ labels, value }] }] = found;
    assert.deepEqual([seriesLabels.le, labels.trace_id, value], ["0.005", "a".repeat(32), "0.004"]);
    assert.match(types[0] ?? "", /^application\/openmetrics-text; version=1\.0\.0/);
    const { data } = await (await fetch(`${url}/targets`)).json();
    const [{ health, lastError }] = data.activeTargets;
    assert.deepEqual([health, lastError], ["up", ""]);
    // A counter keeps its name, whichever format it was scraped in.
    const asked = await fetch(`${url}/query?query=h8s_http_requests_total{status="2xx"}`);
    const { data: { result: [{ value: [, count] }] } } = await asked.json();
    assert.equal(count, "1");
  } finally {
    prometheus.kill("SIGKILL");
    await prometheus.status;
    await Deno.remove(directory, { recursive: true });
  }
});

function createMetrics(): Metrics {
  return new Metrics({ reconnects: () => 0, connected: () => true });
}

function end(
  metrics: Metrics,
  { ms, traceparent }: { ms: number; traceparent: string | undefined },
): void {
  metrics.requestBegun();
  metrics.requestEnded(200, {
    ...{ durationMs: ms, firstByteMs: ms, route: undefined, host: "shop.example", traceparent },
  });
}

/** Asks until there is an answer. */
// deno-lint-ignore no-explicit-any -- what Prometheus' API gives
async function poll(ask: () => Promise<any>): Promise<any> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined) return answer;
    await pause(100);
  }
  throw new Error("Cannot find it: Prometheus has scraped nothing in 30 s");
}

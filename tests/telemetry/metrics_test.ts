import assert from "node:assert/strict";
import { Metrics } from "../../lib/telemetry/metrics.ts";

const SOURCES = { reconnects: () => 0, connected: () => false };

Deno.test("Metrics counts what it is told", async (t) => {
  const table: [
    title: string,
    act: (metrics: Metrics) => void,
    [series: string, value: number][],
  ][] = [
    ["a request in flight", (m) => m.requestBegun(), [["h8s_http_requests_in_flight", 1]]],
    ["a request that ended", (m) => end(m, 204, 20), [
      ["h8s_http_requests_in_flight", 0],
      ['h8s_http_requests_total{status="2xx"}', 1],
      ["h8s_http_request_duration_seconds_count", 1],
      ["h8s_http_request_duration_seconds_sum", 0.02],
    ]],
    ["the class of each status", (m) => [101, 200, 301, 404, 499, 503].forEach((s) => end(m, s)), [
      ['h8s_http_requests_total{status="1xx"}', 1],
      ['h8s_http_requests_total{status="2xx"}', 1],
      ['h8s_http_requests_total{status="3xx"}', 1],
      ['h8s_http_requests_total{status="4xx"}', 2],
      ['h8s_http_requests_total{status="5xx"}', 1],
    ]],
    ["durations in seconds", (m) => [1, 2.5, 2.6, 30_000, 31_000].forEach((d) => end(m, 200, d)), [
      ['h8s_http_request_duration_seconds_bucket{le="0.001"}', 1],
      ['h8s_http_request_duration_seconds_bucket{le="0.0025"}', 2],
      ['h8s_http_request_duration_seconds_bucket{le="0.005"}', 3],
      ['h8s_http_request_duration_seconds_bucket{le="30"}', 4],
      ['h8s_http_request_duration_seconds_bucket{le="+Inf"}', 5],
    ]],
    ["responses cut off", (m) => ["overflow", "timeout", "overflow"].forEach((r) => abort(m, r)), [
      ['h8s_http_responses_aborted_total{reason="overflow"}', 2],
      ['h8s_http_responses_aborted_total{reason="timeout"}', 1],
    ]],
    ["refusals", (m) => (m.requestRefused("unauthorized"), m.requestRefused("rate_limited")), [
      ['h8s_requests_refused_total{code="unauthorized"}', 1],
      ['h8s_requests_refused_total{code="rate_limited"}', 1],
    ]],
    [
      "bytes of bodies",
      (m) => (m.bodyBytes("in", 3), m.bodyBytes("in", 4), m.bodyBytes("out", 5)),
      [
        ['h8s_http_body_bytes_total{direction="in"}', 7],
        ['h8s_http_body_bytes_total{direction="out"}', 5],
      ],
    ],
    ["sockets", (m) => (m.socketOpened(), m.socketOpened(), m.socketClosed(1001)), [
      ["h8s_websockets_open", 1],
      ['h8s_websockets_closed_total{code="1001"}', 1],
    ]],
    ["messages", (m) => (m.message("in", 10), m.message("in", 0), m.message("out", 7)), [
      ['h8s_websocket_messages_total{direction="in"}', 2],
      ['h8s_websocket_messages_total{direction="out"}', 1],
      ['h8s_websocket_bytes_total{direction="in"}', 10],
      ['h8s_websocket_bytes_total{direction="out"}', 7],
    ]],
    ["messages that nobody heard", (m) => m.messageUnheard(), [
      ["h8s_websocket_messages_unheard_total", 1],
    ]],
  ];
  for (const [title, act, expected] of table) {
    await t.step(title, async () => {
      const metrics = new Metrics(SOURCES);
      act(metrics);
      const series = await readSeries(metrics);
      for (const [name, value] of expected) assert.equal(series.get(name), value, name);
    });
  }
});

Deno.test("Metrics starts with everything at zero, so that a rate has a beginning", async (t) => {
  const series = await readSeries(new Metrics(SOURCES));
  const table = [
    ...["1xx", "2xx", "3xx", "4xx", "5xx"].map((c) => `h8s_http_requests_total{status="${c}"}`),
    ...["in", "out"].flatMap((direction) =>
      ["http_body_bytes", "websocket_messages", "websocket_bytes"].map((name) =>
        `h8s_${name}_total{direction="${direction}"}`
      )
    ),
    "h8s_http_requests_in_flight",
    "h8s_websockets_open",
    "h8s_websocket_messages_unheard_total",
    "h8s_nats_reconnects_total",
    "h8s_nats_connected",
    "h8s_http_request_duration_seconds_count",
  ];
  for (const name of table) await t.step(name, () => assert.equal(series.get(name), 0));
});

Deno.test("Metrics counts by route, and names no more than a hundred", async () => {
  const metrics = new Metrics(SOURCES);
  for (let count = 0; count < 300; count++) {
    metrics.requestEnded(200, { durationMs: 1, firstByteMs: 1, route: `/${count}`, host: "e.com" });
  }
  metrics.requestEnded(404, { durationMs: 1, firstByteMs: 1, route: undefined, host: "e.com" });
  const series = await readSeries(metrics);
  const total = (labels: string) => series.get(`h8s_http_route_requests_total{${labels}}`);
  assert.equal(total('route="/7",status="2xx"'), 1);
  assert.equal(total('route="convention",status="4xx"'), 1);
  assert.equal(total('route="other",status="2xx"'), 201);
  assert.equal([...series.keys()].filter((name) => name.includes("route=")).length, 101 * 5);
});

Deno.test("Metrics counts 503 and 504 by host, and names no more than a hundred", async () => {
  const metrics = new Metrics(SOURCES);
  const seen = { durationMs: 1, firstByteMs: 1, route: undefined };
  metrics.requestEnded(504, { ...seen, host: "Shop.example" });
  metrics.requestEnded(500, { ...seen, host: "fails.example" });
  for (let count = 0; count < 300; count++) {
    metrics.requestEnded(503, { ...seen, host: `${count}` });
  }
  const series = await readSeries(metrics);
  const total = (labels: string) => series.get(`h8s_http_host_failures_total{${labels}}`);
  assert.equal(total('host="shop.example",status="504"'), 1);
  assert.equal(total('host="7",status="503"'), 1);
  assert.equal(total('host="fails.example",status="503"'), undefined);
  assert.equal(total('host="other",status="503"'), 201);
});

Deno.test("Metrics asks for the state of NATS each time it is rendered", async () => {
  let reconnects = 0;
  let connected = false;
  const metrics = new Metrics({ reconnects: () => reconnects, connected: () => connected });
  const table: [reconnects: number, connected: boolean, gauge: number][] = [
    [0, false, 0],
    [0, true, 1],
    [3, true, 1],
    [3, false, 0],
  ];
  for (const [count, isConnected, gauge] of table) {
    reconnects = count;
    connected = isConnected;
    const series = await readSeries(metrics);
    assert.equal(series.get("h8s_nats_reconnects_total"), count);
    assert.equal(series.get("h8s_nats_connected"), gauge);
  }
});

Deno.test("two Metrics in one process count for themselves", async () => {
  const [one, other] = [new Metrics(SOURCES), new Metrics(SOURCES)];
  one.socketOpened();
  assert.equal((await readSeries(one)).get("h8s_websockets_open"), 1);
  assert.equal((await readSeries(other)).get("h8s_websockets_open"), 0);
});

Deno.test("render() is Prometheus's text format, each metric with its help and type", async () => {
  const metrics = new Metrics(SOURCES);
  end(metrics, 200, 12);
  metrics.socketOpened();
  metrics.socketClosed(1000);
  abort(metrics, "overflow");
  assert.match(metrics.contentType, /^text\/plain; version=0\.0\.4/);
  const lines = (await metrics.render()).split("\n").filter((line) => line !== "");
  const documented = new Set<string>();
  for (const line of lines) {
    const help = /^# (HELP|TYPE) (h8s_[a-z0-9_]+) \S/.exec(line);
    if (help !== null) {
      documented.add(`${help[1]} ${help[2]}`);
      continue;
    }
    const sample =
      /^(h8s_[a-z0-9_]+?)(?:_bucket|_sum|_count)?(?:\{[a-z]+="[^"\\]*"(?:,[a-z]+="[^"\\]*")*\})? \S+$/
        .exec(
          line,
        );
    assert.ok(sample !== null, line);
    const name = sample[1];
    assert.ok(documented.has(`HELP ${name}`) && documented.has(`TYPE ${name}`), line);
  }
});

function end(metrics: Metrics, status: number, durationMs = 1): void {
  metrics.requestBegun();
  metrics.requestEnded(status, {
    ...{ durationMs, firstByteMs: durationMs },
    ...{ route: undefined, host: "e.com" },
  });
}

function abort(metrics: Metrics, reason: string): void {
  metrics.responseAborted(reason);
}

async function readSeries(metrics: Metrics): Promise<Map<string, number>> {
  const lines = (await metrics.render()).split("\n").filter((line) => /^h8s_/.test(line));
  return new Map(lines.map((line) => {
    const space = line.lastIndexOf(" ");
    return [line.slice(0, space), Number(line.slice(space + 1))];
  }));
}

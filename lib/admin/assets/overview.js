// @ts-check
/// <reference lib="dom" />
import { createChart } from "./charts.js";
import { find, make, sync, write } from "./dom.js";
import { toAgo, toBytes, toCount, toDuration, toRank, toSeconds } from "./format.js";
import { drawHeat } from "./heat.js";

/** @typedef {import("../history.ts").Sample} Sample */
/** @typedef {import("../traffic.ts").ErrorSummary} ErrorSummary */

/** What is kept, in seconds: as much as the gateway keeps. */
const LONGEST_S = 600;
/** The shortest time that is shown, in seconds. */
const LEAST_S = 60;
/** Over how many samples the figures at the top are. */
const LATELY = 5;

let samples = /** @type {Sample[]} */ ([]);
let bounds = /** @type {readonly number[]} */ ([]);
let ranks = /** @type {WeakMap<Sample, Record<"p50" | "p99", number | null>>} */ (new WeakMap());

const toRankText = (/** @type {number | null} */ rank) => toDuration(toSeconds(rank, bounds));
const drawRequests = createChart("#chart-requests", {
  series: [
    { label: "2xx", color: "--good", fill: true },
    { label: "3xx", color: "--plain" },
    { label: "4xx", color: "--warn" },
    { label: "5xx", color: "--bad" },
  ],
  format: toCount,
  height: 200,
  isStacked: true,
});
const drawLatency = createChart("#chart-latency", {
  series: [
    { label: "Median", color: "--median", format: toRankText },
    { label: "99 %", color: "--p99", format: toRankText },
  ],
  format: String,
  height: 240,
  scale: { range: () => [0, bounds.length + 1] },
  axis: {
    splits: () => bounds.map((_, index) => index + 1).filter((index) => index % 2 === 1),
    values: (/** @type {any} */ _, /** @type {number[]} */ splits) =>
      splits.map((index) => toDuration(bounds[index - 1])),
  },
  draw: (chart) => drawHeat(chart, samples),
});
const drawOpen = createChart("#chart-open", {
  series: [
    { label: "Requests in flight", color: "--good", fill: true },
    { label: "WebSockets", color: "--out" },
  ],
  format: toCount,
});
const drawMessages = createChart("#chart-messages", {
  series: [
    { label: "From clients", color: "--good" },
    { label: "To clients", color: "--out" },
  ],
  format: toCount,
});
const drawBytes = createChart("#chart-bytes", {
  series: [
    { label: "From clients", color: "--good" },
    { label: "To clients", color: "--out" },
  ],
  format: toBytes,
});

find("#span").addEventListener("change", draw);

/**
 * Begins with what the gateway has kept.
 *
 * @param {{ samples: Sample[], bounds: number[] }} history
 */
export function begin(history) {
  samples = history.samples;
  bounds = history.bounds;
  ranks = new WeakMap();
  draw();
}

/**
 * Goes on.
 *
 * @param {{ sample: Sample, bounds: number[] }} tick
 * @param {boolean} isShown
 */
export function goOn({ sample, bounds: now }, isShown) {
  bounds = now;
  samples.push(sample);
  const oldest = sample.at - LONGEST_S * 1000;
  while (samples[0] !== undefined && samples[0].at < oldest) samples.shift();
  if (isShown) draw();
}

/** Draws all of it anew, e.g. when it is shown again. */
export function draw() {
  const last = samples.at(-1);
  const checked = /** @type {HTMLInputElement} */ (find("#span :checked"));
  const to = last === undefined ? Date.now() / 1000 : last.at / 1000;
  const first = (samples[0]?.at ?? 0) / 1000;
  // A gateway that has just started has nothing to show before.
  const from = Math.min(to - LEAST_S, Math.max(to - Number(checked.value), first));
  const span = /** @type {[number, number]} */ ([from, to]);
  const seen = samples.filter(({ at }) => at / 1000 >= span[0] - 2);
  const times = seen.map(({ at }) => at / 1000);
  const of = (/** @type {(sample: Sample) => number | null | undefined} */ read) =>
    seen.map((sample) => read(sample) ?? null);
  drawRequests(times, [0, 1, 2, 3].map((index) => of(({ responses }) => responses[index])), span);
  drawLatency(
    times,
    [of((sample) => toRanks(sample).p50), of((sample) => toRanks(sample).p99)],
    span,
  );
  drawOpen(times, [of(({ inFlight }) => inFlight), of(({ sockets }) => sockets)], span);
  drawMessages(times, [0, 1].map((index) => of(({ messages }) => messages[index])), span);
  drawBytes(times, [0, 1].map((index) => of(({ bytes }) => bytes[index])), span);
  tell(samples.slice(-LATELY));
}

/** @param {Sample} sample */
function toRanks(sample) {
  let found = ranks.get(sample);
  if (found === undefined) {
    found = {
      p50: toRank(sample.latency, bounds, 0.5) ?? null,
      p99: toRank(sample.latency, bounds, 0.99) ?? null,
    };
    ranks.set(sample, found);
  }
  return found;
}

/** @param {Sample[]} lately */
function tell(lately) {
  const last = lately.at(-1);
  if (last === undefined) return;
  const mean = (/** @type {(sample: Sample) => number} */ read) =>
    lately.reduce((sum, sample) => sum + read(sample), 0) / lately.length;
  const latency = last.latency.map((_, index) =>
    lately.reduce((sum, sample) => sum + (sample.latency[index] ?? 0), 0)
  );
  const rank = (/** @type {number} */ share) =>
    toDuration(toSeconds(toRank(latency, bounds, share), bounds));
  const errors = mean(({ responses }) => responses[3] ?? 0);
  write(
    find("#now-requests"),
    toCount(mean(({ responses }) => responses.reduce((a, b) => a + b, 0))),
  );
  write(find("#now-p50"), rank(0.5));
  write(find("#now-p99"), rank(0.99));
  write(find("#now-errors"), toCount(errors));
  find("#now-errors").closest("div")?.classList.toggle("alarm", errors > 0);
  write(find("#now-flight"), toCount(last.inFlight));
  write(find("#now-sockets"), toCount(last.sockets));
}

/**
 * Shows what was refused and what failed.
 *
 * @param {readonly ErrorSummary[]} errors
 */
export function showErrors(errors) {
  find("#errors-empty").hidden = errors.length > 0;
  write(
    find("#errors-count"),
    errors.length === 0 ? "" : toCount(errors.reduce((sum, { count }) => sum + count, 0)),
  );
  sync(find("#errors"), errors, {
    key: ({ code }) => code,
    create: createError,
    update: updateError,
  });
}

/** @param {ErrorSummary} error */
function createError({ code, status }) {
  const pill = make(
    `span.pill.${status >= 500 ? "bad" : "warn"}`,
    status === 0 ? "cut" : String(status),
  );
  const summary = make(
    "summary",
    pill,
    make("span.mono.code", code),
    make("span.example.mono"),
    make("span.count"),
    make("span.note.ago"),
  );
  return make("li", make("details", summary, make("dl.facts")));
}

/**
 * @param {HTMLElement} item
 * @param {ErrorSummary} error
 */
function updateError(item, { count, at, example }) {
  write(find(".count", item), `${toCount(count)}×`);
  write(find(".ago", item), toAgo(at));
  const { method = "", host = "", path = "" } = example;
  write(find(".example", item), `${method} ${host}${path}`);
  const facts = Object.entries({
    "Request": `${method} ${host}${path}`,
    "Why": example.reason,
    "Subject": example.subject,
    "Route": example.route,
    "Client": example.client,
    "User agent": example.userAgent,
    "Request id": example.requestId,
    "Took": example.ms === undefined ? undefined : toDuration(example.ms / 1000),
    "When": new Date(at).toLocaleString([], { hour12: false }),
  });
  const list = find(".facts", item);
  sync(list, facts.filter(([, value]) => value !== undefined && value !== ""), {
    key: ([name]) => name,
    create: ([name]) => make("div", make("dt", name), make("dd.mono")),
    update: (element, [, value]) => write(find("dd", element), String(value)),
  });
}

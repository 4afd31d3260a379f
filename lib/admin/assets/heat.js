// @ts-check
/// <reference lib="dom" />
import { toColor } from "./charts.js";

/** From few to many. */
const COLORS = ["--heat-1", "--heat-2", "--heat-3", "--heat-4", "--heat-5", "--heat-6"];
/** The least that a cell is wide, in pixels of the screen. */
const LEAST_WIDTH = 3;

/**
 * How many requests took how long, second by second: a column for each, a cell for each bucket. uPlot gives
 * scales and axes, and has no such chart of its own.
 *
 * @param {any} chart
 * @param {readonly { at: number, latency: readonly number[] }[]} samples
 */
export function drawHeat(chart, samples) {
  const { ctx, bbox } = chart;
  const { min, max } = chart.scales.x;
  if (samples.length === 0 || max === null) return;
  const seconds = Math.max(
    1,
    Math.ceil((LEAST_WIDTH * devicePixelRatio) / (bbox.width / (max - min))),
  );
  const columns = gather(samples.filter(({ at }) => at / 1000 >= min - seconds), seconds);
  const most = Math.max(1, ...columns.flatMap(({ counts }) => counts));
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const { from, counts } of columns) {
    const left = Math.round(chart.valToPos(from, "x", true));
    const right = Math.round(chart.valToPos(from + seconds, "x", true));
    for (const [index, count] of counts.entries()) {
      if (count === 0) continue;
      const top = Math.round(chart.valToPos(index + 1, "y", true));
      const bottom = Math.round(chart.valToPos(index, "y", true));
      // By the logarithm: the few slow ones are what is looked for.
      const share = most === 1 ? 1 : Math.log(count + 1) / Math.log(most + 1);
      ctx.fillStyle = toColor(
        COLORS[Math.min(COLORS.length - 1, Math.floor(share * COLORS.length))] ?? "",
      );
      ctx.fillRect(left, top + 1, Math.max(1, right - left - 1), Math.max(1, bottom - top - 1));
    }
  }
  ctx.restore();
}

/**
 * @param {readonly { at: number, latency: readonly number[] }[]} samples
 * @param {number} seconds A column has so many.
 */
function gather(samples, seconds) {
  const columns = /** @type {Map<number, number[]>} */ (new Map());
  for (const { at, latency } of samples) {
    const from = Math.floor(at / 1000 / seconds) * seconds;
    const counts = columns.get(from);
    if (counts === undefined) columns.set(from, [...latency]);
    else {for (const [index, count] of latency.entries()) {
        counts[index] = (counts[index] ?? 0) + count;
      }}
  }
  return [...columns].map(([from, counts]) => ({ from, counts }));
}

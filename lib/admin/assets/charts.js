// @ts-check
/// <reference lib="dom" />
// @ts-ignore: the gateway makes it of the package.
import uPlot from "./uplot.js";
import { find, make, write } from "./dom.js";

/** Those that are there, to be drawn again when colours or sizes change. */
const charts = /** @type {{ chart: any, body: HTMLElement, height: number }[]} */ ([]);
const probe = make("span.unseen");
probe.setAttribute("aria-hidden", "true");
document.body.append(probe);
const known = /** @type {Map<string, string>} */ (new Map());

/**
 * A colour of the style sheet, as a canvas takes it.
 *
 * @param {string} name Of a custom property, e.g. `"--line"`.
 * @returns {string}
 */
export function toColor(name) {
  let color = known.get(name);
  if (color === undefined) {
    probe.style.color = `var(${name})`;
    known.set(name, color = getComputedStyle(probe).color);
  }
  return color;
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  known.clear();
  for (const { chart } of charts) chart.redraw(false, true);
});

new ResizeObserver(() => {
  for (const each of charts) fit(each);
}).observe(find("#main"));

/**
 * Puts a chart of time into a figure.
 *
 * @param {string} selector Of the figure.
 * @param {{
 *   series: { label: string, color: string, fill?: boolean, format?: (value: number | null) => string }[],
 *   format: (value: number) => string,
 *   height?: number,
 *   isStacked?: boolean,
 *   scale?: object,
 *   axis?: object,
 *   draw?: (chart: any) => void,
 * }} options
 * @returns {(times: number[], values: (number | null)[][], span: [from: number, to: number]) => void}
 * Draws; times in seconds.
 */
export function createChart(
  selector,
  { series, format, height = 180, isStacked = false, scale = {}, axis = {}, draw },
) {
  const figure = find(selector);
  const legend = make("ul.legend");
  find("figcaption", figure).append(legend);
  const body = make("div.plot");
  body.setAttribute("aria-hidden", "true");
  figure.append(body);
  const shown = series.map(({ label, color }) => {
    const value = make("b", "–");
    const mark = make("i");
    mark.style.background = `var(${color})`;
    legend.append(make("li", mark, `${label} `, value));
    return value;
  });
  let raw = /** @type {(number | null)[][]} */ ([]);
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const lines = {
    font,
    stroke: () => toColor("--muted"),
    grid: { stroke: () => toColor("--grid"), width: 1 },
    ticks: { show: false },
  };
  const chart = new uPlot(
    {
      width: 300,
      height,
      padding: [8, 16, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: false, y: false },
        points: { show: false },
        sync: { key: "h8s" },
      },
      scales: {
        x: { time: true },
        y: {
          range: (
            /** @type {any} */ _,
            /** @type {number} */ __,
            /** @type {number} */ max,
          ) => [0, Math.max(max * 1.12, 1)],
          ...scale,
        },
      },
      axes: [
        { ...lines, size: 28, space: 70, values: toTimes },
        {
          ...lines,
          size: 56,
          space: 36,
          values: (/** @type {any} */ _, /** @type {number[]} */ splits) => splits.map(format),
          ...axis,
        },
      ],
      bands: isStacked
        ? series.slice(1).map((_, index) => ({
          series: [index + 2, index + 1],
          fill: () => fade(toColor(series[index + 1]?.color ?? "--ink")),
        }))
        : [],
      series: [
        {},
        ...series.map(({ color, fill }) => ({
          stroke: () => toColor(color),
          width: 1.5,
          points: { show: false },
          ...(fill ? { fill: () => fade(toColor(color)) } : {}),
        })),
      ],
      hooks: {
        drawClear: draw === undefined ? [] : [draw],
        setCursor: [tell],
      },
    },
    [[], ...series.map(() => [])],
    body,
  );
  const own = { chart, body, height };
  charts.push(own);

  /** Of the second that is pointed at, else of the last. */
  function tell() {
    const { idx } = chart.cursor;
    for (const [index, element] of shown.entries()) {
      const values = raw[index] ?? [];
      const value = values[idx ?? values.length - 1] ?? null;
      const { format: own } = series[index] ?? {};
      write(element, own !== undefined ? own(value) : value === null ? "–" : format(value));
    }
  }

  return (times, values, [min, max]) => {
    raw = values;
    fit(own);
    chart.batch(() => {
      chart.setData([times, ...(isStacked ? stack(values) : values)], false);
      chart.setScale("x", { min, max });
    });
    tell();
  };
}

/** @param {{ chart: any, body: HTMLElement, height: number }} one */
function fit({ chart, body, height }) {
  const width = body.clientWidth;
  if (width > 0 && width !== chart.width) chart.setSize({ width, height });
}

/**
 * One on top of the other. What is nothing, and is nothing beside it, has no line: it would hide the one below.
 *
 * @param {(number | null)[][]} values
 */
function stack(values) {
  const sums = /** @type {number[]} */ ([]);
  return values.map((row, level) =>
    row.map((value, index) => {
      const sum = sums[index] = (sums[index] ?? 0) + (value ?? 0);
      return level === 0 || value || row[index - 1] || row[index + 1] ? sum : null;
    })
  );
}

/** @param {string} color */
function fade(color) {
  return color.replace(/^rgb\((.*)\)$/, "rgba($1, 0.22)");
}

/**
 * @param {any} _
 * @param {number[]} splits
 */
function toTimes(_, splits) {
  return splits.map((at) =>
    new Date(at * 1000).toLocaleTimeString([], {
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hour12: false,
    })
  );
}

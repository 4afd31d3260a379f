// @ts-check
/// <reference lib="dom" />
import { find, make, sync, write } from "./dom.js";
import { toCount, toDuration, toRank, toSeconds } from "./format.js";

/** @typedef {import("../traffic.ts").RouteSummary} RouteSummary */

/**
 * Shows the routes with their traffic.
 *
 * @param {readonly RouteSummary[]} routes
 * @param {readonly number[]} bounds Of their latency, in seconds.
 */
export function showRoutes(routes, bounds) {
  const most = Math.max(1, ...routes.map(({ requests }) => requests));
  sync(find("#route-rows"), routes, {
    key: ({ route }) => route,
    create: ({ route, subject, guards }) => {
      const tags = guards.map((guard) => make("span.tag", guard));
      const name = make("div.mono.strong", route);
      const bar = make("div.bar", make("i"));
      const about = make("div.note.mono", subject);
      return make(
        "tr",
        make("td", name, about, make("div.tags", ...tags), bar),
        ...["requests", "rate", "failed"].map((kind) => make(`td.number.${kind}`)),
        ...["p50", "p99"].map((kind) => make(`td.number.minor.${kind}`)),
      );
    },
    update: (row, { requests, rate, failed, latency }) => {
      find(".bar i", row).style.width = `${(100 * requests) / most}%`;
      find(".bar", row).hidden = requests === 0;
      write(find(".requests", row), toCount(requests));
      write(find(".rate", row), toCount(rate));
      write(find(".failed", row), failed === 0 ? "–" : toCount(failed));
      find(".failed", row).classList.toggle("bad-text", failed > 0);
      write(find(".p50", row), toDuration(toSeconds(toRank(latency, bounds, 0.5), bounds)));
      write(find(".p99", row), toDuration(toSeconds(toRank(latency, bounds, 0.99), bounds)));
    },
  });
}

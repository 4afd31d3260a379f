// @ts-check
/// <reference lib="dom" />
import { find, make, sync, write } from "./dom.js";
import { toAgo, toCount } from "./format.js";

/** @typedef {import("../cluster.ts").GatewaySummary} GatewaySummary */
/** @typedef {import("../cluster.ts").WorkloadSummary} WorkloadSummary */

/** Clocks that are further apart make tokens expire too early or too late. */
const CLOCK_MS = 1000;

/**
 * Shows the gateways.
 *
 * @param {readonly GatewaySummary[]} gateways
 */
export function showGateways(gateways) {
  write(find("#gateways-count"), String(gateways.length));
  sync(find("#gateway-rows"), gateways, {
    key: ({ gateway }) => gateway,
    create: ({ gateway, isOwn }) =>
      make(
        "tr",
        make(
          "td",
          make("div.mono.strong", gateway),
          make("div.note.about"),
          isOwn ? make("span.tag", "this one") : "",
        ),
        make("td", make("span.state")),
        make("td.number.sockets"),
        make("td.minor.since"),
        make("td.number.minor.clock"),
      ),
    update: (row, { state, version, listen, connections, since, aheadMs }) => {
      write(find(".about", row), [version && `h8s ${version}`, listen].filter(Boolean).join(", "));
      write(find(".state", row), state);
      find(".state", row).dataset["state"] = state === "alive" ? "good" : "warn";
      write(find(".sockets", row), connections === undefined ? "–" : toCount(connections));
      write(
        find(".since", row),
        since === undefined ? "–" : toAgo(Date.parse(since)).replace(" ago", ""),
      );
      const ahead = aheadMs === undefined
        ? "–"
        : Math.abs(aheadMs) < CLOCK_MS
        ? "right"
        : `${aheadMs > 0 ? "+" : "−"}${(Math.abs(aheadMs) / 1000).toFixed(1)} s`;
      write(find(".clock", row), ahead);
    },
  });
}

/**
 * Shows who serves.
 *
 * @param {readonly WorkloadSummary[]} workloads
 */
export function showWorkloads(workloads) {
  write(find("#workloads-count"), workloads.length === 0 ? "" : String(workloads.length));
  find("#workloads-empty").hidden = workloads.length > 0;
  find("#workloads-table").hidden = workloads.length === 0;
  sync(find("#workload-rows"), workloads, {
    key: ({ what }) => what,
    create: ({ what }) =>
      make(
        "tr",
        make("td", make("div.mono.strong", what)),
        make("td.registered"),
        make("td.number.answered"),
        make("td.number.unanswered"),
        make("td.number.minor.last"),
      ),
    update: (row, { registered, answered, unanswered, at }) => {
      write(find(".registered", row), registered.join(", ") || "–");
      write(find(".answered", row), answered === 0 ? "–" : toCount(answered));
      write(find(".unanswered", row), unanswered === 0 ? "–" : toCount(unanswered));
      find(".unanswered", row).classList.toggle("bad-text", unanswered > 0);
      write(find(".last", row), at === undefined ? "–" : toAgo(at));
    },
  });
}

import assert from "node:assert/strict";
import { type Result, summarize } from "../../bench/case.ts";
import { parseBenchOptions } from "../../bench/options.ts";
import { renderResult, toRatios } from "../../bench/report.ts";

const MAIN = new URL("../../bench/main.ts", import.meta.url).pathname;
const ONE = { median: 1, min: 1, max: 1 };

Deno.test("summarize() gives the median of odd and even counts, and the ends", () => {
  const table: [samples: number[], median: number, min: number, max: number][] = [
    [[4], 4, 4, 4],
    [[9, 1, 5], 5, 1, 9],
    [[1, 9, 5, 4], 4.5, 1, 9],
  ];
  for (const [samples, median, min, max] of table) {
    assert.deepEqual(summarize(samples), { median, min, max });
  }
});

Deno.test("toRatios() compares with what there is", () => {
  const two = { median: 2, min: 2, max: 2 };
  assert.deepEqual(toRatios({ h8s: two, bare: ONE, peer: two }), [["h8s/bare", 2], [
    "h8s/peer",
    1,
  ]]);
  assert.deepEqual(toRatios({ h8s: two, plain: ONE }), [["h8s/plain", 2]]);
  assert.deepEqual(toRatios({ bare: ONE }), []);
});

Deno.test("renderResult() says why there is no figure, and prints no zero for it", () => {
  const text = renderResult({
    case: "get",
    title: "GET",
    runs: 1,
    figures: { "p50 ms": { bare: ONE } },
    unmeasured: { h8s: "it did not start" },
  });
  assert.match(text, /h8s not measured: it did not start/);
  assert.doesNotMatch(text, /h8s 0/);
});

Deno.test("parseBenchOptions() refuses what cannot be run", () => {
  assert.equal(parseBenchOptions(["--quick"]).runs, 1);
  for (const args of [["--runs", "0"], ["--runs", "x"], ["--no-such"]]) {
    assert.throws(() => parseBenchOptions(args), TypeError, args.join(" "));
  }
});

Deno.test("the benchmark yields figures of the gateway, of a bare server, and of a peer", async () => {
  const json = await Deno.makeTempFile({ suffix: ".json" });
  const peer = `${Deno.execPath()} run --no-prompt --allow-net main.ts --listen 127.0.0.1:{port} ` +
    "--nats-url {nats}";
  const cases = ["seen-page", "ws-in-100B-1", "start"];
  try {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", MAIN, "--quick", "--json", json, "--peer", peer, ...cases],
    }).output();
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assert.ok(success, text);
    const { results }: { results: Result[] } = JSON.parse(await Deno.readTextFile(json));
    const found = results.map(({ case: name, figures, unmeasured }) => {
      assert.deepEqual(unmeasured, {}, text);
      const medians = Object.values(figures).flatMap((byTarget) => Object.values(byTarget));
      for (const { median } of medians) assert.ok(median > 0 && Number.isFinite(median), text);
      return [name, Object.keys(Object.values(figures)[0]!)];
    });
    assert.deepEqual(found, [
      ["seen-page", ["plain", "h8s"]],
      ["ws-in-100B-1", ["bare", "h8s", "peer"]],
      ["ws-in-100B-100", ["bare", "h8s", "peer"]],
      ["start", ["bare", "h8s"]],
    ]);
  } finally {
    await Deno.remove(json);
  }
});

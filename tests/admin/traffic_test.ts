import assert from "node:assert/strict";
import { Traffic } from "../../lib/admin/traffic.ts";
import { parseRoute } from "../../lib/mapping/route.ts";
import type { Observation } from "../../lib/telemetry/observation.ts";

function toObservation(parts: Partial<Observation> = {}): Observation {
  return {
    ...{ kind: "http", time: 0, client: "203.0.113.1", method: "GET", scheme: "http" },
    ...{ host: "shop.example", path: "/cart/7", query: "", userAgent: "test" },
    ...{ requestId: "r1", traceparent: undefined, tracestate: undefined },
    ...{ subject: "h8s.http.GET.example.shop.cart.7", route: undefined, status: 200 },
    ...{ error: undefined, end: "completed", bytesIn: 0, bytesOut: 0 },
    ...{ firstByteMs: 1, durationMs: 2, socket: undefined, ...parts },
  } as Observation;
}

Deno.test("each kind of trouble has its count, and the last of its kind", async (t) => {
  const socket = { connectionId: "c", messagesIn: 0, messagesOut: 0, closeReason: "slow consumer" };
  const table: [observation: Partial<Observation>, code: string | undefined, status: number][] = [
    [{}, undefined, 0],
    [{ end: "ctx_done" }, undefined, 0],
    [{ status: 404 }, undefined, 0],
    [{ status: 503, error: "no_responders", end: "refused" }, "no_responders", 503],
    [{ status: 502 }, "a workload answered 502", 502],
    [{ end: "overflow" }, "cut off: overflow", 0],
    [{ status: 403, end: "refused" }, "refused by a workload", 403],
    [{ kind: "websocket", status: 101, socket: { ...socket, closeCode: 1013 } }, "closed 1013", 0],
    [{ kind: "websocket", status: 101, socket: { ...socket, closeCode: 1001 } }, undefined, 0],
  ];
  for (const [parts, code, status] of table) {
    await t.step(`${code}`, () => {
      const traffic = new Traffic();
      traffic.end(toObservation({ ...parts, requestId: "before" }));
      traffic.end(toObservation(parts));
      const [error] = traffic.listErrors();
      assert.equal(error?.code, code);
      if (error === undefined) return;
      assert.deepEqual([error.count, error.status, error.example.requestId], [2, status, "r1"]);
    });
  }
});

Deno.test("a route has its requests, its rate, its failures and its latency", () => {
  let now = 0;
  const traffic = new Traffic(() => now);
  const route = parseRoute({ match: { host: "shop.example", path: "/cart/:id" }, auth: "key" });
  assert.deepEqual(traffic.listRoutes([route]).map(({ requests }) => requests), [0]);
  for (let count = 0; count < 6; count++) {
    traffic.end(toObservation({ route: route.pattern, durationMs: count === 0 ? 60_000 : 4 }));
  }
  traffic.end(toObservation({ route: route.pattern, status: 504, error: "reply_timeout" }));
  now = 2000;
  const [own] = traffic.listRoutes([route]);
  assert.deepEqual([own?.route, own?.requests, own?.failed], ["shop.example/cart/:id", 7, 1]);
  assert.deepEqual(own?.guards, ["asks: key"]);
  assert.equal(own?.latency.at(-1), 1);
  now = 4000;
  traffic.end(toObservation({ route: route.pattern }));
  assert.equal(traffic.listRoutes([route])[0]?.rate, 0.5);
  traffic.end(toObservation());
  assert.equal(traffic.listRoutes([route])[1]?.route, "(convention)");
});

Deno.test("hosts that clients make up cost nothing, long texts are cut", () => {
  const traffic = new Traffic();
  for (let count = 0; count < 2000; count++) {
    const host = `made-up-${count}.example`;
    traffic.end(toObservation({ host, status: 503, error: "no_responders", end: "refused" }));
  }
  assert.deepEqual(traffic.listHosts(), []);
  // A workload that listens to everything answers for any.
  for (let count = 0; count < 2000; count++) {
    traffic.end(toObservation({ host: `made-up-${count}.example`, path: "/".repeat(9000) }));
  }
  assert.equal(traffic.listHosts().length, 257);
  assert.equal(traffic.listHosts().reduce((sum, { answered }) => sum + answered, 0), 2000);
  traffic.end(toObservation({ status: 500, path: "/".repeat(9000) }));
  assert.ok(traffic.listErrors()[0]!.example.path.length < 400);
});

Deno.test("who answered and who did not is counted by host", () => {
  const traffic = new Traffic(() => 7);
  traffic.end(toObservation());
  traffic.end(toObservation({ status: 504, error: "reply_timeout" }));
  const answers = { answered: 1, unanswered: 1, at: 7 };
  assert.deepEqual(traffic.listHosts(), [{ host: "shop.example", ...answers }]);
});

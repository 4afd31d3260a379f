import assert from "node:assert/strict";
import { createHealthHandler } from "../../lib/telemetry/health.ts";
import { Metrics } from "../../lib/telemetry/metrics.ts";

const metrics = new Metrics({ reconnects: () => 2, connected: () => true });

Deno.test("createHealthHandler() tells life and readiness apart", async (t) => {
  const table: [path: string, notReady: string | undefined, status: number, text: string][] = [
    ["/healthz", undefined, 200, "ok\n"],
    ["/healthz", "draining", 200, "ok\n"],
    ["/readyz", undefined, 200, "ok\n"],
    ["/readyz", "draining", 503, "draining\n"],
    ["/readyz", "NATS is not connected", 503, "NATS is not connected\n"],
    ["/readyz?verbose=1", "draining", 503, "draining\n"],
  ];
  for (const [path, reason, status, text] of table) {
    await t.step(`${path} when ${reason ?? "ready"}`, async () => {
      const handler = createHealthHandler({ metrics, notReady: () => reason });
      const response = await handler(new Request(`http://localhost${path}`));
      assert.deepEqual([response.status, await response.text()], [status, text]);
    });
  }
});

Deno.test("createHealthHandler() asks for the readiness at each request", async () => {
  let reason: string | undefined = "NATS is not connected";
  const handler = createHealthHandler({ metrics, notReady: () => reason });
  assert.equal((await handler(new Request("http://localhost/readyz"))).status, 503);
  reason = undefined;
  assert.equal((await handler(new Request("http://localhost/readyz"))).status, 200);
});

Deno.test("createHealthHandler() serves the metrics as Prometheus wants them", async () => {
  const handler = createHealthHandler({ metrics, notReady: () => "draining" });
  const response = await handler(new Request("http://localhost/metrics"));
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), metrics.contentType);
  const text = await response.text();
  assert.match(text, /^h8s_nats_reconnects_total 2$/m);
  assert.match(text, /^h8s_nats_connected 1$/m);
});

Deno.test("createHealthHandler() names its paths where there is nothing", async (t) => {
  const handler = createHealthHandler({ metrics, notReady: () => undefined });
  for (const path of ["/", "/healthz/", "/healthzz", "/metric", "/x/readyz"]) {
    await t.step(path, async () => {
      const response = await handler(new Request(`http://localhost${path}`));
      assert.equal(response.status, 404);
      const text = await response.text();
      for (const known of ["/healthz", "/readyz", "/metrics"]) {
        assert.ok(text.includes(known), text);
      }
    });
  }
});

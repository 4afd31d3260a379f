/**
 * Health and numbers for whoever runs the gateway.
 *
 * @module
 */
import type { Metrics } from "./metrics.ts";
import { OPEN_METRICS_TYPE, wantsOpenMetrics } from "./open_metrics.ts";

/** What can be asked of a gateway. */
export interface Health {
  /** Why it should get no traffic; undefined when it should. */
  readonly notReady: () => string | undefined;
  readonly metrics: Metrics;
}

/**
 * Makes the handler of the admin address: `/healthz` (the process lives), `/readyz` (NATS is
 * connected and nothing drains), `/metrics` (for Prometheus: OpenMetrics where `Accept` asks for it).
 *
 * @returns A handler for `Deno.serve`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createHealthHandler } from "./health.ts";
 * import { Metrics } from "./metrics.ts";
 *
 * const metrics = new Metrics({ reconnects: () => 0, connected: () => false });
 * const handler = createHealthHandler({ metrics, notReady: () => "NATS is not connected" });
 * const response = await handler(new Request("http://localhost/readyz"));
 * assert.equal(response.status, 503);
 * ```
 */
export function createHealthHandler(
  { notReady, metrics }: Health,
): (request: Request) => Promise<Response> {
  return async (request) => {
    switch (new URL(request.url).pathname) {
      case "/healthz":
        return new Response("ok\n");
      case "/readyz": {
        const reason = notReady();
        return new Response(`${reason ?? "ok"}\n`, { status: reason === undefined ? 200 : 503 });
      }
      case "/metrics": {
        const isOpen = wantsOpenMetrics(request.headers.get("accept"));
        const type = isOpen ? OPEN_METRICS_TYPE : metrics.contentType;
        const text = await (isOpen ? metrics.renderOpen() : metrics.render());
        return new Response(text, { headers: { "content-type": type, "vary": "accept" } });
      }
      default:
        return new Response("Here are /healthz, /readyz and /metrics\n", { status: 404 });
    }
  };
}

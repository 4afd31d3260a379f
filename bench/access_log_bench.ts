/**
 * What one line of the access log costs, from the end of a request to bytes: `deno bench -A bench/access_log_bench.ts`.
 *
 * @module
 */
import { AccessLog } from "../lib/telemetry/access_log.ts";
import { LineWriter } from "../lib/telemetry/line_writer.ts";
import type { Observation } from "../lib/telemetry/observation.ts";

const SEEN = {
  kind: "http",
  time: Date.UTC(2026, 0, 2, 3, 4, 5),
  client: "192.0.2.7",
  method: "GET",
  scheme: "http",
  host: "shop.example.com",
  path: "/api/v1/cart/7",
  query: "",
  userAgent: "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0",
  requestId: "GZJ2XQ7R5WU0P1K3M8N4V6-1",
  traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-00`,
  tracestate: undefined,
  subject: "h8s.http.GET.com.example.shop.api.v1.cart.7",
  route: undefined,
  status: 200,
  error: undefined,
  end: "completed",
  bytesIn: 0,
  socket: undefined,
} as const;
/** As many as are written at once under load. */
const LINES = 100;

for (const format of ["json", "text"] as const) {
  Deno.bench(`${LINES} lines of the access log, ${format}`, async () => {
    const writer = new LineWriter((bytes) => Promise.resolve(bytes.length), () => {});
    const log = new AccessLog(writer, { format, withQuery: false });
    for (let count = 0; count < LINES; count++) {
      const ms = 1 + count / 7;
      const seen: Observation = {
        ...SEEN,
        time: SEEN.time + count,
        bytesOut: 1000 + count,
        firstByteMs: ms,
        durationMs: ms + 0.1234,
      };
      log.end(seen);
    }
    await writer[Symbol.asyncDispose]();
  });
}

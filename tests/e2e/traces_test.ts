import assert from "node:assert/strict";
import { context, propagation, trace } from "@opentelemetry/api";
import {
  AlwaysOnSampler,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  StackContextManager,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { connect } from "@nats-io/transport";
import { Hono } from "hono";
import { serve, type SocketHandlers } from "../../lib/workload/mod.ts";
import { GatewayProcess } from "../harness/gateway.ts";
import { Program } from "../harness/program.ts";
import { startNats } from "../harness/nats_server.ts";
import { Client } from "../harness/websocket.ts";

/** As OTLP has it in JSON. */
interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** 2 server, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
  readonly events?: readonly { readonly name: string }[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code?: number };
}

const PARENT = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };

Deno.test("a trace goes from the proxy through the gateway into a Hono handler", async () => {
  await using setup = await setUp(["--trusted-proxies", "127.0.0.1", "--trace-sample", "0"]);
  const { gateway, workload } = setup;
  const headers = {
    traceparent: `00-${PARENT.traceId}-${PARENT.spanId}-01`,
    "user-agent": "tests",
  };
  const response = await fetch(`${gateway.url}/cart/7`, { headers });
  assert.equal(await response.text(), "cart 7");
  // Its proxy says that it is not traced, and so it is not.
  const silent = { traceparent: `00-${PARENT.traceId}-${PARENT.spanId}-00` };
  await (await fetch(`${gateway.url}/silent`, { headers: silent })).text();

  const spans = await setup.stopAndRead();
  assert.deepEqual(spans.map(({ name }) => name).sort(), ["GET", "publish"]);
  const server = find(spans, 2);
  assert.equal(server.traceId, PARENT.traceId);
  assert.equal(server.parentSpanId, PARENT.spanId);
  assert.equal(read(server, "http.response.status_code"), 200);
  assert.equal(read(server, "url.path"), "/cart/7");
  assert.equal(read(server, "user_agent.original"), "tests");
  assert.deepEqual(server.events?.map(({ name }) => name), ["first byte"]);
  const message = find(spans, 4);
  assert.equal(message.parentSpanId, server.spanId);
  assert.equal(read(message, "messaging.destination.name"), "h8s.http.GET.127.0.0.1.cart.7");

  const [consumer, ...rest] = workload.getFinishedSpans().filter(({ name }) => name !== "inside");
  assert.equal(rest.length, 1, "the silent one has a span of the workload's own choice");
  assert.equal(consumer!.spanContext().traceId, PARENT.traceId);
  assert.equal(consumer!.parentSpanContext?.spanId, message.spanId);
  const inside = workload.getFinishedSpans().find(({ name }) => name === "inside");
  assert.equal(inside?.parentSpanContext?.spanId, consumer!.spanContext().spanId);
});

Deno.test("traces tell of routes, refusals, failures and WebSockets", async () => {
  await using setup = await setUp(["--trace-sample", "1", "--host-filters", "127.0.0.1"]);
  const { gateway } = setup;
  await (await fetch(`${gateway.url}/fails`)).text();
  await (await fetch(`${gateway.url}/`, { headers: { host: "elsewhere.example" } })).text();
  await using client = await Client.connect(`ws://127.0.0.1:${gateway.port}/chat`);
  client.send("hello");
  assert.equal(await client.next(), "hello");
  await client.close();

  const spans = await setup.stopAndRead();
  const servers = spans.filter(({ kind }) => kind === 2);
  const byPath = (path: string) => servers.find((span) => read(span, "url.path") === path)!;
  assert.equal(byPath("/fails").status.code, 2);
  assert.equal(read(byPath("/fails"), "error.type"), "500");
  assert.equal(read(byPath("/chat"), "http.response.status_code"), 101);
  const said = setup.workload.getFinishedSpans().find(({ name }) => name === "process message")!;
  assert.equal(said.links[0]?.context.traceId, byPath("/chat").traceId);
  assert.equal(said.parentSpanContext, undefined);
});

Deno.test("the reverse daemon's span stands between the gateway's and the backend's", async () => {
  await using setup = await setUp(["--trace-sample", "1"]);
  const { gateway, natsUrl, endpoint } = setup;
  const seen: (string | null)[] = [];
  await using backend = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      seen.push(request.headers.get("traceparent"));
      if (request.method === "POST") return new Response(await request.bytes());
      const { pathname } = new URL(request.url);
      const events = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode("data: 1\n\n"));
          if (pathname === "/events") controller.close();
        },
      });
      return new Response(events, { headers: { "content-type": "text/event-stream" } });
    },
  );
  const where = [
    "--hostname",
    "localhost",
    "--backend-url",
    `http://127.0.0.1:${backend.addr.port}`,
  ];
  const flags = ["reverse", ...where, "--nats-url", natsUrl, "--otlp-endpoint", endpoint];
  await using reverse = new Program(flags);
  await reverse.logged("serving");
  await reverse.logged("traces");
  const response = await fetch(`http://localhost:${gateway.port}/upload`, {
    method: "POST",
    body: new Uint8Array(3_000_000),
  });
  assert.equal((await response.bytes()).length, 3_000_000);
  const events = await fetch(`http://localhost:${gateway.port}/events`);
  assert.equal(await events.text(), "data: 1\n\n");
  const endless = await fetch(`http://localhost:${gateway.port}/endless`);
  const reader = endless.body!.getReader();
  await reader.read();
  await reader.cancel();
  reverse.kill("SIGTERM");
  assert.equal((await reverse.ended).code, 0);

  const spans = await setup.stopAndRead();
  const told = (path: string) => {
    const { traceId } = spans.find((span) => span.kind === 2 && read(span, "url.path") === path)!;
    const own = spans.filter((span) => span.traceId === traceId);
    const [server, message, consumer] = [2, 4, 5].map((kind) => find(own, kind));
    assert.equal(message!.parentSpanId, server!.spanId, path);
    assert.equal(consumer!.parentSpanId, message!.spanId, path);
    assert.ok(seen.includes(`00-${traceId}-${consumer!.spanId}-01`), path);
    return { server: server!, events: server!.events?.map(({ name }) => name) };
  };
  const upload = told("/upload");
  assert.equal(read(upload.server, "http.request.body.size"), 3_000_000);
  assert.deepEqual(upload.events?.slice(0, 2), ["upload", "uploaded"]);
  assert.ok(told("/events").events?.includes("first byte"));
  assert.deepEqual(told("/endless").events?.toSorted(), ["aborted", "first byte", "first chunk"]);
});

Deno.test("metrics go to the collector, too, and headers with them", async () => {
  await using setup = await setUp(["--otlp-metrics", "--otlp-headers", "X-Key=secret"]);
  await (await fetch(`${setup.gateway.url}/cart/7`)).text();
  await setup.stopAndRead();
  assert.deepEqual([...new Set(setup.keys)], ["secret"]);
  const metrics = setup.metrics.at(-1)!;
  const byName = (name: string) =>
    metrics.find((metric) => metric["name"] === name) as {
      readonly sum?: { readonly dataPoints: readonly Record<string, unknown>[] };
      readonly histogram?: { readonly dataPoints: readonly Record<string, unknown>[] };
    };
  const ok = byName("h8s_http_requests_total").sum!.dataPoints.find(({ attributes }) =>
    JSON.stringify(attributes).includes("2xx")
  );
  assert.equal(ok?.["asDouble"], 1);
  const [duration] = byName("h8s_http_request_duration_seconds").histogram!.dataPoints;
  assert.equal(duration?.["count"], 1);
  const counts = (duration?.["bucketCounts"] as number[]).reduce((sum, count) => sum + count, 0);
  assert.equal(counts, 1);
});

Deno.test("a collector that is away costs nobody anything, and is named in the log", async () => {
  await using nats = await startNats({ jetstream: false });
  const flags = [
    "--nats-url",
    nats.url,
    "--otlp-endpoint",
    "http://127.0.0.1:9",
    "--trace-sample",
    "1",
  ];
  await using gateway = await GatewayProcess.start(flags);
  await gateway.logged("traces");
  const refused = await fetch(gateway.url);
  assert.equal(refused.status, 503);
  await refused.body?.cancel();
  gateway.kill("SIGTERM");
  assert.equal((await gateway.ended).code, 0);
  assert.ok(gateway.lines.some(({ message }) => message.startsWith("the collector")));
});

interface Setup extends AsyncDisposable {
  readonly gateway: GatewayProcess;
  /** What the SDK in this process, where the workload runs, has seen. */
  readonly workload: InMemorySpanExporter;
  readonly natsUrl: string;
  /** The collector's. */
  readonly endpoint: string;
  readonly metrics: Record<string, unknown>[][];
  readonly keys: (string | null)[];
  /** Stops the gateway, which sends what waits, and gives what the collector has got. */
  stopAndRead(): Promise<Span[]>;
}

async function setUp(flags: readonly string[]): Promise<Setup> {
  await using stack = new AsyncDisposableStack();
  const spans: Span[] = [];
  const metrics: Record<string, unknown>[][] = [];
  const keys: (string | null)[] = [];
  // deno-lint-ignore no-explicit-any -- OTLP's nesting says nothing that a test wants to know.
  const collect = (body: any) => {
    for (const { scopeSpans = [] } of body.resourceSpans ?? []) {
      for (const scope of scopeSpans) spans.push(...scope.spans);
    }
    for (const { scopeMetrics = [] } of body.resourceMetrics ?? []) {
      for (const scope of scopeMetrics) metrics.push(scope.metrics);
    }
  };
  const collector = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      keys.push(request.headers.get("X-Key"));
      collect(await request.json());
      return Response.json({});
    },
  );
  stack.defer(() => collector.shutdown());

  const workload = new InMemorySpanExporter();
  const provider = new TracerProvider({
    sampler: new AlwaysOnSampler(),
    spanProcessors: [new SimpleSpanProcessor({ exporter: workload })],
  });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new StackContextManager().enable());
  stack.defer(async () => {
    trace.disable();
    context.disable();
    propagation.disable();
    await provider.shutdown();
  });

  const nats = stack.use(await startNats({ jetstream: false }));
  const nc = await connect({ servers: nats.url });
  stack.defer(() => nc.close());
  await stack.use(startWorkload(nc)).ready;
  const endpoint = `http://127.0.0.1:${collector.addr.port}`;
  const gateway = stack.use(
    await GatewayProcess.start([
      "--nats-url",
      nats.url,
      "--otlp-endpoint",
      endpoint,
      "--max-body-size",
      "8MiB",
      ...flags,
    ]),
  );
  await gateway.logged("traces");
  const own = stack.move();
  return {
    ...{ gateway, workload, metrics, keys, endpoint, natsUrl: nats.url },
    async stopAndRead() {
      gateway.kill("SIGTERM");
      assert.equal((await gateway.ended).code, 0);
      return spans;
    },
    [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
  };
}

function startWorkload(nc: Parameters<typeof serve>[0]): ReturnType<typeof serve> {
  const app = new Hono()
    .get("/cart/:id", (c) => {
      trace.getTracer("tests").startSpan("inside").end();
      return c.text(`cart ${c.req.param("id")}`);
    })
    .get("/silent", (c) => c.text("silent"))
    .get("/fails", (c) => c.text("no", 500));
  const chat: SocketHandlers = { message: (connection, data) => connection.send(data) };
  return serve(nc, { host: "127.0.0.1", websocket: { "/chat": chat } }, app.fetch);
}

function find(spans: readonly Span[], kind: number): Span {
  const found = spans.find((span) => span.kind === kind);
  assert.ok(found, `a span of kind ${kind}`);
  return found;
}

function read({ attributes }: Span, name: string): unknown {
  return Object.values(attributes.find(({ key }) => key === name)?.value ?? {})[0];
}

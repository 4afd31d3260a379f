import assert from "node:assert/strict";
import { connect } from "@nats-io/transport";
import type { NatsConnection } from "@nats-io/nats-core";
import { type NatsServer, startNats } from "../harness/nats_server.ts";
import { serve } from "../../lib/workload/mod.ts";
import { ask, collectFailures } from "./serve_fixture.ts";

Deno.test("a stream that NATS was lost in is never ended in order", async () => {
  const nats = await startNats({ jetstream: false });
  const nc = await open(nats);
  const edge = await open(nats);
  const failures = collectFailures();
  const cancelled = Promise.withResolvers<unknown>();
  const source = Promise.withResolvers<ReadableStreamDefaultController<Uint8Array>>();
  const service = serve(nc, { host: "example.com", onError: failures.onError }, () => {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => source.resolve(controller),
      cancel: (reason) => cancelled.resolve(reason),
    });
    return new Response(body);
  });
  await service.ready;
  const exchange = await ask(edge, { subject: "h8s.http.GET.com.example" });
  const controller = await source.promise;
  controller.enqueue(new TextEncoder().encode("begin"));
  await exchange.next();
  const back = Promise.all([reconnected(nc), reconnected(edge)]);
  await nats[Symbol.asyncDispose]();
  await using again = await startNats({ jetstream: false, port: nats.port });
  await back;
  controller.enqueue(new TextEncoder().encode("the middle is missing"));
  const { error, stage } = await failures.next();
  assert.equal(stage, "reply");
  assert.match(String(error), /NATS was lost in the middle/);
  assert.equal(await cancelled.promise, error);
  await nc.flush();
  await edge.flush();
  assert.deepEqual(exchange.all.map((message) => message.string()), ["begin"]);
  await service.stop();
  await nc.close();
  await edge.close();
  assert.ok(again.port > 0);
});

Deno.test("a response that is ready while NATS is away is sent when it is back, and so is the interest", async () => {
  const nats = await startNats({ jetstream: false });
  const nc = await open(nats);
  const edge = await open(nats);
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const service = serve(nc, { host: "example.com" }, async () => {
    begun.resolve();
    await gate.promise;
    return new Response("late");
  });
  await service.ready;
  const exchange = await ask(edge, { subject: "h8s.http.GET.com.example" });
  await begun.promise;
  const lost = happened(nc, "disconnect");
  const back = reconnected(edge);
  const interest = Promise.withResolvers<string>();
  edge.subscribe("h8s.control.interest.register.>", {
    callback: (_error, message) => interest.resolve(message.string()),
  });
  await nats[Symbol.asyncDispose]();
  await lost;
  gate.resolve();
  await using _again = await startNats({ jetstream: false, port: nats.port });
  await back;
  assert.equal((await exchange.next()).string(), "late");
  assert.match(await interest.promise, /example\.com/);
  await service.stop();
  await nc.close();
  await edge.close();
});

Deno.test("closing the connection ends the service", async () => {
  await using nats = await startNats({ jetstream: false });
  const nc = await open(nats);
  const service = serve(
    nc,
    { host: "example.com", websocket: { message: () => {} } },
    () => new Response(),
  );
  await service.ready;
  await nc.close();
  await service.finished;
  await service.stop();
});

function open(nats: NatsServer): Promise<NatsConnection> {
  return connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 20 });
}

function reconnected(nc: NatsConnection): Promise<void> {
  return happened(nc, "reconnect");
}

async function happened(nc: NatsConnection, type: string): Promise<void> {
  for await (const status of nc.status()) if (status.type === type) return;
}

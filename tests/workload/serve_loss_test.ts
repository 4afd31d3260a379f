import assert from "node:assert/strict";
import { connect } from "@nats-io/transport";
import { startNats } from "../harness/nats_server.ts";
import { serve } from "../../lib/workload/mod.ts";
import {
  ask,
  assertProblem,
  collectFailures,
  happened,
  openPair,
  settle,
} from "./serve_fixture.ts";
import { listen } from "../harness/setup.ts";

Deno.test("a stream that NATS was lost in is cut off, never ended in order", async () => {
  await using pair = await openPair();
  const { nc, edge } = pair;
  const failures = collectFailures();
  const cancelled = Promise.withResolvers<unknown>();
  const aborted = Promise.withResolvers<unknown>();
  const source = Promise.withResolvers<ReadableStreamDefaultController<Uint8Array>>();
  const options = { host: "example.com", onError: failures.onError };
  await using service = serve(nc, options, ({ signal }) => {
    signal.addEventListener("abort", () => aborted.resolve(signal.reason));
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
  const back = happened(nc, "reconnect");
  await nc.reconnect();
  const { error, stage } = await failures.next();
  assert.equal(stage, "reply");
  assert.match(String(error), /LinkLostError: Cannot go on: NATS was lost in the middle/);
  assert.equal(await cancelled.promise, error);
  assert.equal(await aborted.promise, error);
  await back;
  await settle(nc, edge);
  assert.deepEqual(exchange.all.map((message) => message.string()), ["begin"]);
});

Deno.test("a response that is ready while NATS is away is sent when it is back, and so is the interest", async () => {
  await using pair = await openPair();
  const { nc, edge } = pair;
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  await using service = serve(nc, { host: "example.com" }, async () => {
    begun.resolve();
    await gate.promise;
    return new Response("late");
  });
  await service.ready;
  const exchange = await ask(edge, { subject: "h8s.http.GET.com.example" });
  await begun.promise;
  const interests = await listen(edge, "h8s.control.interest.register.>");
  const lost = happened(nc, "disconnect");
  await nc.reconnect();
  await lost;
  gate.resolve();
  assert.equal((await exchange.next()).string(), "late");
  assert.match((await interests.next()).string(), /example\.com/);
});

Deno.test("the body of an upload that NATS was lost in fails, and is not cut short in silence", async () => {
  await using pair = await openPair();
  const { nc, edge } = pair;
  const failures = collectFailures();
  const options = { host: "example.com", onError: failures.onError };
  await using service = serve(nc, options, async (request) => new Response(await request.text()));
  await service.ready;
  const exchange = await ask(edge, {
    subject: "h8s.upload.POST.com.example",
    headers: [["X-H8s-Body", "stream"]],
  });
  const go = await exchange.next();
  assert.ok(Number(go.headers?.get("X-H8s-Continue")) > 0);
  edge.publish(go.reply!, "the beginning", { reply: "_INBOX.credit" });
  await settle(edge, nc);
  const back = happened(nc, "reconnect");
  await nc.reconnect();
  const { error, stage } = await failures.next();
  assert.equal(stage, "handler");
  assert.match(String(error), /NATS was lost in the middle/);
  await back;
  assertProblem(await exchange.next(), 500);
});

Deno.test("an upload that heeds no credit is cut off, and does not fill the process", async () => {
  await using pair = await openPair();
  const { nc, edge } = pair;
  const failures = collectFailures();
  const options = { host: "example.com", onError: failures.onError };
  const held = Promise.withResolvers<void>();
  await using service = serve(nc, options, async (request) => {
    const reader = request.body!.getReader();
    await reader.read();
    await held.promise;
    while (!(await reader.read()).done);
    return new Response("all of it");
  });
  await service.ready;
  const credits = await listen(edge, "_INBOX.credit");
  const exchange = await ask(edge, {
    subject: "h8s.upload.POST.com.example",
    headers: [["X-H8s-Body", "stream"]],
  });
  const go = await exchange.next();
  const window = Number(go.headers?.get("X-H8s-Continue"));
  const piece = new Uint8Array(window / 4);
  for (let sent = 0; sent < 5; sent++) edge.publish(go.reply!, piece, { reply: "_INBOX.credit" });
  assert.match((await credits.next()).headers?.get("X-H8s-Cancel") ?? "", /more was sent/);
  held.resolve();
  const { error, stage } = await failures.next();
  assert.equal(stage, "handler");
  assert.match(String(error), /heeds no credit/);
  assertProblem(await exchange.next(), 500);
});

Deno.test("closing the connection ends the service", async () => {
  await using nats = await startNats({ jetstream: false });
  const nc = await connect({ servers: nats.url });
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

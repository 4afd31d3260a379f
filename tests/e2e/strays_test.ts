import assert from "node:assert/strict";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { answer, listen, natsHeaders, type Setup, setUp } from "../harness/setup.ts";
import { Client } from "../harness/websocket.ts";

const ACK = '{"stream":"AUDIT","seq":1}';

Deno.test("a stream that captures requests answers nobody", async (t) => {
  await using setup = await setUp(["--request-timeout", "500ms"], { jetstream: true });
  const { nc, gateway } = setup;
  await capture(nc, "AUDIT", ["h8s.http.>", "h8s.upload.>"]);
  await answer(nc, "h8s.http.*.127.0.0.1.whole", () => ({ data: "the answer" }));
  await answer(nc, "h8s.http.*.127.0.0.1.alike", () => ({
    data: ACK,
    headers: natsHeaders(["Content-Type", "application/json"]),
  }));
  nc.subscribe("h8s.http.*.127.0.0.1.stream", {
    callback: (_, message) => {
      message.respond("one", { headers: natsHeaders(["Status-Code", "200"]) });
      // Late, as from a stream of several replicas.
      for (const data of [ACK, "two", ""]) message.respond(data);
    },
  });
  await nc.flush();
  const table: [path: string, status: number, body: string][] = [
    ["/whole", 200, "the answer"],
    ["/alike", 200, ACK],
    ["/stream", 200, "onetwo"],
  ];
  for (const [path, status, body] of table) {
    await t.step(path, async () => {
      const reply = await get(setup, path);
      assert.deepEqual([reply.status, reply.body], [status, body]);
    });
  }
  await t.step("nobody serves", async () => assert.equal((await get(setup, "/")).status, 504));
  await t.step("it is said once, by its name, and counted", async () => {
    const line = await gateway.logged(/a stream captures/);
    assert.equal(line.stream, "AUDIT");
    assert.match(String(line.advice), /no_ack/);
    assert.ok(await gateway.metric("h8s_stream_acks_ignored_total") >= 4);
    const told = gateway.lines.filter(({ message }) => /a stream captures/.test(message));
    assert.equal(told.length, 1);
  });
});

Deno.test("a stream with no_ack keeps requests, and the gateway has nothing to say", async () => {
  await using setup = await setUp([], { jetstream: true });
  const { nc, gateway } = setup;
  await capture(nc, "AUDIT", ["h8s.http.>"], { no_ack: true });
  await answer(nc, "h8s.http.>", () => ({ data: "the answer" }));
  assert.equal((await get(setup, "/")).body, "the answer");
  const { streams } = await jetstreamManager(nc);
  assert.equal((await streams.info("AUDIT")).state.messages, 1);
  assert.equal(await gateway.metric("h8s_stream_acks_ignored_total"), 0);
});

Deno.test("a WebSocket client hears its workloads, not the streams that captured its messages", async () => {
  await using setup = await setUp([], { jetstream: true });
  const { nc, gateway } = setup;
  await capture(nc, "SAID", ["h8s.ws.>"]);
  await capture(nc, "EVENTS", ["h8s.control.ws.conn.*.>"]);
  const said = await listen(nc, "h8s.ws.>");
  await using client = await Client.connect(`ws://127.0.0.1:${gateway.port}/chat`);
  client.send("hello");
  const { reply } = await said.next();
  const streams = [1, 2].map(async (nth) =>
    (await gateway.logged(/a stream captures/, nth)).stream
  );
  assert.deepEqual((await Promise.all(streams)).sort(), ["EVENTS", "SAID"]);
  nc.publish(reply!, "to you");
  assert.equal(await client.next(), "to you");
  // What a workload sends as a frame is its own word.
  nc.publish(reply!, ACK, { headers: natsHeaders(["X-H8s-Frame", "text"]) });
  assert.equal(await client.next(), ACK);
});

Deno.test("what follows a reply without headers is counted, and said once", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  await chunks(nc, ["one", "two", "three", ""]);
  for (let count = 0; count < 2; count++) assert.equal((await get(setup, "/")).body, "one");
  await nc.flush();
  const line = await gateway.logged(/after a reply without headers/);
  assert.match(String(line.advice), /Status-Code.*--bare-replies stream/);
  await gateway.measures("h8s_bare_replies_followed_total", (count) => count >= 4);
  const told = gateway.lines.filter(({ message }) => /without headers/.test(message));
  assert.equal(told.length, 1);
});

Deno.test("--bare-replies stream takes messages without headers as chunks", async () => {
  await using setup = await setUp(["--bare-replies", "stream"]);
  const { nc } = setup;
  await chunks(nc, ["one", "two", "three", ""]);
  assert.equal((await get(setup, "/")).body, "onetwothree");
  await answer(nc, "h8s.http.GET.127.0.0.1.whole", () => ({
    data: "whole",
    headers: natsHeaders(["Content-Length", "5"]),
  }));
  assert.equal((await get(setup, "/whole")).body, "whole");
});

async function capture(
  nc: NatsConnection,
  name: string,
  subjects: string[],
  options: { no_ack?: boolean } = {},
): Promise<void> {
  const { streams } = await jetstreamManager(nc);
  await streams.add({ name, subjects, storage: "memory", ...options });
}

async function chunks(nc: NatsConnection, payloads: readonly string[]): Promise<void> {
  nc.subscribe("h8s.http.GET.127.0.0.1", {
    callback: (_, message) => {
      for (const payload of payloads) message.respond(payload);
    },
  });
  await nc.flush();
}

async function get({ gateway }: Setup, path: string): Promise<{ status: number; body: string }> {
  const response = await fetch(`${gateway.url}${path}`);
  return { status: response.status, body: await response.text() };
}

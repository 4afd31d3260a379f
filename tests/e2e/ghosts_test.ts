import assert from "node:assert/strict";
import { connect } from "@nats-io/transport";
import { serve, type Service } from "../../lib/workload/mod.ts";
import { setUp } from "../harness/setup.ts";
import { within } from "../harness/waiting.ts";
import { Client } from "../harness/websocket.ts";

const SOCKETS = 200;

Deno.test("a gateway that is killed leaves no ghosts: close(1006) once each, within 15 s", async () => {
  await using setup = await setUp();
  const { gateway, nats } = setup;
  const closed = new Map<string, number[]>();
  const allClosed = Promise.withResolvers<void>();
  const replicas: { service: Service; nc: Awaited<ReturnType<typeof connect>> }[] = [];
  for (let index = 0; index < 2; index++) {
    const nc = await connect({ servers: nats.url });
    const service = serve(nc, {
      host: "*",
      websocket: {
        close(conn, code) {
          closed.set(conn.id, [...closed.get(conn.id) ?? [], code]);
          if (closed.size === SOCKETS) allClosed.resolve();
        },
      },
    }, () => new Response("ok"));
    await service.ready;
    replicas.push({ service, nc });
  }
  const clients: Client[] = [];
  for (let index = 0; index < SOCKETS; index++) {
    clients.push(await Client.connect(`ws://127.0.0.1:${gateway.port}/room`));
    clients.at(-1)!.send("hello");
  }
  const lateNc = await connect({ servers: nats.url });
  const late = serve(
    lateNc,
    { host: "*", websocket: { message() {} }, queue: "late" },
    () => new Response(),
  );
  await late.ready;
  await late.registry!.ready;
  assert.equal(late.registry!.connections().length, SOCKETS, "one that starts late knows everyone");

  const begun = performance.now();
  gateway.kill("SIGKILL");
  await within(allClosed.promise, "the end of each WebSocket");
  const seconds = (performance.now() - begun) / 1000;
  console.log(`all ${SOCKETS} were told as closed after ${seconds.toFixed(1)} s`);
  assert.ok(seconds <= 15, `${seconds} s`);
  for (const client of clients) await client.closed;
  for (const { service, nc } of replicas) {
    assert.deepEqual(service.registry!.connections(), []);
    await service.stop();
    await nc.close();
  }
  assert.deepEqual([...closed.values()], Array.from({ length: SOCKETS }, () => [1006]));
  await late.stop();
  await lateNc.close();
});

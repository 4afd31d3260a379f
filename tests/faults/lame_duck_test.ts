import { until } from "../harness/waiting.ts";
import { pause } from "../../lib/time/within.ts";
import assert from "node:assert/strict";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport";
import { GatewayProcess } from "../harness/gateway.ts";
import type { NatsServer } from "../harness/nats_server.ts";
import { listen } from "../harness/setup.ts";
import { Client } from "../harness/websocket.ts";
import { startCluster } from "../nats/cluster.ts";
import { HttpLoad } from "./http_load.ts";
import { SocketLoad } from "./socket_load.ts";
import type { Report } from "./workload.ts";
import { WorkloadProcess } from "./workload_process.ts";

for (const place of ["on the other server", "on the lame duck itself"] as const) {
  Deno.test(`a lame duck is left without a failed request or a lost message, the workload ${place}`, async () => {
    await using cluster = await startCluster(2);
    const [duck, other] = cluster.servers as [NatsServer, NatsServer];
    await using gateway = await GatewayProcess.start(["--nats-url", duck.url]);
    const reports: Report[] = [];
    const home = place === "on the other server" ? other : duck;
    await using _workload = await WorkloadProcess.start(home.url, (report) => reports.push(report));
    const http = new HttpLoad(() => gateway.url, 12);
    const sockets = new SocketLoad(() => `ws://127.0.0.1:${gateway.port}`, {
      staying: 20,
      visiting: 4,
    });
    await pause(1000);
    duck.kill("SIGUSR2");
    await gateway.logged("nats moved");
    // Longer than both connections deliver, shorter than the server's grace.
    await pause(1500);
    await Promise.all([http.stop(), sockets.stop()]);

    const { verdicts, complaints } = http;
    const { counts } = sockets;
    console.log(`  HTTP: ${JSON.stringify(verdicts)}\n  sockets: ${JSON.stringify(counts)}`);
    assert.deepEqual(complaints, []);
    assert.equal(verdicts.refused + verdicts.broken, 0, "no request failed");
    assert.ok(verdicts.whole > 50);
    assert.equal(counts.lost, 0, "no socket was closed");
    const { doubled, disordered, skipped, unheard } = counts;
    assert.deepEqual([doubled, disordered, skipped, unheard], [0, 0, 0, 0]);
    assert.deepEqual(
      reports.filter(({ type }) => type === "repeated" || type === "disordered"),
      [],
    );
    assert.equal(await gateway.metric("h8s_nats_reconnects_total"), 0);
  });
}

Deno.test("what is kept in JetStream goes on after a lame duck was left", async () => {
  await using cluster = await startCluster(3, { jetstream: true });
  const [duck, other] = cluster.servers as [NatsServer, NatsServer];
  await using nc = await connect({ servers: other.url });
  await untilReplicated(nc);
  await using gateway = await GatewayProcess.start([
    ...["--nats-url", duck.url, "--persist", "said", "--persist-replicas", "3"],
    ...["--connection-records", "places"],
  ]);
  await gateway.logged("stream ready");
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  const protocols = ["h8s.ack.v1"];
  const url = `ws://127.0.0.1:${gateway.port}/kept`;
  const stays = await Client.connect(url, protocols);
  stays.send('{"id":1,"data":"before"}');
  assert.equal(JSON.parse(String(await stays.next())).ack, 1);
  duck.kill("SIGUSR2");
  await gateway.logged("nats moved");
  duck.kill("SIGKILL");
  const comes = await Client.connect(url, protocols);
  for (const client of [stays, comes]) {
    client.send('{"id":2,"data":"after"}');
    assert.equal(JSON.parse(String(await client.next())).ack, 2);
    await client.close(4000);
    assert.equal((await closed.next()).headers?.get("X-H8s-Close-Code"), "4000");
  }
  assert.equal(await gateway.metric("h8s_connection_records_failed_total"), 0);
  assert.equal(closed.all.length, 2);
});

/** A bucket that outlives one server; it can be made once the members have agreed on a leader. */
async function untilReplicated(nc: NatsConnection): Promise<void> {
  const options = { replicas: 3, history: 1, timeout: 2000 };
  const create = () => new Kvm(nc).create("places", options).then(() => true, () => false);
  await until(create, "the members have agreed");
}

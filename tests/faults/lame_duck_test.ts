import assert from "node:assert/strict";
import { GatewayProcess } from "../harness/gateway.ts";
import type { NatsServer } from "../harness/nats_server.ts";
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
    await new Promise((resolve) => setTimeout(resolve, 1000));
    duck.kill("SIGUSR2");
    await gateway.logged("nats moved");
    // Longer than both connections deliver, shorter than the server's grace.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await Promise.all([http.stop(), sockets.stop()]);

    const { verdicts, complaints } = http;
    const { counts } = sockets;
    console.log(`  HTTP: ${JSON.stringify(verdicts)}\n  sockets: ${JSON.stringify(counts)}`);
    assert.deepEqual(complaints, []);
    assert.equal(verdicts.refused + verdicts.broken, 0, "no request failed");
    assert.ok(verdicts.whole > 200);
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

import assert from "node:assert/strict";
import { connect } from "@nats-io/transport";
import { serve } from "../../lib/workload/mod.ts";
import { freePort } from "../harness/free_port.ts";
import { pause } from "../../lib/time/within.ts";
import { GatewayProcess } from "../harness/gateway.ts";
import { startNats } from "../harness/nats_server.ts";
import { Nginx, nginxTest } from "../harness/nginx.ts";

const CLIENTS = 8;
const DOCUMENT = new URL("../../docs/operations.md", import.meta.url);

nginxTest(
  "three gateways behind nginx restart one after another, and no request is lost",
  async () => {
    await using nats = await startNats({ jetstream: false });
    const nc = await connect({ servers: nats.url });
    const service = serve(nc, { host: "*" }, async (request) => new Response(await request.text()));
    await service.ready;
    const start = (port: number) => GatewayProcess.start(["--nats-url", nats.url], { port });
    const ports = [freePort(), freePort(), freePort()];
    const gateways = await Promise.all(ports.map(start));
    try {
      await using nginx = await Nginx.start(await readDocument(ports));
      let isOver = false;
      let done = 0;
      const failed: string[] = [];
      const ask = async (client: number) => {
        for (let count = 0; !isOver; count++) {
          const text = `${client} ${count}`;
          const isPost = count % 2 === 0;
          const response = await fetch(
            `${nginx.url}/${count}`,
            isPost ? { method: "POST", body: text } : {},
          )
            .catch((error) => new Response(String(error), { status: 599 }));
          const body = await response.text();
          if (response.status !== 200 || (isPost && body !== text)) {
            failed.push(
              `${response.status} ${body}`,
            );
          }
          done++;
        }
      };
      const clients = Array.from({ length: CLIENTS }, (_, client) => ask(client));
      for (const [index, port] of ports.entries()) {
        const before = done;
        gateways[index]!.kill("SIGTERM");
        assert.equal((await gateways[index]!.ended).code, 0);
        gateways[index] = await start(port);
        // Until nginx has come back to it, only one other gateway would be left while the next one restarts.
        while (await gateways[index].metric('h8s_http_requests_total{status="2xx"}') === 0) {
          await pause(20);
        }
        assert.ok(done > before, "requests were made meanwhile");
      }
      isOver = true;
      await Promise.all(clients);
      assert.deepEqual(failed, []);
      console.log(`${done} requests, none lost`);
    } finally {
      for (const gateway of gateways) await gateway[Symbol.asyncDispose]();
      await nc.close();
    }
  },
);

/** What the document says, with the ports of this test. */
async function readDocument(ports: readonly number[]): Promise<string> {
  const text = await Deno.readTextFile(DOCUMENT);
  const snippet = /```nginx\n(upstream [^]*?)```/.exec(text)?.[1] ?? "";
  const servers = [...snippet.matchAll(/gateway-\d:8080/g)].map(([name]) => name);
  assert.equal(servers.length, ports.length);
  return ports.reduce(
    (text, port, index) => text.replace(servers[index]!, `127.0.0.1:${port}`),
    snippet.replace(/listen [^;]*;/, "listen 127.0.0.1:PORT;"),
  );
}

import assert from "node:assert/strict";
import type { ConnectionOptions, NatsConnection, TlsOptions } from "@nats-io/nats-core";
import { connect as connectStock } from "@nats-io/transport";
import { dial } from "../../lib/nats/client/dial.ts";
import { FastLane } from "../../lib/nats/client/fast_lane.ts";
import { connect as connectWorkload } from "../../lib/workload/mod.ts";
import { Certificate } from "../harness/certificate.ts";
import { RestartableNats } from "./restartable_nats.ts";
import { within } from "../harness/waiting.ts";

type Connect = (options: ConnectionOptions) => Promise<NatsConnection>;

const WAYS: Readonly<Record<string, Connect>> = {
  "the gateway's": async (options) =>
    await dial(options, new FastLane({ isOn: true })) as NatsConnection,
  "a workload's": (options) => connectWorkload({ ...options, log: () => {} }),
  "the client library's": connectStock,
};

Deno.test("two connections in one process both come back, whichever came first", async (t) => {
  await using certificate = await Certificate.create();
  const { certFile, keyFile, ca } = certificate;
  const config = `tls { cert_file: "${certFile}", key_file: "${keyFile}", handshake_first: false }`;
  const table: [title: string, trust: TlsOptions][] = [
    ["a CA from a file", { caFile: certFile }],
    ["a CA as text", { ca }],
  ];
  for (const [title, tls] of table) {
    for (const [first, second] of toPairs(Object.keys(WAYS))) {
      await t.step(`${title}: ${first}, then ${second}`, async () => {
        await using nats = await RestartableNats.start({ config });
        const options = {
          tls,
          servers: `localhost:${nats.port}`,
          maxReconnectAttempts: -1,
          reconnectTimeWait: 50,
        };
        const one = await WAYS[first]!(options);
        const two = await WAYS[second]!(options);
        try {
          const back = [one, two].map(untilBack);
          await nats.restart({ config });
          await within(Promise.all(back), "both");
          await Promise.all([one.flush(), two.flush()]);
        } finally {
          await Promise.all([one.close(), two.close()]);
        }
      });
    }
  }
});

Deno.test("a certificate of one's own may be in files that are renewed", async () => {
  await using certificate = await Certificate.create();
  const { certFile, keyFile } = certificate;
  const config = `tls { cert_file: "${certFile}", key_file: "${keyFile}", ` +
    `ca_file: "${certFile}", verify: true }`;
  await using nats = await RestartableNats.start({ config });
  const nc = await connectWorkload({
    servers: `localhost:${nats.port}`,
    tls: { caFile: certFile, certFile, keyFile },
    log: () => {},
  });
  const back = untilBack(nc);
  await nats.restart({ config });
  await within(back, "it");
  await nc.close();
});

function toPairs(names: readonly string[]): [string, string][] {
  return names.flatMap((first) =>
    names.filter((name) => name !== first).map((second): [string, string] => [first, second])
  );
}

async function untilBack(connection: NatsConnection): Promise<void> {
  for await (const { type } of connection.status()) if (type === "reconnect") return;
  assert.fail("it was closed");
}

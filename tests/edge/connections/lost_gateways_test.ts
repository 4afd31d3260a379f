import assert from "node:assert/strict";
import type { ConnectionRecords } from "../../../lib/edge/lifetime/connection_records.ts";
import { LostGateways } from "../../../lib/edge/connections/lost_gateways.ts";
import type { EdgeParts } from "../../../lib/edge/parts.ts";
import type { Records } from "../../../lib/nats/jetstream/records.ts";
import { FakeClock } from "../../harness/fake_clock.ts";
import { FakeBus } from "../../nats/fake_bus.ts";

Deno.test("LostGateways leaves no timer behind that would keep the process, whenever it ends", async () => {
  const clock = new FakeClock();
  const opened = Promise.withResolvers<boolean>();
  const lostGateways = new LostGateways({} as Records, {
    parts: {
      bus: new FakeBus(),
      config: { prefix: "h8s" },
      gatewayId: "G1",
      clock,
    } as unknown as EdgeParts,
    own: { opened: () => opened.promise } as unknown as ConnectionRecords,
    resumables: undefined,
  });
  lostGateways[Symbol.dispose]();
  // The bucket was being opened when the gateway stopped.
  opened.resolve(true);
  await opened.promise;
  await Promise.resolve();
  assert.equal(clock.waiting, 0);
});

import assert from "node:assert/strict";
import { NatsConnectionImpl, ProtocolHandler } from "@nats-io/nats-core/internal";
import manifest from "../../../deno.json" with { type: "json" };
import { checkPrivateParts, TRIED_VERSION } from "../../../lib/nats/client/private_parts.ts";

Deno.test("the NATS client is pinned to the version that its private parts are known of", () => {
  const { imports } = manifest;
  assert.equal(imports["@nats-io/nats-core"], `npm:@nats-io/nats-core@${TRIED_VERSION}`);
  assert.equal(
    imports["@nats-io/nats-core/internal"],
    `npm:@nats-io/nats-core@${TRIED_VERSION}/internal`,
  );
});

Deno.test("checkPrivateParts() takes the client that there is, and names what another one lacks", () => {
  const connection = Reflect.construct(NatsConnectionImpl, [{}]) as NatsConnectionImpl;
  checkPrivateParts(new ProtocolHandler(connection.options, connection));
  for (const name of ["flushPending", "getServer", "prepare", "pongs", "outbound"]) {
    const other = new ProtocolHandler(connection.options, connection);
    Reflect.set(other, name, undefined);
    assert.throws(
      () => checkPrivateParts(other),
      ({ message }: Error) => message.includes(` ${name}`) && message.includes(TRIED_VERSION),
    );
  }
});

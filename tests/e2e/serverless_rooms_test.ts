import assert from "node:assert/strict";
import text from "../../examples/serverless_rooms/gateway.yaml" with { type: "text" };
import { connect } from "../../lib/client/mod.ts";
import { GatewayProcess } from "../harness/gateway.ts";
import { startNats } from "../harness/nats_server.ts";

Deno.test("a room needs one route, and nobody behind it", async () => {
  await using nats = await startNats({ jetstream: false });
  const flags = ["--nats-url", nats.url, "--config", "-"];
  await using gateway = await GatewayProcess.start(flags, { stdin: text });
  const url = `ws://127.0.0.1:${gateway.port}/rooms`;
  await using ada = connect(`${url}/tea`);
  await using bob = connect(`${url}/tea`);
  await using eve = connect(`${url}/coffee`);
  const heard = bob[Symbol.asyncIterator]();
  const others: unknown[] = [];
  eve.on("message", ({ data }) => others.push(data));
  // Bob hears himself once he is in the room.
  await Promise.all([bob.send("I am here"), eve.send("elsewhere")]);
  assert.equal((await heard.next()).value?.data, "I am here");
  await ada.send("Tea?");
  assert.equal((await heard.next()).value?.data, "Tea?");
  assert.ok(!others.includes("Tea?"));
});

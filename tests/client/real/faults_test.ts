/**
 * The client library in Deno against the real gateway, while everything between them breaks.
 *
 * @module
 */
import { connect } from "../../../lib/client/mod.ts";
import { travel } from "./journey.js";
import { outliveAll } from "./outlive.ts";
import { renew } from "./renew.ts";

Deno.test("a client in Deno outlives all that breaks", async (t) => {
  await outliveAll(t, (way) => travel(connect, way));
});

Deno.test("a client in Deno renews a token that expires, and misses nothing", async () => {
  await renew((way) => travel(connect, way));
});

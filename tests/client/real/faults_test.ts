/**
 * The client library in Deno against the real gateway, while everything between them breaks.
 *
 * @module
 */
import { connect } from "../../../lib/client/mod.ts";
import { travel } from "./journey.js";
import { outlive } from "./outlive.ts";

for (
  const [name, spoken] of Object.entries({
    "both protocols": { ack: true, resume: true },
    "neither protocol": { ack: false, resume: false },
  })
) {
  Deno.test(`with ${name}, the client outlives all that breaks`, () => {
    return outlive(spoken, (way) => travel(connect, way));
  });
}

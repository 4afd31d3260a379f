import assert from "node:assert/strict";
import { FAULTS } from "./faults.ts";
import { tryOut } from "./trial.ts";
import { World } from "./world.ts";

for (const fault of FAULTS) {
  Deno.test(`nothing is lost in silence when ${fault.name}`, async () => {
    await using world = await World.start();
    const figures = await tryOut(world, [fault]);
    for (const { text } of figures) console.log(`  ${text}`);
    assert.deepEqual(figures.flatMap(({ wrong }) => wrong), []);
  });
}

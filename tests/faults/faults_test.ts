import assert from "node:assert/strict";
import { type Fault, FAULTS, FULL_STREAM } from "./faults.ts";
import { tryOut } from "./trial.ts";
import { World } from "./world.ts";

async function survives(fault: Fault, options: { isPersisted: boolean }): Promise<void> {
  await using world = await World.start(options);
  const figures = await tryOut(world, [fault]);
  for (const { text } of figures) console.log(`  ${text}`);
  assert.deepEqual(figures.flatMap(({ wrong }) => wrong), []);
}

for (const fault of [...FAULTS, FULL_STREAM]) {
  Deno.test(
    `nothing is lost in silence when ${fault.name}`,
    () => survives(fault, { isPersisted: true }),
  );
}

for (const fault of FAULTS.filter(({ repeatsPersisted }) => repeatsPersisted)) {
  Deno.test(
    `nothing comes twice without persistence when ${fault.name}`,
    () => survives(fault, { isPersisted: false }),
  );
}

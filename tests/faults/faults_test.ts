import assert from "node:assert/strict";
import { CLIENT_FAULTS } from "./client_faults.ts";
import type { Fault } from "./fault.ts";
import { FULL_STREAM, PROCESS_FAULTS } from "./faults.ts";
import { LIMIT_FAULTS } from "./limit_faults.ts";
import { tryOut } from "./trial.ts";
import { World } from "./world.ts";

async function survives(
  faults: readonly Fault[],
  options: { isPersisted: boolean },
): Promise<void> {
  await using world = await World.start(options);
  const figures = await tryOut(world, faults);
  for (const { text } of figures) console.log(`  ${text}`);
  assert.deepEqual(figures.flatMap(({ wrong }) => wrong), []);
}

for (const fault of [...PROCESS_FAULTS, ...LIMIT_FAULTS, FULL_STREAM]) {
  Deno.test(
    `nothing is lost in silence when ${fault.name}`,
    () => survives([fault], { isPersisted: true }),
  );
}

Deno.test("nobody else notices what clients do", () =>
  survives(CLIENT_FAULTS, { isPersisted: true }));

for (const fault of PROCESS_FAULTS.filter(({ repeatsPersisted }) => repeatsPersisted)) {
  Deno.test(
    `nothing comes twice without persistence when ${fault.name}`,
    () => survives([fault], { isPersisted: false }),
  );
}

import assert from "node:assert/strict";
import { listNeeds } from "../../lib/commands/doctor/needs.ts";
import { parseConfig } from "../../lib/config/schema.ts";
import { isCovered } from "../../lib/mapping/subject_pattern.ts";
import { readRights } from "../harness/rights.ts";

Deno.test("the doctor tries the rights that are documented, and no others", () => {
  const documented = [...readRights().matchAll(/^\s*"([^"]+)" ?#? ?(.*)$/gm)]
    // What a configuration in NATS takes has been read by then.
    .filter(([, , why]) => why !== "nats-kv://").map(([, right]) => right);
  const needs = listNeeds(
    parseConfig({ persist: "said", events: "who", resume: "30s", session: {} }),
  );
  assert.deepEqual(needs.map(({ right }) => right).sort(), documented.sort());
  for (const { right, subject } of needs) assert.ok(isCovered(subject, right), subject);
});

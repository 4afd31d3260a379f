import assert from "node:assert/strict";
import { parseOptions } from "../../lib/config/load.ts";
import { configSchema, toJsonSchema } from "../../lib/config/schema.ts";

Deno.test("parseOptions() guesses what was meant at any depth", () => {
  const text = "routes:\n  - match: {}\n    subjct: a\n";
  assert.throws(() => parseOptions(text, "f"), {
    name: "ConfigFileError",
    message: `f:3:13: routes.0.subjct: there is no such option; did you mean "subject"?`,
  });
});

Deno.test("toJsonSchema() describes every option", () => {
  const { properties, additionalProperties } = toJsonSchema() as {
    properties: Record<string, { default?: unknown }>;
    additionalProperties: boolean;
  };
  assert.deepEqual(Object.keys(properties), Object.keys(configSchema.shape));
  assert.equal(additionalProperties, false);
  assert.equal(properties["requestTimeout"]?.default, "30s");
});

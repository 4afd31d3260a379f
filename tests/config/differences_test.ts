import assert from "node:assert/strict";
import { listDifferences } from "../../lib/config/differences.ts";
import { configSchema } from "../../lib/config/schema.ts";
import type { GatewayOptions } from "../../lib/config/options.ts";

const LONG = "s3cret-s3cret-s3cret-s3cret-s3cret";

Deno.test("listDifferences() names what differs from the defaults, and nothing else", async (t) => {
  const table: [title: string, options: GatewayOptions, expected: Record<string, unknown>][] = [
    ["nothing written", {}, {}],
    ["a default, written", { requestTimeout: "30s", fastLane: true, routes: [] }, {}],
    ["a default in other words", { requestTimeout: "30000ms" }, {}],
    ["text, a number, a switch", { requestTimeout: "5s", maxHeaders: 7, fastLane: false }, {
      requestTimeout: "5s",
      maxHeaders: 7,
      fastLane: false,
    }],
    ["a list", { hostFilters: ["a.b", "*.c.d"] }, { hostFilters: '["a.b","*.c.d"]' }],
    ["secrets, masked", { natsToken: LONG, authorizationKey: [LONG] }, {
      natsToken: "***",
      authorizationKey: '["***"]',
    }],
    ["the login in a URL, masked", { natsUrl: ["nats://ann:s3cret@a:4222"] }, {
      natsUrl: '["nats://a:4222"]',
    }],
  ];
  for (const [title, options, expected] of table) {
    await t.step(title, () => assert.deepEqual(listDifferences(configSchema, options), expected));
  }
});

Deno.test("listDifferences() shows no secret of what has parts", () => {
  const shown = JSON.stringify(listDifferences(configSchema, {
    session: { keys: [LONG] },
    jwt: { secret: LONG },
    natsKey: "-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----\n",
  }));
  assert.ok(!shown.includes("s3cret"), shown);
  assert.match(shown, /session/);
});

Deno.test("listDifferences() cuts what is long", () => {
  const routes = Array.from({ length: 100 }, (_, index) => ({ match: { path: `/${index}` } }));
  const { routes: shown } = listDifferences(configSchema, { routes } as GatewayOptions);
  assert.ok(String(shown).length < 250);
});

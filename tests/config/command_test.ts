import assert from "node:assert/strict";
import { toCommand } from "../../lib/config/command.ts";

Deno.test("toCommand() names what was run", async (t) => {
  const table: [url: string, command: string][] = [
    ["file:///srv/h8s/main.ts", "deno run --allow-net main.ts"],
    [
      "https://jsr.io/@h8s/gateway/0.1.0-rc.1/main.ts",
      "deno run --allow-net jsr:@h8s/gateway@0.1.0-rc.1/main",
    ],
    [
      "http://127.0.0.1:4000/@h8s/gateway/0.1.0/main.ts",
      "deno run --allow-net jsr:@h8s/gateway@0.1.0/main",
    ],
    ["https://example.com/h8s/main.ts", "deno run --allow-net https://example.com/h8s/main.ts"],
  ];
  for (const [url, command] of table) {
    await t.step(url, () => assert.equal(toCommand(url, false), command));
  }
});

Deno.test("toCommand() calls one binary h8s", () => {
  assert.equal(toCommand("file:///tmp/deno-compile-h8s/main.ts", true), "h8s");
});

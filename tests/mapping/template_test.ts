import assert from "node:assert/strict";
import { parseTemplate, renderTemplate, TemplateError } from "../../lib/mapping/template.ts";

const OPTIONS = { params: ["room", "client"], wildcards: true };

Deno.test("renderTemplate() fills in what the gateway knows and the path's parameters", async (t) => {
  const values = {
    builtIn: {
      prefix: "acme.edge",
      method: "POST",
      "method:lower": "post",
      host: "com.example",
      path: "users.42",
      session: "s1",
    },
    params: { room: "a%2Eb%20%2A", client: "c" },
    hasSessions: false,
  };
  const table: [template: string, subject: string][] = [
    ["{prefix}.{method:lower}.{path}", "acme.edge.post.users.42"],
    ["{prefix}.{room}.{client}.in", "acme.edge.a%2Eb%20%2A.c.in"],
    ["{prefix}.{room}.>", "acme.edge.a%2Eb%20%2A.>"],
    ["{prefix}.*.x", "acme.edge.*.x"],
    ["room-{client}.{method}", "room-c.POST"],
    ["{prefix}.{connection}.x", "acme.edge.x"],
    ["literal", "literal"],
  ];
  for (const [template, subject] of table) {
    await t.step(template, () => {
      assert.equal(renderTemplate(parseTemplate(template, OPTIONS), values), subject);
    });
  }
});

Deno.test("renderTemplate() refuses what gives no subject", () => {
  const template = parseTemplate("{prefix}.{room}", OPTIONS);
  const render = (params: Record<string, string>) =>
    renderTemplate(template, { builtIn: { prefix: "h8s" }, params, hasSessions: false });
  assert.throws(() => render({ room: "" }), { code: "malformed_request" });
  assert.throws(() => render({ room: "x".repeat(4000) }), { code: "uri_too_long" });
  const empty = parseTemplate("{path}", OPTIONS);
  assert.throws(
    () =>
      renderTemplate(empty, {
        builtIn: { prefix: "h8s", path: "" },
        params: {},
        hasSessions: false,
      }),
    {
      code: "malformed_request",
    },
  );
});

Deno.test("parseTemplate() names what is wrong", async (t) => {
  const table: [template: string, wildcards: boolean, expected: RegExp][] = [
    ["{nobody}", true, /unknown variable \{nobody\}.*\{room\}/],
    ["", true, /empty token/],
    ["a..b", true, /empty token/],
    [".a", true, /empty token/],
    ["a b", true, /"a b"/],
    ["a.*", false, /wildcard, where a message is published/],
    ["a.>", false, /wildcard, where a message is published/],
    ["a.>.b", true, /not the last/],
    ["a.x*", true, /inside the token/],
    ["a.{room}>", true, /inside the token/],
    ["a.{", true, /"\{"/],
  ];
  for (const [template, wildcards, expected] of table) {
    await t.step(template, () => {
      assert.throws(() => parseTemplate(template, { ...OPTIONS, wildcards }), (error) => {
        assert.ok(error instanceof TemplateError);
        assert.match(error.message, expected);
        return true;
      });
    });
  }
});

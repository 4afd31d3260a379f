import assert from "node:assert/strict";
import fc from "fast-check";
import { touchesReserved } from "../../lib/mapping/reserved.ts";
import { parseTemplate, renderTemplate, type TemplateValues } from "../../lib/mapping/template.ts";

const RESERVED = { code: "malformed_request", message: "The path leads to a reserved subject" };

Deno.test("touchesReserved() knows where the gateway and NATS speak, patterns included", async (t) => {
  const table: [subject: string, prefix: string, expected: boolean][] = [
    ["h8s.http.GET.x", "h8s", true],
    ["h8s.ws", "h8s", true],
    ["h8s.upload.x", "h8s", true],
    ["h8s.control", "h8s", true],
    ["h8s.resumed.x", "h8s", true],
    ["h8s.room.http", "h8s", false],
    ["h8s.https", "h8s", false],
    ["h8s.HTTP", "h8s", false],
    ["h8s", "h8s", false],
    ["other.http", "h8s", false],
    ["", "h8s", false],
    ["*.http", "h8s", true],
    ["*.*", "h8s", true],
    ["*.room.>", "h8s", false],
    [">", "h8s", true],
    ["h8s.>", "h8s", true],
    ["h8s.*.x", "h8s", true],
    ["acme.edge.http.x", "acme.edge", true],
    ["acme.http.x", "acme.edge", false],
    ["acme.>", "acme.edge", true],
    ["_INBOX.x", "h8s", true],
    ["_INBOX_x.y", "h8s", true],
    ["$SYS.x", "h8s", true],
    ["x.$SYS", "h8s", false],
  ];
  for (const [subject, prefix, expected] of table) {
    await t.step(`${subject} under ${prefix}`, () => {
      assert.equal(touchesReserved(subject, prefix), expected);
    });
  }
});

Deno.test("a path's parameter leads to no reserved subject", async (t) => {
  const table: [template: string, values: Partial<TemplateValues["builtIn"]>, params: string[]][] =
    [
      ["{prefix}.{a}.{b}.>", {}, ["http", "POST"]],
      ["{prefix}.{a}.{b}", {}, ["control", "ws"]],
      ["{a}.{b}", {}, ["h8s", "ws"]],
      ["{a}.>", {}, ["h8s", ""]],
      ["{a}.http", {}, ["h8s", ""]],
      ["*.{a}.>", {}, ["upload", ""]],
      ["{a}.x", {}, ["_INBOX", ""]],
      ["{a}.x", {}, ["$JS", ""]],
      ["${a}.x", {}, ["SYS", ""]],
      ["{prefix}.con{a}", {}, ["trol", ""]],
      ["{prefix}.{a}sumed", {}, ["re", ""]],
      ["{prefix}.{path}", { path: "control.ws" }, []],
      ["{prefix}.{path}.http.x", { path: "" }, []],
      ["{prefix}.{host}.x", { host: "http" }, []],
      ["{prefix}.{method:lower}.{path}", { "method:lower": "control", path: "ws" }, []],
    ];
  for (const [template, builtIn, [a = "", b = ""]] of table) {
    await t.step(template, () => {
      const parsed = parseTemplate(template, { params: ["a", "b"], wildcards: true });
      const values = { builtIn: { prefix: "h8s", ...builtIn }, params: { a, b } };
      assert.throws(() => renderTemplate(parsed, values), RESERVED);
    });
  }
});

Deno.test("a template itself may name a reserved subject", async (t) => {
  const table: [template: string, expected: string][] = [
    ["{prefix}.http.GET.{a}", "h8s.http.GET.control"],
    ["{prefix}.{scheme}.GET.{a}", "h8s.http.GET.control"],
    ["h8s.control.audit", "h8s.control.audit"],
    ["{prefix}.*.{a}", "h8s.*.control"],
    ["{prefix}.rooms.{a}", "h8s.rooms.control"],
    ["$KV.rooms.{a}", "$KV.rooms.control"],
  ];
  for (const [template, expected] of table) {
    await t.step(template, () => {
      const parsed = parseTemplate(template, { params: ["a"], wildcards: true });
      const values = { builtIn: { prefix: "h8s", scheme: "http" }, params: { a: "control" } };
      assert.equal(renderTemplate(parsed, values), expected);
    });
  }
});

Deno.test("whatever clients choose, no subject is reserved that the template did not spell", () => {
  const word = fc.constantFrom("h8s", "http", "ws", "control", "upload", "resumed", "$SYS", "x");
  const piece = fc.constantFrom("{prefix}", "{a}", "{b}", "{path}", "{method:lower}", "x", "*");
  const tokens = fc.array(piece, { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(tokens, word, fc.oneof(word, fc.string()), word, (tokens, a, b, path) => {
      const template = parseTemplate(tokens.join("."), { params: ["a", "b"], wildcards: true });
      const builtIn = { prefix: "h8s", path, "method:lower": path };
      let subject;
      try {
        subject = renderTemplate(template, { builtIn, params: { a, b } });
      } catch (error) {
        return assert.equal((error as { code: string }).code, "malformed_request");
      }
      if (!touchesReserved(subject, "h8s")) return;
      // Without literals that are reserved, only a wildcard right behind the prefix can be meant.
      assert.match(tokens.join("."), /^(\{prefix\}|\*)\.\*/);
    }),
    { numRuns: 2000 },
  );
});

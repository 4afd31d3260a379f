import assert from "node:assert/strict";
import fc from "fast-check";
import { touchesReserved } from "../../lib/mapping/reserved.ts";
import { encodeToken } from "../../lib/mapping/subject.ts";
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
      const values = {
        builtIn: { prefix: "h8s", ...builtIn },
        params: { a, b },
        hasSessions: false,
      };
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
      const values = {
        builtIn: { prefix: "h8s", scheme: "http" },
        params: { a: "control" },
        hasSessions: false,
      };
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
      const params = { a, b: encodeToken(b) };
      let subject;
      try {
        subject = renderTemplate(template, { builtIn, params, hasSessions: false });
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

const OTHERS = { code: "malformed_request", message: "The path leads to another client's subject" };

Deno.test("a path's parameter leads to nobody else's push", async (t) => {
  const session = "0123456789abcdef";
  const published: [
    template: string,
    values: Partial<TemplateValues["builtIn"]>,
    params: string[],
  ][] = [
    ["{prefix}.{a}.{b}", {}, ["victim", "push"]],
    ["{prefix}.{a}.push", {}, ["victim"]],
    ["{prefix}.x{a}.push", {}, ["1"]],
    ["{a}.{b}.push", {}, ["h8s", "victim"]],
    ["{prefix}.{path}", { path: "victim.push" }, []],
    ["{prefix}.{host}", { host: "victim.push" }, []],
    ["{prefix}.{method:lower}.{path}", { "method:lower": "victim", path: "push" }, []],
  ];
  const heard: typeof published = [
    ["{prefix}.{a}.>", {}, ["victim"]],
    ["{prefix}.{a}.*", {}, ["victim"]],
    ["{prefix}.{a}.{b}", {}, ["victim", "push"]],
  ];
  const render = (wildcards: boolean, [template, builtIn, [a = "", b = ""]]: typeof heard[0]) =>
    renderTemplate(parseTemplate(template, { params: ["a", "b"], wildcards }), {
      builtIn: { prefix: "h8s", session, ...builtIn },
      params: { a, b },
      hasSessions: true,
    });
  for (const row of published) {
    await t.step(`${row[0]}, published`, () => assert.throws(() => render(false, row), OTHERS));
  }
  for (const row of [...published, ...heard]) {
    await t.step(`${row[0]}, heard`, () => assert.throws(() => render(true, row), OTHERS));
  }
  await t.step("but to its own", () => {
    assert.equal(render(false, ["{prefix}.{a}.push", {}, [session]]), `h8s.${session}.push`);
    assert.equal(render(true, ["{prefix}.{session}.>", {}, []]), `h8s.${session}.>`);
    assert.equal(render(true, ["{prefix}.{a}.push", {}, [session]]), `h8s.${session}.push`);
  });
  await t.step("and where there are no sessions, a push is the template's own", () => {
    const template = parseTemplate("{prefix}.{a}.push", { params: ["a"], wildcards: true });
    const values = { builtIn: { prefix: "h8s" }, params: { a: "ann" }, hasSessions: false };
    assert.equal(renderTemplate(template, values), "h8s.ann.push");
  });
});

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  createLog,
  LOG_LEVELS,
  type LogFields,
  type LogFormat,
  MOST_LINES,
} from "../../lib/telemetry/log.ts";

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const FORMATS: LogFormat[] = ["text", "json"];

Deno.test("createLog() writes what is at least as serious as its level", async (t) => {
  const table: [level: typeof LOG_LEVELS[number], written: string[]][] = [
    ["debug", ["debug", "info", "warn", "error"]],
    ["info", ["info", "warn", "error"]],
    ["warn", ["warn", "error"]],
    ["error", ["error"]],
  ];
  for (const format of FORMATS) {
    for (const [level, written] of table) {
      await t.step(`${format}, ${level}`, () => {
        const lines: string[] = [];
        const log = createLog({ level, format, write: (line) => lines.push(line) });
        for (const name of LOG_LEVELS) log[name](`this is ${name}`);
        const names = lines.map((line) => /this is (\w+)/.exec(line)?.[1]);
        assert.deepEqual(names, written);
      });
    }
  }
});

Deno.test("createLog() writes JSON that a machine reads back", async (t) => {
  const table: [fields: LogFields, expected: Record<string, unknown>][] = [
    [{}, {}],
    [{ port: 8080, ok: true, gateway: "g" }, { port: 8080, ok: true, gateway: "g" }],
    [{ admin: undefined, port: 0 }, { port: 0 }],
    [{ error: 'a "quoted"\r\nline' }, { error: 'a "quoted"\r\nline' }],
    [{ "odd key": "\u{1f600}\u2028\0" }, { "odd key": "\u{1f600}\u2028\0" }],
  ];
  for (const [fields, expected] of table) {
    await t.step(JSON.stringify(fields), () => {
      const line = writeOne("json", "it happened", fields);
      assert.ok(!/[\r\n]/.test(line));
      const { time, ...rest } = JSON.parse(line);
      assert.match(time, ISO_TIME);
      assert.deepEqual(rest, { level: "warn", message: "it happened", ...expected });
    });
  }
});

Deno.test("createLog() writes text: time, level, message, fields", async (t) => {
  const table: [fields: LogFields, expected: string][] = [
    [{}, "WARN  it happened"],
    [{ port: 8080, ok: true }, "WARN  it happened port=8080 ok=true"],
    [{ address: "127.0.0.1:80" }, "WARN  it happened address=127.0.0.1:80"],
    [{ servers: "nats://a:1" }, "WARN  it happened servers=nats://a:1"],
    [{ admin: undefined, port: 0 }, "WARN  it happened port=0"],
    [{ reason: "" }, 'WARN  it happened reason=""'],
    [{ reason: "two words" }, 'WARN  it happened reason="two words"'],
    [{ reason: 'say "x"' }, String.raw`WARN  it happened reason="say \"x\""`],
    [{ a: "1 b=2" }, 'WARN  it happened a="1 b=2"'],
    [{ a: "1\n2026 ERROR x" }, String.raw`WARN  it happened a="1\n2026 ERROR x"`],
    [{ a: "\x1b[31mred\r" }, String.raw`WARN  it happened a="\u001b[31mred\r"`],
  ];
  for (const [fields, expected] of table) {
    await t.step(expected, () => {
      const line = writeOne("text", "it happened", fields);
      const space = line.indexOf(" ");
      assert.match(line.slice(0, space), ISO_TIME);
      assert.equal(line.slice(space + 1), expected);
    });
  }
});

Deno.test("createLog() writes one line for one event whatever a client put into it", () => {
  const pieces = fc.constantFrom("\r", "\n", " ", "=", '"', "\\", "a", "é", "\x1b", "\0");
  const values = fc.oneof(fc.string({ unit: pieces }), fc.string({ unit: "binary" }));
  fc.assert(fc.property(values, fc.constantFrom(...FORMATS), (value, format) => {
    const line = writeOne(format, "it happened", { value, last: 1 });
    assert.ok(!["\r", "\n", "\0", "\x1b"].some((char) => line.includes(char)), line);
    assert.ok(line.endsWith(format === "json" ? ',"last":1}' : " last=1"), line);
  }));
});

Deno.test("a message that is said again and again is folded, and said how often", () => {
  const lines: string[] = [];
  let now = 0;
  const write = (line: string) => lines.push(line);
  const log = createLog({ level: "debug", format: "json", write, now: () => now });
  for (let count = 0; count < 1000; count++) log.warn("again", { count });
  log.warn("another");
  assert.equal(lines.length, MOST_LINES + 1);
  now = 10_000;
  log.info("later");
  const [folded, later] = lines.slice(MOST_LINES + 1).map((line) => JSON.parse(line));
  assert.equal(folded.message, "again");
  assert.equal(folded.repeated, 1000 - MOST_LINES);
  assert.equal(later.message, "later");
  log.warn("again");
  assert.equal(lines.length, MOST_LINES + 4);
});

Deno.test("createLog() writes to standard error unless told otherwise", () => {
  const { error, log: out } = console;
  const lines: string[] = [];
  try {
    console.error = (line) => lines.push(`error: ${line}`);
    console.log = (line) => lines.push(`log: ${line}`);
    createLog({ level: "info", format: "json" }).info("hello");
  } finally {
    console.error = error;
    console.log = out;
  }
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /^error: \{.*"message":"hello"\}$/);
});

function writeOne(format: LogFormat, message: string, fields: LogFields): string {
  const lines: string[] = [];
  createLog({ level: "debug", format, write: (line) => lines.push(line) }).warn(message, fields);
  assert.equal(lines.length, 1);
  return lines[0] ?? "";
}

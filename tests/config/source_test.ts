import assert from "node:assert/strict";
import { parseSource } from "../../lib/config/source.ts";

Deno.test("parseSource() tells the kinds apart, and fetches nothing", async (t) => {
  const table: [text: string, expected: unknown][] = [
    ["-", { kind: "stdin" }],
    ["h8s.yaml", { kind: "file", path: "h8s.yaml" }],
    ["./-", { kind: "file", path: "./-" }],
    ["/etc/h8s.yaml", { kind: "file", path: "/etc/h8s.yaml" }],
    ["C:\\h8s.yaml", { kind: "file", path: "C:\\h8s.yaml" }],
    ["https://a/b", /not fetched from a URL; pipe it in: curl .*--config -$/],
    ["HTTP://localhost/b", /^Cannot read "HTTP:\/\/localhost\/b": .*curl/],
    ["nats-kv://edge/h8s.yaml", { kind: "nats-kv", bucket: "edge", key: "h8s.yaml" }],
    ["nats-kv://edge/a/b=c", { kind: "nats-kv", bucket: "edge", key: "a/b=c" }],
    ["nats-kv://edge", /nats-kv:\/\/BUCKET\/KEY/],
    ["nats-kv://edge/", /expected FILE/],
    ["nats-kv://ed.ge/a", /expected FILE/],
    ["nats-kv://edge/a.*", /expected FILE/],
    ["nats-kv://edge/.a", /expected FILE/],
    ["ftp://a/b", /^Cannot read "ftp:\/\/a\/b": expected FILE, - or nats-kv/],
    ["", /expected FILE/],
    ["file:///etc/h8s.yaml", /expected FILE/],
  ];
  for (const [text, expected] of table) {
    await t.step(text, () => {
      if (expected instanceof RegExp) {
        assert.throws(() => parseSource(text), { name: "ConfigFileError", message: expected });
      } else assert.deepEqual(parseSource(text), expected);
    });
  }
});

Deno.test("parseSource() shows no password, wherever it stands", async (t) => {
  const table = [
    "https://ann:s3cret@a/b",
    "https://a/b?token=s3cret",
    "http://ann:s3/cret@a/s3cret@b",
    "https:/ann:s3cret@a/b",
    "nats-kv://ann:s3cret@edge/h8s",
    "nats-kv://s3cret@edge",
    "ftp://s3cret@a",
  ];
  for (const text of table) {
    await t.step(text, () => {
      assert.throws(() => parseSource(text), (error) => {
        assert.ok(error instanceof Error && error.name === "ConfigFileError");
        assert.doesNotMatch(error.message, /s3|cret/);
        return true;
      });
    });
  }
});

import assert from "node:assert/strict";
import { findNats } from "../harness/nats_server.ts";
import { runMain } from "../harness/program.ts";
import { type Block, readGuides } from "./blocks.ts";

const LANGUAGES = ["ts", "js", "sh", "yaml", "json", "conf", "text", "mermaid", "html"];
const MARKS = [undefined, "fragment", "by-hand"];

Deno.test("every block says what it is, in words that these tests know", () => {
  const unknown = readGuides().flatMap(({ blocks }) => blocks).filter(({ language, mark }) =>
    !LANGUAGES.includes(language) || !MARKS.includes(mark)
  );
  assert.deepEqual(unknown.map(({ at, language, mark }) => [at, language, mark]), []);
});

Deno.test("every YAML in the documents is a configuration that can be used", async () => {
  await Promise.all(
    listBlocks("yaml").map(async ({ at, text }) => {
      const { code, stderr } = await runMain(["config", "check", "-"], { stdin: text });
      assert.equal(code, 0, `${at}: ${stderr}`);
    }),
  );
});

Deno.test("every JSON in the documents is JSON", () => {
  for (const { at, text } of listBlocks("json")) assert.doesNotThrow(() => JSON.parse(text), at);
});

Deno.test("every configuration of nats-server in the documents is one", async () => {
  const { path } = await findNats();
  for (const { at, text } of listBlocks("conf")) {
    const file = await Deno.makeTempFile();
    await Deno.writeTextFile(file, text);
    const { success, stderr } = await new Deno.Command(path, { args: ["-t", "-c", file] }).output();
    assert.ok(success, `${at}: ${new TextDecoder().decode(stderr)}`);
    await Deno.remove(file);
  }
});

Deno.test("commands that have to be tried by hand are at least commands", async () => {
  const blocks = readGuides().flatMap(({ blocks }) => blocks);
  for (const { at, text } of blocks.filter(({ mark }) => mark === "by-hand")) {
    const args = ["-n", "-c", text];
    const { success, stderr } = await new Deno.Command("bash", { args }).output();
    assert.ok(success, `${at}: ${new TextDecoder().decode(stderr)}`);
  }
});

function listBlocks(language: string): Block[] {
  return readGuides().flatMap(({ blocks }) => blocks)
    .filter((block) => block.language === language && block.mark === undefined);
}

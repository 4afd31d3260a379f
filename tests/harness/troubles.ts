/**
 * What `docs/observe.md` shows of each trouble, to be compared with what is really seen.
 *
 * @module
 */
import assert from "node:assert/strict";

const PAGE = new URL("../../docs/observe.md", import.meta.url);

/**
 * Asserts that each line which the page shows under a heading is among what was seen; `…` stands for
 * whatever differs from run to run.
 *
 * @param trouble The heading.
 * @param seen What the tools printed.
 */
export function assertShown(trouble: string, seen: readonly string[]): void {
  const section = Deno.readTextFileSync(PAGE).split(/^#+ /m)
    .find((section) => section.startsWith(`${trouble}\n`));
  const shown = /```text\n([^]*?)```/.exec(section ?? "")?.[1]?.trimEnd().split("\n") ?? [];
  const outputs = shown.filter((line) => !line.startsWith("$ "));
  assert.notEqual(outputs.length, 0, `docs/observe.md shows nothing of "${trouble}"`);
  const lines = seen.join("\n").split("\n");
  for (const output of outputs) {
    const pattern = new RegExp(`^${output.split("…").map(RegExp.escape).join(".*")}$`);
    assert.ok(
      lines.some((line) => pattern.test(line)),
      `not seen: ${output}\nbut:\n${lines.join("\n")}`,
    );
  }
}

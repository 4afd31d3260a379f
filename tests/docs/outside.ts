/**
 * A user's folder: nothing of this repository in it but what its packages' names stand for.
 *
 * @module
 */
import { ROOT } from "./blocks.ts";

/** What a user of the packages has, before they are published. */
export async function makeFolder(): Promise<string> {
  const own = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));
  const exports: Record<string, string> = own.exports;
  const names = Object.entries(exports).flatMap(([name, file]) => {
    const url = new URL(file, `file://${ROOT}`).href;
    return [`@h8s/gateway`, `jsr:@h8s/gateway`].map((packet) => [packet + name.slice(1), url]);
  });
  const folder = await Deno.makeTempDir({ prefix: "h8s-docs-" });
  const config = {
    imports: { ...own.imports, ...Object.fromEntries(names) },
    unstable: own.unstable,
    compilerOptions: own.compilerOptions,
  };
  await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify(config));
  return folder;
}

/**
 * The client library as one script for a page: `deno run -A tests/client/bundle.ts` makes anew what the rooms serve.
 *
 * @module
 */
import { build, stop } from "esbuild";

export { stop };

const ROOT = new URL("../../", import.meta.url).pathname;
/** What the rooms serve. */
export const ASSET = `${ROOT}examples/rooms/assets/client.js`;

/** No source of ours, and typed by what it was made of. */
const BANNER = `// @ts-self-types="../../../lib/client/mod.ts"
// deno-fmt-ignore-file
// deno-lint-ignore-file
// Made of lib/client by tests/client/bundle.ts.
`;

/** A script, and the files of ours that something in it comes from. */
export interface Bundle {
  readonly text: string;
  readonly inputs: readonly string[];
}

/**
 * Bundles the library; esbuild's process runs on until `stop()`.
 *
 * @param minify Whether for the wire, or to be read.
 * @returns The script.
 */
export async function bundle(minify: boolean): Promise<Bundle> {
  const { outputFiles: [file], metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ["lib/client/mod.ts"],
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    minify,
    write: false,
    metafile: true,
  });
  const [output] = Object.values(metafile.outputs);
  const inputs = Object.entries(output!.inputs)
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => path);
  return { text: file!.text, inputs };
}

/** What the rooms should serve. */
export async function toAsset(): Promise<string> {
  return BANNER + (await bundle(false)).text;
}

if (import.meta.main) {
  await Deno.writeTextFile(ASSET, await toAsset());
  await stop();
}

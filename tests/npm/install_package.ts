/**
 * The package as npm would install it, before it is published.
 *
 * @module
 */
import manifest from "../../deno.json" with { type: "json" };
import { build } from "../../npm/build.ts";
import { npm } from "./runtimes.ts";

/**
 * Installs the packed tarball, and Hono beside it.
 *
 * @param folder An empty one.
 * @param others Names and versions of further packages.
 */
export async function installPackage(folder: string, others: readonly string[] = []) {
  await build(`${folder}/made`);
  await npm(`${folder}/made`, ["pack", "--pack-destination", folder]);
  await Deno.remove(`${folder}/made`, { recursive: true });
  await Deno.writeTextFile(`${folder}/package.json`, `{ "type": "module", "private": true }\n`);
  const hono = manifest.imports.hono.replace("npm:", "");
  await npm(folder, ["install", `./h8s-gateway-${manifest.version}.tgz`, hono, ...others]);
}

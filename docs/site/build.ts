/**
 * Makes a site of the README and docs/, in `dist/docs`: `deno task docs [--base /folder/]`.
 *
 * @module
 */
import { copyFileSync, cpSync, mkdirSync, rmSync } from "node:fs";

const ROOT = new URL("../../", import.meta.url).pathname;
/** Where VitePress works. Pages have to be below it: else they would not find what is installed there. */
const SITE = `${ROOT}dist/site/`;
const PAGES = ["README.md", "CHANGELOG.md", "SECURITY.md", "deploy/README.md", "docs"];

mkdirSync(`${SITE}.vitepress`, { recursive: true });
copyFileSync(`${ROOT}docs/site/config.ts`, `${SITE}.vitepress/config.ts`);
for (const file of ["deno.json", "deno.lock"]) {
  copyFileSync(`${ROOT}docs/site/${file}`, `${SITE}${file}`);
}
rmSync(`${SITE}pages`, { recursive: true, force: true });
for (const path of PAGES) {
  const filter = (from: string) => from !== `${ROOT}docs/site`;
  cpSync(`${ROOT}${path}`, `${SITE}pages/${path}`, { recursive: true, filter });
}
const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["run", "-A", "--frozen", "npm:vitepress", "build", ...Deno.args],
  cwd: SITE,
}).spawn().status;
Deno.exit(code);

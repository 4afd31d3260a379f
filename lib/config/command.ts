/**
 * The command that started the program.
 *
 * @module
 */

/** `…/@h8s/gateway/0.1.0/main.ts`, at JSR or a mirror of it. */
const AT_JSR = /^https?:\/\/.+\/(?<name>@[^/]+\/[^/]+)\/(?<version>[^/]+)\/main\.ts$/;

/**
 * Says how the program was started, for its help.
 *
 * @param isCompiled Whether it is one binary.
 * @returns What stands before the flags.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toCommand } from "./command.ts";
 *
 * const url = "https://jsr.io/@h8s/gateway/0.1.0/main.ts";
 * assert.equal(toCommand(url), "deno run --allow-net jsr:@h8s/gateway@0.1.0/main");
 * assert.equal(toCommand("file:///srv/h8s/main.ts"), "deno run --allow-net main.ts");
 * ```
 */
export function toCommand(url: string, isCompiled: boolean = Deno.build.standalone): string {
  if (isCompiled) return "h8s";
  const { name, version } = AT_JSR.exec(url)?.groups ?? {};
  if (name !== undefined) return `deno run --allow-net jsr:${name}@${version}/main`;
  return `deno run --allow-net ${url.startsWith("file:") ? "main.ts" : url}`;
}

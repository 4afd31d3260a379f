/**
 * What is known of a template's subjects before any request comes.
 *
 * @module
 */
import type { Template } from "./template.ts";

/** What stands for the client's session: a client has one, but not its choice. */
export const SHAPE_OF_SESSION = "session";

/**
 * Fills a template in with what stands for anything: a token that begins with `~`, which is like no subject
 * that means something, for each variable that depends on what a client asks for.
 *
 * @param template From `parseTemplate`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseTemplate } from "./template.ts";
 * import { renderShape } from "./template_shape.ts";
 *
 * const template = parseTemplate("{prefix}.{room}.>", { params: ["room"], wildcards: true });
 * assert.equal(renderShape(template, "h8s"), "h8s.~room.>");
 * ```
 */
export function renderShape({ pieces }: Template, prefix: string): string {
  return pieces.map((piece) => piece.kind === "literal" ? piece.text : toShape(piece.name, prefix))
    .join("");
}

function toShape(name: string, prefix: string): string {
  switch (name) {
    case "prefix":
      return prefix;
    case "scheme":
      return "ws";
    case "session":
      return SHAPE_OF_SESSION;
    case "connection":
    case "gateway":
      return name;
    default:
      return `~${name.replaceAll(":", "")}`;
  }
}

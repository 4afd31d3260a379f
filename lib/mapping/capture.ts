/**
 * Which subjects a stream has to capture so that it gets all that a template can publish.
 *
 * @module
 */
import type { Route } from "./route.ts";
import { SubjectIndex } from "./subject_index.ts";
import { isCovered } from "./subject_pattern.ts";
import { type Template, TemplateError } from "./template.ts";

/** Variables that stand for any number of tokens. */
const SEVERAL_TOKENS: ReadonlySet<string> = new Set(["host", "path"]);

/**
 * The subjects of everything that a gateway persists: what its routes publish and, unless one of these
 * overlaps with it, which no stream may, what WebSockets publish by the convention.
 *
 * @param routes Those that say `persist`, and WebSocket routes that do not say otherwise, count.
 * @returns Subjects of which none covers another.
 * @throws {TemplateError} when no subject could capture what a route publishes.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { listCaptured } from "./capture.ts";
 *
 * assert.deepEqual(listCaptured([], "h8s"), ["h8s.ws.ws.>"]);
 * ```
 */
export function listCaptured(routes: readonly Route[], prefix: string): string[] {
  const subjects = routes.flatMap(({ sides: { http, websocket } }) => [http, websocket])
    .flatMap((side) => side?.persist && side.subject ? toCaptured(side.subject, prefix) : []);
  const all = new SubjectIndex<string>();
  for (const subject of subjects) all.add(subject, subject);
  const convention = toConventionCapture(prefix);
  if (!all.someOverlap(convention, () => true)) subjects.unshift(convention);
  return [...new Set(subjects)].filter((subject) =>
    !all.someOverlap(subject, (other) => other !== subject && isCovered(subject, other))
  );
}

/**
 * Where WebSockets publish by the convention.
 *
 * @returns `<prefix>.ws.ws.>`.
 */
export function toConventionCapture(prefix: string): string {
  return `${prefix}.ws.ws.>`;
}

/**
 * The subjects of everything that one template can make.
 *
 * @returns One subject; two where the last variable may come out empty.
 * @throws {TemplateError} when a variable that stands for several tokens is not the last.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toCaptured } from "./capture.ts";
 * import { parseTemplate } from "./template.ts";
 *
 * const template = parseTemplate("{prefix}.{room}.in", { params: ["room"], wildcards: false });
 * assert.deepEqual(toCaptured(template, "h8s"), ["h8s.*.in"]);
 * ```
 */
export function toCaptured(template: Template, prefix: string): string[] {
  const tokens = toTokens(template, prefix);
  const several = tokens.indexOf(">");
  if (several !== -1 && several !== tokens.length - 1) {
    const reason =
      `{host} and {path} stand for several tokens and can only be captured as the last`;
    throw new TemplateError(`cannot persist "${template.text}": ${reason}`);
  }
  return toCovering(template, prefix);
}

/**
 * Subjects that take in everything that one template can make, and more where no subject is exactly that.
 *
 * @returns One subject; two where variables may come out empty.
 */
export function toCovering(template: Template, prefix: string): string[] {
  const tokens = toTokens(template, prefix);
  const several = tokens.indexOf(">");
  if (several === -1) return [tokens.join(".")];
  const parent = tokens.slice(0, several).join(".");
  return parent === "" ? [">"] : [parent, `${parent}.>`];
}

function toTokens({ pieces }: Template, prefix: string): string[] {
  const text = pieces.map((piece) => {
    if (piece.kind === "literal") return piece.text;
    if (piece.name === "prefix") return prefix;
    return SEVERAL_TOKENS.has(piece.name) ? ">" : "*";
  }).join("");
  return text.split(".").map((token) =>
    /[*>]/.test(token) ? token.includes(">") ? ">" : "*" : token
  );
}

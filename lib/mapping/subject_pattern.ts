/**
 * How patterns of subjects relate to each other.
 *
 * @module
 */

/**
 * Says whether a pattern takes everything that another one takes.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { isCovered } from "./subject_pattern.ts";
 *
 * assert.ok(isCovered("a.*", "a.>"));
 * assert.ok(!isCovered("a.>", "a.*"));
 * ```
 */
export function isCovered(subject: string, by: string): boolean {
  const [own, other] = [subject.split("."), by.split(".")];
  for (const [index, token] of other.entries()) {
    if (token === ">") return own.length > index;
    if (own[index] === undefined || own[index] === ">") return false;
    if (token !== "*" && token !== own[index]) return false;
  }
  return own.length === other.length;
}

/**
 * Says whether two patterns have a subject in common.
 *
 * @returns True when there is one that both take.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { doOverlap } from "./subject_pattern.ts";
 *
 * assert.ok(doOverlap("a.*.push", "a.b.>"));
 * assert.ok(!doOverlap("a.*", "a.b.c"));
 * ```
 */
export function doOverlap(a: string, b: string): boolean {
  const [own, other] = [a.split("."), b.split(".")];
  for (let index = 0; index < Math.max(own.length, other.length); index++) {
    const [left, right] = [own[index], other[index]];
    if (left === undefined || right === undefined) return false;
    if (left === ">" || right === ">") return true;
    if (left !== "*" && right !== "*" && left !== right) return false;
  }
  return true;
}

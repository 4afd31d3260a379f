import { fromSteps, type PathParams, type PathPattern } from "../../lib/mapping/path_pattern.ts";

/** One pattern and one path: what the trie of all patterns has to agree with. */
export function matchPath(pattern: PathPattern, tokens: readonly string[]): PathParams | undefined {
  const { steps, isOpen } = pattern;
  if (isOpen ? tokens.length < steps.length : tokens.length !== steps.length) return undefined;
  const fits = steps.every((step, index) =>
    step.kind !== "literal" || step.token === tokens[index]
  );
  return fits ? fromSteps(pattern, tokens) : undefined;
}

/**
 * Says at once that a Node is too old, rather than that something is undefined later.
 *
 * @module
 */
const OLDEST_MAJOR = 22;

const { process } = globalThis as {
  process?: { readonly versions?: { readonly node?: string } };
};
// Bun and Deno name the Node that they are like; a page has none.
const version = process?.versions?.node;
if (version !== undefined && Number.parseInt(version) < OLDEST_MAJOR) {
  throw new Error(
    `Cannot run @h8s/gateway in Node ${version}: expected Node ${OLDEST_MAJOR} or newer`,
  );
}

export {};

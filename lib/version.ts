/**
 * Which version this is.
 *
 * @module
 */
import manifest from "../deno.json" with { type: "json" };

/** As it is released. */
export const VERSION: string = manifest.version;

/**
 * Strings that must not be mixed up.
 *
 * @module
 */

declare const brand: unique symbol;

/** A string of one kind, made by its constructors alone; at runtime a string like any other. */
export type Branded<Kind extends string> = string & { readonly [brand]: Kind };

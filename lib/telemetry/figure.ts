/**
 * A metric, for whoever draws it.
 *
 * @module
 */

/** A metric as it stands: one value for each of its series. */
export interface Figure {
  readonly name: string;
  readonly values: readonly {
    readonly value: number;
    readonly labels: Readonly<Partial<Record<string, string | number>>>;
  }[];
}

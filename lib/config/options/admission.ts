/**
 * Options: who gets in.
 *
 * @module
 */
import { z } from "zod";
import { parsed } from "../fields.ts";

const HOSTS = `host names such as "example.com" or "*.example.com"`;

/** Who gets in. */
export interface AdmissionOptions {
  /**
   * Hosts that are served, exact or `*.example.com`.
   *
   * @default []: all
   */
  readonly hostFilters?: readonly string[];
  /**
   * Let only requests pass for which a workload has registered.
   *
   * @default false
   */
  readonly trackInterest?: boolean;
}

/** The same, to be checked. */
export const admissionFields = {
  hostFilters: z.array(parsed(HOSTS, parseHostFilters)).transform((lists) => lists.flat())
    .prefault([])
    .meta({
      placeholder: "HOSTS",
      description: "Hosts that are served: example.com,*.example.org",
    }),
  trackInterest: z.boolean().default(false)
    .meta({ description: "Let only requests pass for which a workload has registered" }),
};

function parseHostFilters(text: string): string[] | undefined {
  const filters = text.toLowerCase().split(",").map((filter) => filter.trim());
  return filters.every((filter) => /^(\*\.)?[\w:-]+(\.[\w-]+)*$/.test(filter))
    ? filters
    : undefined;
}

/**
 * Options: the page for whoever runs the gateway.
 *
 * @module
 */
import { z } from "zod";
import { matching, secret } from "../fields.ts";

/** Nobody guesses it, so nobody has to be slowed down who tries. */
const ADMIN_KEY = /^[\x21-\x7e]{16,256}$/;

/** The page at the admin address. */
export interface AdminOptions {
  /**
   * What opens the page at {@link ListenOptions.admin}, 16 characters at least. Without it the page is there
   * for this machine alone.
   *
   * @default undefined: none
   */
  readonly adminKey?: string | undefined;
  /**
   * Whether the page may show, while somebody watches, the heads of the messages that pass. Secrets in them
   * are masked, and bodies are never shown.
   *
   * @default false
   */
  readonly adminTap?: boolean;
}

/** The same, to be checked. */
export const adminFields = {
  adminKey: secret(
    matching(ADMIN_KEY, "16 letters, digits and signs at least, e.g. of: openssl rand -base64 24"),
  ).optional()
    .meta({ placeholder: "KEY", description: "What opens the page at the admin address" }),
  adminTap: z.boolean().default(false)
    .meta({ description: "Let the page watch the heads of messages, secrets masked" }),
};

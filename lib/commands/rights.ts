/**
 * What NATS refuses, as an error for whoever asked.
 *
 * @module
 */
import { PermissionViolationError } from "@nats-io/nats-core";
import type { Session } from "../nats/client/session.ts";
import { pause } from "../time/within.ts";
import { AskError, type OpenNats } from "./nats.ts";

/** The client library tells it a moment after the server has said it. */
const SETTLING_MS = 50;

/**
 * Waits until NATS has taken all that was asked of it.
 *
 * @throws {AskError} when it did not permit something.
 */
export async function checkRights(
  session: Session,
  errors: OpenNats["errors"],
): Promise<void> {
  const [violation] = await settle(session, errors);
  if (violation === undefined) return;
  const verb = violation.operation === "publish" ? "publish to" : "subscribe to";
  throw new AskError(
    `NATS does not permit this user to ${verb} ${violation.subject}`,
    "ask as a user who may, e.g. --nats-url nats://ADMIN:PASSWORD@HOST:4222",
    "rights",
  );
}

/** The same for who looks itself at what was not permitted. */
export async function settle(
  session: Session,
  errors: OpenNats["errors"],
): Promise<PermissionViolationError[]> {
  await session.flush();
  await pause(SETTLING_MS);
  return errors.filter((error) => error instanceof PermissionViolationError);
}

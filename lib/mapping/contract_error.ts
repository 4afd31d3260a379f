/**
 * The error for a message that is not what the contract says.
 *
 * @module
 */

/** A message from NATS that cannot be read as what its subject promises. */
export class ContractError extends Error {
  /** Always `"ContractError"`. */
  override readonly name = "ContractError";
}

/** A JSON object, before its properties are looked at. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Decodes a payload that has to be a JSON object.
 *
 * @param payload UTF-8.
 * @param what What it is read as, for the error text, e.g. `"an interest"`.
 * @returns The object; its properties may be anything.
 * @throws {ContractError} when it is no JSON object.
 */
export function parseJsonObject(payload: Uint8Array, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch (cause) {
    throw new ContractError(`Cannot read ${what}: not JSON in UTF-8`, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ContractError(`Cannot read ${what}: not a JSON object`);
  }
  return value as JsonObject;
}

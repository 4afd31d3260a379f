/**
 * A JetStream stream that is there as it is wanted: created, or checked; never altered, never deleted.
 *
 * @module
 */
import type { StreamConfig } from "@nats-io/jetstream";
import { nanos, type NatsConnection } from "@nats-io/nats-core";
import { isCovered } from "../../mapping/subject_pattern.ts";

/** What is wanted of a stream; what is left out may be as it likes. */
export type WantedStream = Partial<StreamConfig> & { readonly name: string };

/** How a wanted property is called by whoever can change it, e.g. `--persist-storage`. */
export type OptionNames = Readonly<Partial<Record<keyof StreamConfig, string>>>;

/** A stream that cannot be used; the message names what differs and what to do. */
export class StreamError extends Error {
  /** Always `"StreamError"`. */
  override readonly name = "StreamError";
}

/** Error codes of the JetStream API. */
const NOT_FOUND = 10059;
const NAME_IN_USE = 10058;
const UNAVAILABLE = 10008;

/** What is asked of the stream; durations in milliseconds. */
export interface StreamOptions {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly storage: "file" | "memory";
  readonly replicas: number;
  /** 0 for no bound. */
  readonly maxBytes: number;
  /** 0 for ever. */
  readonly maxAge: number;
  readonly duplicateWindow: number;
}

/**
 * The stream's configuration: a work queue that refuses what does not fit, since one that drops its oldest
 * messages instead would lose them in silence.
 *
 * @returns What it has to be like.
 */
export function toWantedStream(options: StreamOptions): WantedStream {
  const { name, subjects, storage, replicas, maxBytes, maxAge, duplicateWindow } = options;
  return {
    name,
    subjects: [...subjects],
    retention: "workqueue",
    discard: "new",
    storage,
    num_replicas: replicas,
    max_bytes: maxBytes === 0 ? -1 : maxBytes,
    max_age: nanos(maxAge),
    // The server takes no longer one.
    duplicate_window: nanos(maxAge === 0 ? duplicateWindow : Math.min(duplicateWindow, maxAge)),
  };
}

/**
 * Creates a stream, or checks the one that has its name.
 *
 * @param wanted What it is to be; of an existing stream each subject has to be covered, all else equal.
 * @param names What to call the properties in errors.
 * @throws {StreamError} when there is no JetStream, or the stream differs.
 * @throws {Error} when NATS does not answer now; it may later.
 */
export async function openStream(
  connection: NatsConnection,
  wanted: WantedStream,
  names: OptionNames = {},
): Promise<void> {
  // Only who uses it pays for loading it.
  const { jetstreamManager, JetStreamApiError } = await import("@nats-io/jetstream");
  try {
    const { streams } = await jetstreamManager(connection, { checkAPI: false });
    const existing = async () => (await streams.info(wanted.name)).config;
    const config = await existing().catch((error) => {
      if (!isNotFound(error)) throw error;
      return streams.add(wanted).then(({ config }) => config, (error) => {
        // Another gateway was faster.
        if (error.code !== NAME_IN_USE) throw error;
        return existing();
      });
    });
    checkStream(config, wanted, names);
  } catch (cause) {
    if (!(cause instanceof Error) || cause instanceof StreamError) throw cause;
    const reason = isNobodyThere(cause)
      ? "JetStream is not enabled here; start nats-server with -js, or enable it for the account"
      : cause instanceof JetStreamApiError && cause.code !== UNAVAILABLE
      ? cause.message
      : undefined;
    if (reason === undefined) throw cause;
    throw new StreamError(`Cannot use the stream "${wanted.name}": ${reason}`, { cause });
  }
}

/** Whether an error says that there is no such stream. */
export function isNotFound(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === NOT_FOUND;
}

/** @throws {StreamError} that names what differs. */
export function checkStream(
  config: StreamConfig,
  wanted: WantedStream,
  names: OptionNames = {},
): void {
  const differences = Object.keys(wanted).flatMap((key) => {
    const property = key as keyof StreamConfig;
    const [is, expected] = [config[property], wanted[property]];
    if (property === "subjects") return missing(config.subjects, wanted.subjects ?? []);
    if (JSON.stringify(is) === JSON.stringify(expected)) return [];
    const name = names[property] === undefined ? property : `${property} (${names[property]})`;
    return [`${name} is ${JSON.stringify(is)}, expected ${JSON.stringify(expected)}`];
  });
  if (differences.length === 0) return;
  throw new StreamError(
    `Cannot use the stream "${wanted.name}": ${differences.join("; ")}. ` +
      `Ask for what it is, or change it with: nats stream edit ${wanted.name}`,
  );
}

function missing(subjects: readonly string[], wanted: readonly string[]): string[] {
  return wanted
    .filter((subject) => !subjects.some((by) => isCovered(subject, by)))
    .map((subject) => `subjects lack "${subject}"`);
}

function isNobodyThere({ name, message }: Error): boolean {
  return name === "JetStreamNotEnabled" || /no responders|not enabled/i.test(message);
}

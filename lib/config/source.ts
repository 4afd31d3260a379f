/**
 * Where a configuration is read from: a file, standard input, NATS.
 *
 * @module
 */
import { explainReadError } from "./files.ts";
import { withoutLogin } from "./fields.ts";
import { ConfigFileError } from "./options.ts";

/** A key of a NATS KV bucket. */
export interface KvSource {
  readonly kind: "nats-kv";
  readonly bucket: string;
  readonly key: string;
}

/** Where a configuration comes from. */
export type ConfigSource = KvSource | TextSource;

/** A source whose text is read once. */
export type TextSource =
  | { readonly kind: "stdin" }
  | { readonly kind: "file"; readonly path: string };

/**
 * Understands what `--config` says.
 *
 * @param text `-`, a path or `nats-kv://BUCKET/KEY`.
 * @throws {ConfigFileError} when it is of a kind that there is not.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseSource } from "./source.ts";
 *
 * assert.deepEqual(parseSource("h8s.yaml"), { kind: "file", path: "h8s.yaml" });
 * assert.deepEqual(parseSource("nats-kv://edge/h8s.yaml"), {
 *   kind: "nats-kv",
 *   bucket: "edge",
 *   key: "h8s.yaml",
 * });
 * ```
 */
export function parseSource(text: string): ConfigSource {
  if (text === "-") return { kind: "stdin" };
  // One letter is a drive; one slash is a URL that went wrong, and may hold a password all the same.
  const scheme = /^([a-z][a-z0-9+.-]+):\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined && text !== "") return { kind: "file", path: text };
  const [, bucket, key] = /^nats-kv:\/\/([\w-]+)\/([\w=/-][\w=/.-]*)$/i.exec(text) ?? [];
  if (bucket !== undefined && key !== undefined) return { kind: "nats-kv", bucket, key };
  const reason = scheme === "http" || scheme === "https"
    ? "a configuration is not fetched from a URL; pipe it in: curl -fsS URL | … --config -"
    : "expected FILE, - or nats-kv://BUCKET/KEY";
  throw new ConfigFileError(`Cannot read ${JSON.stringify(withoutLogin(text))}: ${reason}`);
}

/** What a source is called in messages. */
export function toSourceName(source: ConfigSource): string {
  switch (source.kind) {
    case "stdin":
      return "standard input";
    case "file":
      return source.path;
    case "nats-kv":
      return `nats-kv://${source.bucket}/${source.key}`;
  }
}

/**
 * Reads a source.
 *
 * @param source A file needs `--allow-read` of it; the others need no more than the network.
 * @throws {ConfigFileError} that says what to do.
 */
export function readSource(source: TextSource): Promise<string> {
  switch (source.kind) {
    case "stdin":
      return new Response(Deno.stdin.readable).text();
    case "file":
      return readFile(source.path);
  }
}

async function readFile(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    const reason = explainReadError(cause, { flag: "--config", path });
    throw new ConfigFileError(`Cannot read ${path}: ${reason}`, { cause });
  }
}

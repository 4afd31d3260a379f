/**
 * Where a configuration is read from: a file, standard input, a URL, NATS.
 *
 * @module
 */
import { ConfigFileError } from "./options.ts";

/** The largest configuration that is fetched. */
const MAX_BYTES = 1024 * 1024;
/** How long fetching may take in all. */
const FETCH_TIMEOUT_MS = 10_000;
const MAX_REDIRECTS = 5;

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
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "url"; readonly url: URL };

/**
 * Understands what `--config` says.
 *
 * @param text `-`, a path, `https://…` or `nats-kv://BUCKET/KEY`.
 * @returns The source.
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
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(text)?.[1]?.toLowerCase();
  switch (scheme) {
    case undefined:
      return { kind: "file", path: text };
    case "nats-kv": {
      const [, bucket, key] = /^[^:]+:\/\/([\w-]+)\/([\w=/-][\w=/.-]*)$/.exec(text) ?? [];
      if (bucket !== undefined && key !== undefined) return { kind: "nats-kv", bucket, key };
      break;
    }
    case "http":
    case "https": {
      const url = URL.parse(text);
      if (url !== null) return { kind: "url", url: checkUrl(url) };
      break;
    }
  }
  const expected = "expected FILE, -, https://HOST/PATH or nats-kv://BUCKET/KEY";
  throw new ConfigFileError(`Cannot read ${JSON.stringify(text)}: ${expected}`);
}

/**
 * What a source is called in messages.
 *
 * @param source Where a configuration comes from.
 * @returns Its path or URL, without a login.
 */
export function toSourceName(source: ConfigSource): string {
  switch (source.kind) {
    case "stdin":
      return "standard input";
    case "file":
      return source.path;
    case "url":
      return source.url.origin + source.url.pathname;
    case "nats-kv":
      return `nats-kv://${source.bucket}/${source.key}`;
  }
}

/**
 * Reads a source.
 *
 * @param source A file needs `--allow-read` of it; the others need no more than the network.
 * @returns Its text.
 * @throws {ConfigFileError} that says what to do.
 */
export function readSource(source: TextSource): Promise<string> {
  switch (source.kind) {
    case "stdin":
      return new Response(Deno.stdin.readable).text();
    case "file":
      return readFile(source.path);
    case "url":
      return fetchText(source.url);
  }
}

async function readFile(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) {
      throw new ConfigFileError(`Cannot read ${path}: there is no such file`, { cause });
    }
    if (cause instanceof Deno.errors.NotCapable) {
      const hint = `run with --allow-read=${path}, or pipe it in: --config - < ${path}`;
      throw new ConfigFileError(`Cannot read ${path}: ${hint}`, { cause });
    }
    throw new ConfigFileError(`Cannot read ${path}: ${String(cause)}`, { cause });
  }
}

/** Follows redirects itself, since none may lead to where the first request would have been refused. */
async function fetchText(first: URL): Promise<string> {
  const name = toSourceName({ kind: "url", url: first });
  const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
  try {
    let url = first;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const response = await fetch(withoutLogin(url), {
        headers: toAuthorization(url),
        redirect: "manual",
        signal,
      });
      if (response.ok) return await readBounded(response);
      await response.body?.cancel();
      const location = response.headers.get("location");
      if (response.status < 300 || response.status > 399 || location === null) {
        throw new ConfigFileError(`the server answered ${response.status}`);
      }
      url = checkUrl(new URL(location, url));
    }
    throw new ConfigFileError(`more than ${MAX_REDIRECTS} redirects`);
  } catch (cause) {
    const reason = signal.aborted
      ? `no answer within ${FETCH_TIMEOUT_MS / 1000} s`
      : cause instanceof Error
      ? cause.message
      : String(cause);
    throw new ConfigFileError(`Cannot read ${name}: ${reason}`, { cause });
  }
}

async function readBounded(response: Response): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let [text, size] = ["", 0];
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new ConfigFileError(`it is larger than ${MAX_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** A configuration decides who gets in, so nobody on the way may change it. */
function checkUrl(url: URL): URL {
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol === "https:" || (url.protocol === "http:" && isLoopback)) return url;
  throw new ConfigFileError(`Cannot read ${url.origin}: expected https, or http on this machine`);
}

function withoutLogin(url: URL): URL {
  const bare = new URL(url);
  bare.username = bare.password = "";
  return bare;
}

function toAuthorization({ username, password }: URL): HeadersInit {
  if (username === "" && password === "") return {};
  return { authorization: `Basic ${btoa(decodeURIComponent(`${username}:${password}`))}` };
}

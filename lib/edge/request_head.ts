/**
 * A request's header lines, read past the platform's `Headers`, which sorts and joins all of them for whoever
 * looks at one.
 *
 * @module
 */
import { type HeaderEntry, toHeaderEntries, valueOf } from "../mapping/headers.ts";
import { remembering } from "./remembering.ts";

/** What Deno's server has of a request hangs on it by a symbol of this description. */
const INNER_REQUEST = "request";

/** So many are looked through faster than a map is made of them. */
const FEW = 20;

/** What is read here. */
interface InnerRequest {
  readonly headerList: readonly HeaderEntry[];
}

type Held = Request & { readonly [symbol: symbol]: Partial<InnerRequest> | undefined };

/**
 * What the server itself has of a request.
 *
 * @param symbol Where it hangs; the same for all requests.
 * @returns Undefined where a release of Deno has no such thing.
 */
export function toInner(
  request: Request,
  symbol: symbol | undefined = findSymbol(request),
): Partial<InnerRequest> | undefined {
  return symbol && (request as Held)[symbol];
}

function findSymbol(request: Request): symbol | undefined {
  const symbols = Object.getOwnPropertySymbols(request);
  return symbols.find(({ description }) => description === INNER_REQUEST);
}

/** Reads the header lines of requests. */
export class RequestHeads {
  #symbol: symbol | undefined;
  readonly #toKey = remembering((name) => name.toLowerCase());

  /**
   * Reads those of one.
   *
   * @returns Names in lower case, each once: the values of several lines are joined by commas (RFC 9110 §5.3).
   */
  read(request: Request): HeaderEntry[] {
    const lines = toInner(request, this.#symbol ??= findSymbol(request))?.headerList;
    if (!Array.isArray(lines)) return toHeaderEntries(request.headers);
    const entries: HeaderEntry[] = [];
    const places = lines.length > FEW ? new Map<string, number>() : undefined;
    for (const line of lines) {
      const [name, value] = line;
      const key = this.#toKey(name);
      const place = places === undefined ? findPlace(entries, key) : places.get(key) ?? -1;
      if (place === -1) {
        entries.push(key === name ? line : [key, value]);
        places?.set(key, entries.length - 1);
      } else entries[place] = [key, `${entries[place]![1]}, ${value}`];
    }
    return entries;
  }
}

function findPlace(entries: readonly HeaderEntry[], name: string): number {
  for (let place = 0; place < entries.length; place++) {
    if (entries[place]![0] === name) return place;
  }
  return -1;
}

/** What a head says of the body. */
export interface BodyFacts {
  /** What the client announces of it; undefined without. */
  readonly contentLength: string | undefined;
  /** It is known that there is none. */
  readonly isBodyless: boolean;
}

/** Finds out what a head says of the body. */
export function toBodyFacts(method: string, headers: readonly HeaderEntry[]): BodyFacts {
  const contentLength = valueOf(headers, "content-length");
  const isBodyless = contentLength === "0" ||
    contentLength === undefined && (method === "GET" || method === "HEAD");
  return {
    contentLength,
    isBodyless: isBodyless && valueOf(headers, "transfer-encoding") === undefined,
  };
}

/**
 * Options: what the reverse daemon serves.
 *
 * @module
 */
import { encodeToken, toHostName } from "../../mapping/subject.ts";
import { fileText, listOf, parsed, secret, withoutLogin } from "../fields.ts";

const HOSTS = `host names such as "api.example.com"`;
const HOST = `a host name such as "api.example.com"`;
const BACKEND_URL = `an HTTP URL such as "http://localhost:3000"`;
const GROUP = `one literal subject token such as "api"`;

/** What the reverse daemon serves. */
export interface BackendOptions {
  /** The public hosts whose requests go to the backend. */
  readonly hostname: readonly string[];
  /** The local server, e.g. `"http://localhost:3000"`. */
  readonly backendUrl: string;
  /**
   * Who vouches for a backend with `https:`: certificates in PEM, or the path of a file that holds them.
   *
   * @default undefined: the certificate authorities of the runtime
   */
  readonly backendCa?: string | undefined;
  /**
   * Replicas of one name share the work.
   *
   * @default "h8s-reverse"
   */
  readonly queueGroup?: string;
}

/** The same, to be checked. */
export const backendFields = {
  hostname: listOf(parsed(HOST, parseHost), HOSTS)
    .min(1, `expected ${HOST}`).prefault([])
    .meta({ placeholder: "HOST", description: "Public host to serve; may be repeated" }),
  backendUrl: secret(parsed(BACKEND_URL, parseBackendUrl), withoutLogin)
    .meta({ placeholder: "URL", description: "The local server, e.g. http://localhost:3000" }),
  backendCa: fileText("Certificates of who vouches for an https backend, in PEM"),
  queueGroup: parsed(GROUP, (text) => encodeToken(text) === text && text !== "" ? text : undefined)
    .default("h8s-reverse")
    .meta({ placeholder: "NAME", description: "Replicas of one name share the work" }),
};

function parseHost(text: string): string | undefined {
  try {
    return toHostName(text);
  } catch {
    return undefined;
  }
}

function parseBackendUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) ? url : undefined;
}

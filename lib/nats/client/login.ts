/**
 * Who the process is in NATS, and whom it trusts there.
 *
 * @module
 */
import {
  type Authenticator,
  type ConnectionOptions,
  credsAuthenticator,
  nkeyAuthenticator,
} from "@nats-io/nats-core";
import { readCertificate, toCertificate } from "../../config/certificate.ts";
import { ConfigError } from "../../config/options.ts";
import type { NatsLoginOptions } from "../../config/options/nats_login.ts";
import { parseLogin, splitNatsUrl, withPort } from "../../mapping/nats_url.ts";

/** What a configuration says of it; files have been read. */
export type LoginConfig = NatsLoginOptions & Required<Pick<NatsLoginOptions, "natsUrl">>;

/** What the client library wants to know. */
export interface Login
  extends Pick<ConnectionOptions, "user" | "pass" | "token" | "authenticator" | "tls"> {
  /** Without a login. */
  readonly servers: string[];
}

const encoder = new TextEncoder();
const WAYS = ["natsUser", "natsToken", "natsNkey", "natsCreds"] as const;

/**
 * Reads the login from a configuration.
 *
 * @param config One way to log in, or none.
 * @returns The same in the client library's terms.
 * @throws {ConfigError} when it says two ways, or one that cannot be used.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toLogin } from "./login.ts";
 *
 * assert.deepEqual(toLogin({ natsUrl: ["nats://ann:secret@a:4222"] }), {
 *   servers: ["nats://a:4222"],
 *   user: "ann",
 *   pass: "secret",
 * });
 * ```
 */
export function toLogin(config: LoginConfig): Login {
  const parts = config.natsUrl.map(splitNatsUrl);
  const inUrl = parts.find(({ login }) => login !== undefined)?.login;
  const said = WAYS.filter((option) => config[option] !== undefined);
  const [first, second] = inUrl === undefined ? said : ["natsUrl", ...said];
  if (second !== undefined) {
    throw new ConfigError([second], `expected one way to log in, but there is ${first}, too`);
  }
  if (config.natsPassword !== undefined && config.natsUser === undefined) {
    throw new ConfigError(["natsPassword"], "expected natsUser, too");
  }
  checkSchemes(config);
  return {
    servers: parts.map(({ address }) => withPort(address)),
    ...(inUrl === undefined ? toCredentials(config) : parseLogin(inUrl)),
    ...toTls(config),
  };
}

function toCredentials(
  { natsUser: user, natsPassword: pass = "", natsToken: token, natsNkey, natsCreds }: LoginConfig,
): Partial<Login> {
  if (user !== undefined) return { user, pass };
  if (token !== undefined) return { token };
  if (natsNkey !== undefined) {
    return usable(nkeyAuthenticator(encoder.encode(natsNkey.trim())), {
      option: "natsNkey",
      expected: "the seed of a user's nkey, SU…, or the path of a file that holds it",
    });
  }
  if (natsCreds !== undefined) {
    return usable(credsAuthenticator(toCredsBytes(natsCreds)), {
      option: "natsCreds",
      expected: "the text of a .creds file, or its path",
    });
  }
  return {};
}

/** An unusable one would else be found out at the first connection, and look like a refusal. */
function usable(
  authenticator: Authenticator,
  { option, expected }: { option: string; expected: string },
): Pick<Login, "authenticator"> {
  try {
    authenticator("a nonce");
  } catch {
    // What the library says may quote the key.
    throw new ConfigError([option], `expected ${expected}`);
  }
  return { authenticator };
}

/** What a cluster tells of its other servers has no scheme: it is that of these. */
function checkSchemes({ natsUrl, natsCa, natsCert }: LoginConfig): void {
  const schemes = new Set(natsUrl.map((url) => /^wss?(?=:\/\/)/i.exec(url)?.[0].toLowerCase()));
  if (schemes.size > 1) {
    throw new ConfigError(["natsUrl"], "expected all ws://, all wss://, or neither");
  }
  if (!schemes.has("ws")) return;
  const useless = Object.entries({ natsCa, natsCert }).find(([, text]) => text !== undefined);
  if (useless === undefined) return;
  throw new ConfigError([useless[0]], "expected natsUrl with wss://, since ws:// is not encrypted");
}

/** Any of it, even empty, has the client library refuse a server that does not encrypt. */
function toTls(
  { natsUrl, natsCa: ca, natsCert, natsKey }: LoginConfig,
): Pick<Login, "tls"> {
  if (ca !== undefined) readCertificate(ca, "natsCa");
  const isAskedFor = natsUrl.some((url) => /^tls:\/\//i.test(url));
  const own = toCertificate({ natsCert, natsKey }, ["natsCert", "natsKey"]);
  if (ca === undefined && own === undefined && !isAskedFor) return {};
  return { tls: { ...(ca === undefined ? {} : { ca }), ...own } };
}

/** The client library looks for lines that end in a line feed and nothing else. */
function toCredsBytes(text: string): Uint8Array {
  return encoder.encode(`${text.replaceAll("\r", "").trim()}\n`);
}

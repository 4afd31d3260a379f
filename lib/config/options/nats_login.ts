/**
 * Options: where NATS is, who one is there, and whom to trust.
 *
 * @module
 */
import { fileText, listOf, matching, parsed, secret, withoutLogin } from "../fields.ts";

const NATS_URLS = `NATS URLs such as "nats://127.0.0.1:4222"`;
const NATS_URL = `a NATS URL such as "nats://127.0.0.1:4222"`;

/** Where NATS is, who one is there, and whom to trust. At most one way to log in. */
export interface NatsLoginOptions {
  /**
   * NATS servers to connect to; with a `tls://` among them the connection is encrypted or not made. Over
   * WebSockets where all are `ws://` or all are `wss://`.
   *
   * @default ["nats://127.0.0.1:4222"]
   */
  readonly natsUrl?: readonly string[];
  /**
   * The user to log in as, if the URL names none.
   *
   * @default undefined: no login
   */
  readonly natsUser?: string | undefined;
  /**
   * The password of {@link NatsLoginOptions.natsUser}.
   *
   * @default undefined: none
   */
  readonly natsPassword?: string | undefined;
  /**
   * A token to log in with.
   *
   * @default undefined: no login
   */
  readonly natsToken?: string | undefined;
  /**
   * The seed of an nkey to log in with (`"SU…"`), or the path of a file that holds it.
   *
   * @default undefined: no login
   */
  readonly natsNkey?: string | undefined;
  /**
   * Credentials to log in with: the text of a `.creds` file, or its path.
   *
   * @default undefined: no login
   */
  readonly natsCreds?: string | undefined;
  /**
   * Who vouches for the NATS servers: certificates in PEM, or the path of a file that holds them. The
   * connection is then encrypted or not made.
   *
   * @default undefined: the certificate authorities of the runtime
   */
  readonly natsCa?: string | undefined;
  /**
   * The client's own certificate in PEM, or the path of a file that holds it, where NATS asks for one.
   *
   * @default undefined: none
   */
  readonly natsCert?: string | undefined;
  /**
   * The private key of {@link NatsLoginOptions.natsCert}.
   *
   * @default undefined: none
   */
  readonly natsKey?: string | undefined;
}

/** The same, to be checked. */
export const natsLoginFields = {
  natsUrl: listOf(secret(parsed(NATS_URL, parseNatsUrl), withoutLogin), NATS_URLS)
    .min(1, `expected ${NATS_URL}`)
    .prefault(["nats://127.0.0.1:4222"])
    .meta({ placeholder: "URL", description: "NATS server; may be repeated" }),
  natsUser: text().optional().meta({ placeholder: "NAME", description: "User at NATS" }),
  natsPassword: secret(text()).optional()
    .meta({ placeholder: "TEXT", description: "Its password; rather in --config" }),
  natsToken: secret(text()).optional()
    .meta({ placeholder: "TEXT", description: "Token for NATS; rather in --config" }),
  natsNkey: fileText("Seed of an nkey for NATS; - for standard input", { isSecret: true }),
  natsCreds: fileText("Credentials for NATS (.creds); - for standard input", { isSecret: true }),
  natsCa: fileText("Certificates of who vouches for NATS, in PEM"),
  natsCert: fileText("Certificate to show to NATS, in PEM"),
  natsKey: fileText("Private key of that certificate", { isSecret: true }),
};

/** Empty text is what an unset variable leaves. */
function text() {
  return matching(/./s, "text");
}

function parseNatsUrl(text: string): string | undefined {
  const url = URL.parse(text.includes("://") ? text : `nats://${text}`);
  if (url === null || !/^(nats|tls|wss?):$/.test(url.protocol) || url.hostname === "") {
    return undefined;
  }
  return isPercentEncoded(url.username) && isPercentEncoded(url.password) ? text : undefined;
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

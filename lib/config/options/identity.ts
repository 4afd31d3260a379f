/**
 * Options: who has to prove who they are, and how.
 *
 * @module
 */
import { z } from "zod";
import { HTTP_TOKEN } from "../../mapping/headers.ts";
import type { Auth, Route } from "../../mapping/route.ts";
import { duration, lasting, listOf, matching, oneOf, secret, withoutLogin } from "../fields.ts";

/** The ways to prove it. */
export const AUTHS = ["none", "key", "jwt", "authorize"] as const satisfies readonly Auth[];

const ASYMMETRIC = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
] as const satisfies readonly JwtAlgorithm[];
const SYMMETRIC = ["HS256", "HS384", "HS512"] as const satisfies readonly JwtAlgorithm[];
/** What a bearer key may be made of, printable and no comma. */
export const KEY: RegExp = /^[\x21-\x2b\x2d-\x7e]+$/;
const KEYS = "letters, digits and signs, no comma";
const KEY_SET =
  "expected an https URL, or { keys: [ … ] } with at least one key, each with its kty";

/** Who has to prove who they are, and how. */
export interface IdentityOptions {
  /**
   * What every request is asked for unless its route says otherwise.
   *
   * @default what is configured of `key` and `jwt`, else `none`
   */
  readonly auth?: Auth | undefined;
  /**
   * Keys that let in: `Authorization: Bearer <key>`. Several while one replaces another.
   *
   * @default []
   */
  readonly authorizationKey?: readonly string[];
  /**
   * A file with more of them, one a line; `-` for standard input. Read once, at the start.
   *
   * @default undefined: none
   */
  readonly authorizationKeyFile?: string | undefined;
  /**
   * Tokens that let in.
   *
   * @default undefined: none
   */
  readonly jwt?: JwtOptions | undefined;
  /**
   * How long an authorizer may take to answer.
   *
   * @default "5s"
   */
  readonly authorizeTimeout?: string;
  /**
   * Let workloads see the credential that let a client in.
   *
   * @default false
   */
  readonly forwardCredentials?: boolean;
}

/** Which tokens let in. One of `jwks` and `secret` is needed. */
export interface JwtOptions {
  /** Who signs them (`iss`). */
  readonly issuer?: string | undefined;
  /** Whom they are for (`aud`). */
  readonly audience?: string | undefined;
  /**
   * How they may be signed.
   *
   * @default all that there is for public keys; HS256 for a secret
   */
  readonly algorithms?: readonly JwtAlgorithm[] | undefined;
  /** Public keys: the URL of a JSON Web Key Set, or the set itself. */
  readonly jwks?:
    | string
    | { readonly keys: readonly Readonly<Record<string, unknown>>[] }
    | undefined;
  /** A secret of at least 32 characters that signer and gateway share. */
  readonly secret?: string | undefined;
  /**
   * After how long the keys are fetched again.
   *
   * @default "10m"
   */
  readonly jwksMaxAge?: string;
  /**
   * How long it is between two fetches for a key that was not there.
   *
   * @default "30s"
   */
  readonly jwksCooldown?: string;
  /**
   * How far clocks may be apart.
   *
   * @default "10s"
   */
  readonly clockTolerance?: string;
  /** A cookie that holds the token, for WebSockets. */
  readonly cookie?: string | undefined;
  /** A parameter of the query that holds the token; it ends up in the logs of proxies. */
  readonly query?: string | undefined;
}

/** How a token may be signed (RFC 7518 §3.1, RFC 8037); never `none`. */
export type JwtAlgorithm =
  | "RS256"
  | "RS384"
  | "RS512"
  | "PS256"
  | "PS384"
  | "PS512"
  | "ES256"
  | "ES384"
  | "ES512"
  | "EdDSA"
  | "Ed25519"
  | "HS256"
  | "HS384"
  | "HS512";

/** The same as {@link JwtOptions}, checked; durations in milliseconds. */
export type JwtConfig = z.output<typeof jwtSchema>;

const keySetSchema = z.strictObject({
  keys: z.array(
    z.record(z.string(), z.unknown(), KEY_SET).refine(
      ({ kty }) => typeof kty === "string",
      KEY_SET,
    ),
    KEY_SET,
  ).min(1, KEY_SET),
});

const jwtSchema = z.strictObject({
  issuer: matching(/./, "the name of who signs (iss)").optional(),
  audience: matching(/./, "the name of whom tokens are for (aud)").optional(),
  algorithms: listOf(oneOf([...ASYMMETRIC, ...SYMMETRIC]), "algorithms such as RS256")
    .min(1, "expected an algorithm").optional(),
  jwks: secret(
    z.union([z.string().refine(isKeySetUrl, KEY_SET), keySetSchema], { error: () => KEY_SET }),
    maskKeySet,
  ).optional(),
  secret: secret(matching(/^[^]{32}/, "at least 32 characters")).optional(),
  jwksMaxAge: lasting().prefault("10m"),
  jwksCooldown: lasting().prefault("30s"),
  clockTolerance: lasting().prefault("10s"),
  cookie: matching(HTTP_TOKEN, "a cookie name").optional(),
  query: matching(/./, "the name of a parameter").optional(),
}).transform(({ algorithms, ...jwt }, context) => {
  const fitting: readonly JwtAlgorithm[] = jwt.secret === undefined ? ASYMMETRIC : SYMMETRIC;
  const byDefault = jwt.secret === undefined ? ASYMMETRIC : SYMMETRIC.slice(0, 1);
  const problem = (jwt.secret === undefined) === (jwt.jwks === undefined)
    ? "expected one of jwks and secret"
    : algorithms?.every((algorithm) => fitting.includes(algorithm)) === false
    ? `expected algorithms for ${jwt.secret === undefined ? "public keys" : "a secret"}: ` +
      fitting.join(", ")
    : undefined;
  if (problem !== undefined) {
    context.addIssue({ code: "custom", message: problem });
    return z.NEVER;
  }
  return { ...jwt, algorithms: algorithms ?? byDefault };
});

/** The same, to be checked. */
export const identityFields = {
  auth: oneOf(AUTHS).optional().meta({
    placeholder: "KIND",
    description: "What clients must show: none, key, jwt, authorize",
  }),
  authorizationKey: listOf(secret(matching(KEY, KEYS)), `keys of ${KEYS}`).prefault([]).meta({
    placeholder: "KEY",
    description: "Clients' bearer key; may be repeated; rather in --config",
  }),
  authorizationKeyFile: matching(/./, "the path of a file, or -").optional()
    .meta({ placeholder: "FILE", description: "More such keys, one a line; - for standard input" }),
  jwt: jwtSchema.optional().meta({ isFileOnly: true, description: "Tokens that let in" }),
  authorizeTimeout: duration("5s", "How long an authorizer may take to answer"),
  forwardCredentials: z.boolean().default(false)
    .meta({ description: "Let workloads see the credential that let a client in" }),
};

/** The parts of the configuration that have to fit together. */
interface Identities {
  readonly auth?: Auth | undefined;
  readonly authorizationKey: readonly string[];
  readonly authorizationKeyFile?: string | undefined;
  readonly jwt?: JwtConfig | undefined;
  readonly routes: readonly Route[];
}

/**
 * Checks that whoever is asked for something can show it.
 *
 * @param config The parts of the configuration that have to fit together.
 */
export function checkIdentity(config: Identities, context: z.RefinementCtx): void {
  const { auth, jwt, routes } = config;
  const hasKeys = hasKey(config);
  const complain = (path: (string | number)[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  const check = (auth: Auth | undefined, path: (string | number)[]) => {
    if (auth === "key" && !hasKeys) {
      complain(path, "expected authorizationKey (--authorization-key), too");
    }
    if (auth === "jwt" && jwt === undefined) complain(path, "expected a section jwt, too");
  };
  if (auth === undefined && hasKeys && jwt !== undefined) {
    complain(["auth"], "expected one of key, jwt, none, since both are configured");
  }
  check(auth, ["auth"]);
  for (const [index, route] of routes.entries()) check(route.auth, ["routes", index, "auth"]);
}

/** What a request is asked for where no route says anything else. */
export function toAuth(config: Omit<Identities, "routes">): Auth {
  return config.auth ?? (hasKey(config) ? "key" : config.jwt === undefined ? "none" : "jwt");
}

function hasKey({ authorizationKey, authorizationKeyFile }: Omit<Identities, "routes">): boolean {
  return authorizationKey.length > 0 || authorizationKeyFile !== undefined;
}

/** Whoever can change the keys on the way lets himself in. */
function isKeySetUrl(text: string): boolean {
  const url = URL.parse(text);
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url?.hostname ?? "");
  return url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback);
}

/** Nobody says which parts of a key that we do not know are public. */
function maskKeySet(jwks: unknown): unknown {
  return typeof jwks === "string" ? withoutLogin(jwks) : "***";
}

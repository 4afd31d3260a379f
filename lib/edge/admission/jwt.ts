/**
 * Identity: JSON Web Tokens (RFC 7519).
 *
 * @module
 */
import { toByteText } from "../../mapping/latin1.ts";
import { Buffer } from "node:buffer";
import { createLocalJWKSet, errors, type JWTPayload, jwtVerify, type JWTVerifyOptions } from "jose";
import type { JwtConfig } from "../../config/options/identity.ts";
import { GatewayError } from "../../errors.ts";
import { findCredential, type Identify, type Identity, unauthorized } from "./identity.ts";
import { remoteKeys } from "./jwks.ts";
import { IdentityMemo } from "./memo.ts";

/** A key that is taken back ends what it signed within this time. */
const BELIEVED_MS = 60_000;

/** The token's own fault; anything else is that of whoever has the keys. */
const FAULTS_OF_TOKEN: ReadonlySet<string> = new Set([
  errors.JWTClaimValidationFailed.code,
  errors.JWTExpired.code,
  errors.JWTInvalid.code,
  errors.JWSInvalid.code,
  errors.JWSSignatureVerificationFailed.code,
  errors.JWKSNoMatchingKey.code,
  errors.JWKSMultipleMatchingKeys.code,
  errors.JOSEAlgNotAllowed.code,
  errors.JOSENotSupported.code,
]);

/**
 * The client shows a token that is signed, meant for us, and in its time.
 *
 * @param onError Told when the keys cannot be fetched again.
 */
export function jwtIdentity(config: JwtConfig, onError: (error: unknown) => void): Identify {
  const verify = toVerifier(config, onError);
  const memo = new IdentityMemo(Math.min(BELIEVED_MS, config.jwksMaxAge));
  const check = async (token: string): Promise<Identity> => {
    let payload: JWTPayload;
    try {
      payload = await verify(token);
    } catch (error) {
      throw toRefusal(error);
    }
    const identity = toIdentity(payload, config.clockTolerance);
    memo.keep(token, identity);
    return identity;
  };
  return (candidate) => {
    const token = findCredential(candidate, config);
    if (token === undefined) throw unauthorized("A token is needed: Authorization: Bearer <token>");
    return memo.find(token) ?? check(token);
  };
}

function toVerifier(
  config: JwtConfig,
  onError: (error: unknown) => void,
): (token: string) => Promise<JWTPayload> {
  const { issuer, audience, algorithms, jwks, secret, clockTolerance } = config;
  const options: JWTVerifyOptions = {
    algorithms: [...algorithms],
    clockTolerance: clockTolerance / 1000,
    requiredClaims: ["exp"],
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  };
  if (secret !== undefined) {
    const key = new TextEncoder().encode(secret);
    return async (token) => (await jwtVerify(token, key, options)).payload;
  }
  const { jwksMaxAge: maxAge, jwksCooldown: cooldown } = config;
  const keys = typeof jwks === "string"
    ? remoteKeys(new URL(jwks), { maxAge, cooldown, onError })
    : createLocalJWKSet(jwks!);
  return async (token) => (await jwtVerify(token, keys, options)).payload;
}

function toIdentity(payload: JWTPayload, toleranceMs: number): Identity {
  const { sub } = payload;
  if (sub !== undefined && !isHeaderValue(sub)) {
    throw unauthorized("The token names a subject that no header can carry");
  }
  return {
    subject: sub === undefined ? undefined : toByteText(sub),
    claims: Buffer.from(JSON.stringify(payload)).toString("base64url"),
    expiresAt: payload.exp! * 1000 + toleranceMs,
  };
}

/** A line break would begin another header; whoever reads one drops the spaces around it: `" root"` is `root`. */
function isHeaderValue(sub: unknown): boolean {
  if (typeof sub !== "string" || sub === "" || sub !== sub.trim()) return false;
  // deno-lint-ignore no-control-regex -- these are the characters to refuse
  return !/[\x00-\x1f\x7f]/.test(sub);
}

function toRefusal(cause: unknown): GatewayError {
  if (!(cause instanceof errors.JOSEError) || !FAULTS_OF_TOKEN.has(cause.code)) {
    return new GatewayError("identity_unavailable", "The keys for tokens are out of reach", {
      cause,
    });
  }
  const isExpired = cause.code === errors.JWTExpired.code;
  return unauthorized(isExpired ? "The token has expired" : "The token is not valid", { cause });
}

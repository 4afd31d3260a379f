/**
 * An operator, an account and a user of it, as a nats-server with JWTs knows them (NATS ADR-14).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { nkeys } from "@nats-io/nats-core";

/** What the two sides need. */
export interface NatsAccount {
  /** For nats-server's configuration. */
  readonly config: string;
  /** The text of the user's `.creds` file. */
  readonly creds: string;
}

/**
 * Makes one.
 *
 * @returns What the two sides need.
 */
export function createNatsAccount(): NatsAccount {
  const [operator, account, user] = [
    nkeys.createOperator(),
    nkeys.createAccount(),
    nkeys.createUser(),
  ];
  const operatorJwt = encodeJwt(operator, { subject: operator, nats: { type: "operator" } });
  const unlimited = { subs: -1, data: -1, payload: -1 };
  const limits = { ...unlimited, conn: -1, leaf: -1, imports: -1, exports: -1, wildcards: true };
  const accountJwt = encodeJwt(operator, { subject: account, nats: { type: "account", limits } });
  const userJwt = encodeJwt(account, { subject: user, nats: { type: "user", ...unlimited } });
  return {
    config: `operator: ${operatorJwt}
      resolver: MEMORY
      resolver_preload: { ${account.getPublicKey()}: ${accountJwt} }`,
    creds: [
      `-----BEGIN NATS USER JWT-----\n${userJwt}\n------END NATS USER JWT------\n`,
      "IMPORTANT: this is a secret.\n",
      `-----BEGIN USER NKEY SEED-----\n${toSeed(user)}\n------END USER NKEY SEED------\n`,
    ].join("\n"),
  };
}

/**
 * The secret half of a key pair.
 *
 * @param pair Made by the nkeys library.
 * @returns E.g. `"SU…"`.
 */
export function toSeed(pair: nkeys.KeyPair): string {
  return new TextDecoder().decode(pair.getSeed());
}

function encodeJwt(
  issuer: nkeys.KeyPair,
  { subject, nats }: { subject: nkeys.KeyPair; nats: Record<string, unknown> },
): string {
  const claims = {
    jti: crypto.randomUUID(),
    iat: Math.floor(Date.now() / 1000),
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name: "test",
    nats: { ...nats, version: 2 },
  };
  const signed = [{ typ: "JWT", alg: "ed25519-nkey" }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const signature = Buffer.from(issuer.sign(Buffer.from(signed))).toString("base64url");
  return `${signed}.${signature}`;
}

/**
 * Certificates and their keys, read so far that a wrong one is found before it is used.
 *
 * @module
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { ConfigError } from "./options.ts";

/** What one shows, in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * The certificate that a configuration holds.
 *
 * @returns Certificate and key; undefined where there is neither.
 * @throws {ConfigError} when there is one without the other, or they do not belong together.
 */
export function toCertificate<Cert extends string, Key extends string>(
  config: Readonly<Partial<Record<Cert | Key, string | undefined>>>,
  [certOption, keyOption]: readonly [Cert, Key],
): Certificate | undefined {
  const [cert, key] = [config[certOption], config[keyOption]];
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    const option = key === undefined ? certOption : keyOption;
    throw new ConfigError([option], `expected ${certOption} and ${keyOption} together`);
  }
  let [certificate, privateKey]: [X509Certificate?, KeyObject?] = [];
  ConfigError.throwIfAny(ConfigError.collect([
    () => certificate = readCertificate(cert, certOption),
    () => privateKey = readPrivateKey(key, keyOption),
  ]));
  if (certificate!.checkPrivateKey(privateKey!)) return { cert, key };
  throw new ConfigError(
    [keyOption],
    `expected the private key of ${certOption}, this is another's`,
  );
}

/**
 * Reads the first certificate of some.
 *
 * @throws {ConfigError} when it is none; the text is not quoted.
 */
export function readCertificate(pem: string, option: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new ConfigError([option], "expected a certificate in PEM");
  }
}

function readPrivateKey(pem: string, option: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new ConfigError([option], "expected a private key in PEM, without a passphrase");
  }
}

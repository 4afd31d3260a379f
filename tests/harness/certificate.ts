/**
 * A certificate for this machine, which vouches for itself.
 *
 * @module
 */
import assert from "node:assert/strict";

/** For `localhost` and 127.0.0.1, in files that are gone in the end. */
export class Certificate implements AsyncDisposable {
  /** The path of the certificate. */
  readonly certFile: string;
  /** The path of its private key. */
  readonly keyFile: string;

  private constructor(readonly directory: string, readonly ca: string) {
    this.certFile = `${directory}/cert.pem`;
    this.keyFile = `${directory}/key.pem`;
  }

  /** Makes one. */
  static async create(): Promise<Certificate> {
    const directory = await Deno.makeTempDir({ prefix: "h8s-tls-" });
    const { success, stderr } = await new Deno.Command("openssl", {
      args: [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
        ...["-keyout", `${directory}/key.pem`, "-out", `${directory}/cert.pem`, "-days", "1"],
        ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        // One that may vouch for others is no server's, as Deno sees it.
        ...["-addext", "basicConstraints=critical,CA:FALSE"],
      ],
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    return new Certificate(directory, await Deno.readTextFile(`${directory}/cert.pem`));
  }

  /** Removes the files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }
}

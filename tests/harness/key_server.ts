/**
 * Who signs tokens: a server on this machine that publishes its keys and changes them.
 *
 * @module
 */
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

/** A server of a JSON Web Key Set. */
export class KeyServer implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #keys: JWK[] = [];
  #current: { readonly kid: string; readonly privateKey: CryptoKey } | undefined;
  /** How often the keys were asked for. */
  requests = 0;
  /** What it answers instead of its keys; undefined for the keys. */
  failure: (() => Response) | undefined;

  private constructor() {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
      this.requests++;
      return this.failure?.() ?? Response.json({ keys: this.#keys });
    });
  }

  /**
   * Starts it, with one key.
   *
   * @returns The server.
   */
  static async start(): Promise<KeyServer> {
    const server = new KeyServer();
    await server.rotate();
    return server;
  }

  /** Where the keys are. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/jwks.json`;
  }

  /** Replaces the key; the old one is gone. */
  async rotate(): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    const kid = crypto.randomUUID();
    this.#keys = [{ ...await exportJWK(publicKey), kid, alg: "ES256" }];
    this.#current = { kid, privateKey };
  }

  /**
   * Signs a token.
   *
   * @param claims What differs from a token of `ann` that is good for a minute.
   * @param lifeMs Until it expires.
   * @returns The token.
   */
  sign(claims: Record<string, unknown> = {}, lifeMs = 60_000): Promise<string> {
    const { kid, privateKey } = this.#current!;
    const exp = (Date.now() + lifeMs) / 1000;
    return new SignJWT({ sub: "ann", iss: "id", aud: "shop", exp, ...claims })
      .setProtectedHeader({ alg: "ES256", kid }).sign(privateKey);
  }

  /** Stops it; its keys can be had no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

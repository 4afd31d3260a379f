/**
 * What has to be asked for before a handshake.
 *
 * @module
 */
import type { ClientOptions } from "./options.ts";

/** Where to connect to; asked for each handshake. */
export type Address = string | URL | (() => string | URL | Promise<string | URL>);

/** What a handshake is made with. */
export interface Dialled {
  readonly url: string;
  readonly token: string | undefined;
}

/** Remembers the token until there is a reason to ask for another one. */
export class Dialler {
  readonly #address: Address;
  readonly #askToken: ClientOptions["token"];
  #token: string | undefined;

  constructor(address: Address, askToken: ClientOptions["token"]) {
    this.#address = address;
    this.#askToken = askToken;
  }

  /** Asks; undefined where there is no token to be had any more. */
  async dial(wantsToken: boolean): Promise<Dialled | undefined> {
    if (this.#askToken !== undefined && (wantsToken || this.#token === undefined)) {
      const renewed = await this.#askToken();
      if (renewed === null) return undefined;
      this.#token = renewed;
    }
    const address = typeof this.#address === "function" ? this.#address() : this.#address;
    return { url: toUrl(await address), token: this.#token };
  }
}

/** Of the page where the address is relative. */
function toUrl(address: string | URL): string {
  const text = String(address);
  if (/^wss?:/.test(text)) return text;
  const { location } = globalThis as { location?: { href: string } };
  return new URL(text, location?.href).href.replace(/^http/, "ws");
}

/**
 * Who is at the other end.
 *
 * @module
 */
import { BlockList, isIPv6 } from "node:net";
import type { GatewayConfig } from "../config/schema.ts";
import { parseNetwork, toPlainAddress } from "../mapping/address.ts";
import { toBelieved } from "../mapping/proxy_headers.ts";
import { type Forwarding, fromClient, fromProxy } from "../mapping/forwarding.ts";
import type { EdgeParts } from "./parts.ts";

/** Where a request came from, and how it is called. */
export interface Peer extends Forwarding {
  /** What the client can quote when something fails. */
  readonly requestId: string;
}

/** Tells clients from trusted proxies, and believes only the latter. */
export class Peers {
  readonly #parts: Pick<EdgeParts, "config" | "ids">;
  #config: GatewayConfig | undefined;
  /** Undefined where no proxy is trusted. */
  #proxies: BlockList | undefined;
  /** Undefined where proxies are believed in all that they say. */
  #believes: ((name: string) => boolean) | undefined;

  /**
   * @param parts The configuration, and what makes ids.
   */
  constructor(parts: Pick<EdgeParts, "config" | "ids">) {
    this.#parts = parts;
  }

  /**
   * Finds out where a request came from.
   *
   * @param remoteAddress The IP address at the other end of the connection.
   * @returns The client, and what trusted proxies say of it.
   */
  identify(request: Request, remoteAddress: string): Peer {
    const { ids } = this.#parts;
    const config = this.#parts.config();
    if (config !== this.#config) this.#configure(config);
    const address = toPlainAddress(remoteAddress);
    // Not the target's: an absolute one says what the client likes.
    const scheme = config.tlsCert === undefined ? "http" : "https";
    const forwarding = this.#isProxy(address)
      ? this.#readProxy(request, { address, scheme })
      : fromClient(address, scheme);
    return { ...forwarding, requestId: forwarding.requestId ?? ids.nextRequestId() };
  }

  #readProxy(
    { headers }: Request,
    { address, scheme }: { address: string; scheme: "http" | "https" },
  ): Forwarding {
    const { maxHeaderBytes } = this.#parts.config();
    // A head over the limit is refused a moment later; until then nothing of it is read.
    const believes = this.#believes;
    const header = (name: string) => {
      if (believes?.(name) === false) return null;
      const value = headers.get(name);
      return value !== null && value.length > maxHeaderBytes ? null : value;
    };
    const hop = { address, scheme, header };
    const forwarding = fromProxy(hop, (address) => this.#isProxy(address));
    return believes === undefined ? forwarding : { ...forwarding, believes };
  }

  #isProxy(address: string): boolean {
    return this.#proxies?.check(address, isIPv6(address) ? "ipv6" : "ipv4") ?? false;
  }

  #configure(config: GatewayConfig): void {
    this.#config = config;
    this.#proxies = undefined;
    this.#believes = config.proxyHeaders && toBelieved(config.proxyHeaders);
    for (const text of config.trustedProxies) {
      const { address, prefixLength, family } = parseNetwork(text)!;
      this.#proxies ??= new BlockList();
      this.#proxies.addSubnet(address, prefixLength, family);
    }
  }
}

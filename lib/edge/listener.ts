/**
 * Listening on an address.
 *
 * @module
 */
import type { Certificate } from "../config/certificate.ts";
import { type Address, renderAddress } from "../config/units.ts";
import type { OnFault } from "../telemetry/faults.ts";
import { ResponseAborted } from "./http/stream.ts";

/** An address that cannot be listened on. */
export class ListenError extends Error {
  /** Always `"ListenError"`. */
  override readonly name = "ListenError";
}

/** What is listened for. */
export interface ListenerOptions {
  /** The flag that chooses the address, for errors. */
  readonly flag: string;
  /** Whether others may listen on the same address. @default false */
  readonly sharePort?: boolean;
  /** With it HTTPS is spoken, over HTTP/2 where the client can. @default none: plain HTTP */
  readonly certificate?: Certificate | undefined;
  readonly handler: Deno.ServeHandler<Deno.NetAddr>;
  /** Told of what the handler throws, except for a response that was cut off on purpose. */
  readonly onFault: OnFault;
  /** Told each time that no connection could be accepted, and that it is tried again. */
  readonly onStopped: (error: unknown) => void;
}

/** How long is waited before it is listened again, in milliseconds; twice as long each time. */
const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

/**
 * Listens on an address, and goes on listening.
 *
 * A server of the platform ends for good when it cannot accept a connection, e.g. for want of a file
 * descriptor; whom it has accepted stays connected. Then a new one takes its place.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #wanted: Address;
  /** The last one listens; those before it only have connections left. */
  readonly #servers: Deno.HttpServer<Deno.NetAddr>[];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pauseMs = SHORTEST_PAUSE_MS;
  #isEnded = false;

  /**
   * @param address Port 0 for a free one.
   * @throws {ListenError} that says what to do.
   */
  constructor(address: Address, options: ListenerOptions) {
    this.#options = options;
    this.#wanted = address;
    const server = serve(address, options);
    this.#servers = [server];
    this.#follow(server);
  }

  /** The port is the real one where 0 was asked for. */
  get address(): Address {
    // A platform may have it listen on something else that is no address, by Deno's DENO_SERVE_ADDRESS.
    const address: Deno.Addr = this.#servers[0]!.addr;
    return "hostname" in address ? address : this.#wanted;
  }

  /** Takes no more connections; resolves when the responses under way have gone out. */
  async shutdown(): Promise<void> {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#servers.map((server) => server.shutdown()));
  }

  #follow(server: Deno.HttpServer<Deno.NetAddr>): void {
    const begin = performance.now();
    server.finished.catch((error) => {
      if (performance.now() - begin > LONGEST_PAUSE_MS) this.#pauseMs = SHORTEST_PAUSE_MS;
      this.#onStopped(error);
    });
  }

  #onStopped(error: unknown): void {
    if (this.#isEnded) return;
    this.#options.onStopped(error);
    this.#timer = setTimeout(() => this.#again(), this.#pauseMs);
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
  }

  #again(): void {
    try {
      const server = serve(this.address, this.#options);
      this.#servers.push(server);
      this.#follow(server);
    } catch (error) {
      this.#onStopped(error);
    }
  }
}

function serve(
  { hostname, port }: Address,
  { flag, handler, onFault, sharePort = false, certificate }: ListenerOptions,
): Deno.HttpServer<Deno.NetAddr> {
  const respond = (error: unknown) => {
    if (!(error instanceof ResponseAborted)) onFault("response", error);
    return new Response(null, { status: 500 });
  };
  if (sharePort && !canSharePorts()) {
    const reason =
      "expected Deno to be started with --unstable-net, without which no port is shared";
    throw new ListenError(`Cannot share ${renderAddress({ hostname, port })}: ${reason}`);
  }
  try {
    const options = { hostname, port, reusePort: sharePort, onListen: () => {}, onError: respond };
    return Deno.serve({ ...options, ...certificate }, handler);
  } catch (cause) {
    const where = renderAddress({ hostname, port });
    const reason = cause instanceof Deno.errors.AddrInUse
      ? `the port is in use; stop what uses it, or choose another with ${flag} HOST:PORT`
      : String(cause);
    throw new ListenError(`Cannot listen on ${where}: ${reason}`, { cause });
  }
}

/** Asked for without that flag, it would end the process. Datagrams come with the same flag. */
function canSharePorts(): boolean {
  return "listenDatagram" in Deno;
}

/**
 * What a server does not do for a gateway, whatever its user may.
 *
 * @module
 */
import type { Log } from "../../telemetry/log.ts";
import type { Session } from "./session.ts";

/** What it works with. */
export interface LacksOptions {
  readonly session: Pick<Session, "connection" | "onState">;
  readonly log: Log;
}

/** Says once what the server of the moment lacks; the next one may have it. */
export class ServerLacks implements Disposable {
  readonly #options: LacksOptions;
  readonly #endState: () => void;
  #lack: string | undefined;

  constructor(options: LacksOptions) {
    this.#options = options;
    const { session } = options;
    this.#endState = session.onState((state) => {
      if (state !== "connected") return;
      this.#lack = undefined;
      if (session.connection?.info?.headers === false) {
        this.#tell("NATS takes no headers", "a server without no_header_support");
      }
    });
  }

  /** Why this gateway is of no use there; undefined where it is. */
  get trouble(): string | undefined {
    return this.#lack;
  }

  /**
   * Looks at an error.
   *
   * @returns True when it is about that: then it has been told.
   */
  note(error: Error): boolean {
    if (!/^maximum subscriptions exceeded/i.test(error.message)) return false;
    this.#tell("NATS takes no more subscriptions", "a larger max_subscriptions, or max_subs");
    return true;
  }

  /** Looks no more. */
  [Symbol.dispose](): void {
    this.#endState();
  }

  #tell(lack: string, expected: string): void {
    if (this.#lack === lack) return;
    this.#lack = lack;
    this.#options.log.error(lack, { expected });
  }
}

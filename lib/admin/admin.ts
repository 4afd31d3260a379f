/**
 * The admin address of a running gateway: what its parts are, and how long they last.
 *
 * @module
 */
import type { Observers } from "../telemetry/observation.ts";
import { Access } from "./access.ts";
import { Answers, type AnswersParts } from "./answers.ts";
import { createAdminHandler } from "./handler.ts";
import { History, type HistorySource } from "./history.ts";
import { Traffic } from "./traffic.ts";

/** What of the gateway it shows. */
export interface PageSources extends Omit<AnswersParts, "history" | "traffic"> {
  readonly metrics: HistorySource;
  readonly observers: Observers;
  /** Answers `/healthz`, `/readyz` and `/metrics`. */
  readonly health: (request: Request) => Promise<Response>;
}

/** The page, its data, and what collects them from the start: who looks wants to know what was before. */
export class Admin implements Disposable {
  readonly #stack = new DisposableStack();
  /** For `Deno.serve`. */
  readonly handler: ReturnType<typeof createAdminHandler>;

  /**
   * Begins to collect.
   *
   * @param options What of the gateway it shows.
   */
  constructor({ metrics, observers, health, ...parts }: PageSources) {
    const { clock, log, config } = parts;
    const onError = (error: unknown) => log.warn("the admin page", { error: String(error) });
    const traffic = new Traffic();
    this.#stack.use(observers.add(traffic));
    const history = this.#stack.use(new History(metrics, { clock, onError }));
    const answers = this.#stack.use(new Answers({ ...parts, history, traffic }));
    const access = new Access(() => config().adminKey);
    this.handler = createAdminHandler({ health, access, answers });
  }

  /** Ends all that it does. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

/**
 * Steady HTTP requests, each with a verdict.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";
import { createHash } from "node:crypto";
import { toStreamText } from "./payload.ts";

/**
 * What became of a request.
 *
 * - `whole`: the right response, all of it.
 * - `refused`: an error status.
 * - `broken`: the connection or the transfer failed, and the client could tell.
 * - `wrong`: it looked whole, and was not what was asked for.
 * - `hung`: nothing came for {@link PATIENCE_MS}.
 */
export type Verdict = "whole" | "refused" | "broken" | "wrong" | "hung";

const PATIENCE_MS = 20_000;
const PACE_MS = 10;
/** Where nobody listens: not so fast that it says little about many. */
const RETRY_PACE_MS = 50;
const ECHO_BYTES = 20_000;

/** A few clients, each with one request at a time, going round through three kinds. */
export class HttpLoad {
  /** How many requests got which verdict. */
  readonly verdicts: Record<Verdict, number> = {
    whole: 0,
    refused: 0,
    broken: 0,
    wrong: 0,
    hung: 0,
  };
  /** What was wrong, for people to read. */
  readonly complaints: string[] = [];
  readonly #toUrl: (client: number) => string;
  readonly #clients: Promise<void>[];
  #isOver = false;

  /**
   * Begins.
   *
   * @param toUrl Where a client goes now; asked for each request.
   * @param clients How many.
   */
  constructor(toUrl: (client: number) => string, clients: number) {
    this.#toUrl = toUrl;
    this.#clients = Array.from({ length: clients }, (_, index) => this.#run(index));
  }

  /** Lets what is under way end. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients);
  }

  async #run(client: number): Promise<void> {
    using connections = Deno.createHttpClient({});
    for (let count = 0; !this.#isOver; count++) {
      const verdict = await this.#ask({ client, count, connections });
      this.verdicts[verdict]++;
      await pause(verdict === "whole" ? PACE_MS : RETRY_PACE_MS);
    }
  }

  async #ask(
    { client, count, connections }: {
      client: number;
      count: number;
      connections: Deno.HttpClient;
    },
  ): Promise<Verdict> {
    const nonce = `${client}-${count}-${crypto.randomUUID()}`;
    const timeout = AbortSignal.timeout(PATIENCE_MS);
    const options = { client: connections, signal: timeout };
    const url = (path: string) => `${this.#toUrl(client)}${path}?nonce=${nonce}`;
    try {
      switch (count % 3) {
        case 0:
          return await this.#judge(await fetch(url("/small"), options), `hello ${nonce}`);
        case 1: {
          const body = nonce.repeat(Math.ceil(ECHO_BYTES / nonce.length));
          const hash = createHash("sha256").update(body).digest("hex");
          const response = await fetch(url("/echo"), { ...options, method: "POST", body });
          return await this.#judge(response, body, hash);
        }
        default:
          return await this.#judge(await fetch(url("/stream"), options), toStreamText(nonce));
      }
    } catch (error) {
      if (!timeout.aborted) return "broken";
      this.complaints.push(`hung: ${nonce}: ${error}`);
      return "hung";
    }
  }

  async #judge(response: Response, expected: string, hash?: string): Promise<Verdict> {
    const text = await response.text();
    if (!response.ok) return "refused";
    if (text === expected && response.headers.get("x-hash") === (hash ?? null)) return "whole";
    const seen = `${text.length} instead of ${expected.length} characters`;
    this.complaints.push(`wrong: ${response.url}: ${response.status}, ${seen}`);
    return "wrong";
  }
}

/**
 * The gateway as users run it.
 *
 * @module
 */
import { fetchOnce } from "./fetch_once.ts";
import { Program } from "./program.ts";
import { until } from "./waiting.ts";

/** For every gateway of a run: `H8S_TEST_FLAGS=--share-port deno task test e2e`. */
export const COMMON_FLAGS: readonly string[] = Deno.env.get("H8S_TEST_FLAGS")?.split(" ") ?? [];

/** A gateway process that runs until it is disposed of. */
export class GatewayProcess extends Program {
  /** Where clients come in, on 127.0.0.1. */
  port = 0;
  /** Where health and metrics are, on 127.0.0.1. */
  adminPort = 0;

  /**
   * Starts the program and waits until it listens.
   *
   * @param flags Besides the addresses and the format of the log.
   * @param options `connected`: also wait for NATS; `stdin`: what is piped into it, e.g. for `--config -`.
   * @returns The running gateway.
   */
  static async start(
    flags: readonly string[],
    { connected = true, stdin, port = 0 }: {
      connected?: boolean;
      stdin?: string | undefined;
      port?: number;
    } = {},
  ): Promise<GatewayProcess> {
    const addresses = ["--listen", `127.0.0.1:${port}`, "--admin", "127.0.0.1:0"];
    const gateway = new GatewayProcess([...addresses, ...COMMON_FLAGS, ...flags], stdin);
    const { address, admin } = await gateway.logged("listening");
    gateway.port = Number(String(address).split(":")[1]);
    gateway.adminPort = Number(String(admin).split(":")[1]);
    if (connected) await gateway.logged("nats connected");
    return gateway;
  }

  /** `http://127.0.0.1:<port>`. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /**
   * Asks the admin address.
   *
   * @param path E.g. `"/readyz"`.
   * @returns Status and text.
   */
  async admin(path: string): Promise<{ status: number; text: string }> {
    const response = await fetchOnce(`http://127.0.0.1:${this.adminPort}${path}`);
    return { status: response.status, text: await response.text() };
  }

  /** Waits until it would be sent clients. */
  async ready(): Promise<void> {
    const isReady = async () => (await this.admin("/readyz")).status === 200;
    await until(isReady, "/readyz answers 200");
  }

  /**
   * Reads one value of the metrics.
   *
   * @param series Name and labels, as written in Prometheus's text format.
   * @returns The value; 0 where there is none yet.
   */
  async metric(series: string): Promise<number> {
    const { text } = await this.admin("/metrics");
    const line = text.split("\n").find((line) => line.startsWith(`${series} `));
    return Number(line?.slice(series.length + 1) ?? 0);
  }

  /**
   * Waits until a value of the metrics is right.
   *
   * @param series As for {@link GatewayProcess.metric}.
   */
  async measures(series: string, isRight: (value: number) => boolean): Promise<void> {
    const isSo = async () => isRight(await this.metric(series));
    await until(isSo, `${series} is right: ${isRight}`);
  }

  /**
   * Waits until a stream has taken messages.
   *
   * @param count How many since the start.
   */
  async stored(count: number): Promise<void> {
    const series = 'h8s_persisted_messages_total{outcome="stored"}';
    await this.measures(series, (stored) => stored >= count);
  }
}

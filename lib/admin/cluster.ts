/**
 * The gateways and the workloads, for as long as somebody looks.
 *
 * @module
 */
import type { Interest } from "../mapping/interest.ts";
import type { Bus } from "../nats/bus.ts";
import { askConnections, type Census } from "../nats/asking/connections.ts";
import { GatewayList, type KnownGateway } from "../nats/asking/gateways.ts";
import type { HostSummary } from "./traffic.ts";

/** One gateway. */
export interface GatewaySummary {
  readonly gateway: string;
  /** It is the one that shows this. */
  readonly isOwn: boolean;
  readonly state: "alive" | "draining";
  /** What follows is undefined for a gateway that is older. */
  readonly version: string | undefined;
  readonly listen: string | undefined;
  readonly since: string | undefined;
  readonly connections: number | undefined;
  /** How far its clock is ahead of ours, in milliseconds. */
  readonly aheadMs: number | undefined;
}

/** Those who serve one host. */
export interface WorkloadSummary {
  readonly what: string;
  /** E.g. `"GET /cart"`. */
  readonly registered: readonly string[];
  readonly answered: number;
  readonly unanswered: number;
  /** When the last answer came, in milliseconds since 1970. */
  readonly at: number | undefined;
}

/** Listens to all gateways. They are asked at once, too: a heartbeat may be seconds away. */
export class Cluster implements Disposable {
  readonly #own: string;
  readonly #list: GatewayList;
  readonly #leaving = new AbortController();
  #census: Census | undefined;

  /**
   * Listens, and asks.
   *
   * @param options `prefix` of all subjects; `own`: this gateway; `onError`: takes what goes wrong.
   */
  constructor(
    bus: Bus,
    { prefix, own, onError }: {
      prefix: string;
      own: string;
      onError: (error: unknown) => void;
    },
  ) {
    this.#own = own;
    this.#list = new GatewayList(bus, { prefix });
    askConnections(bus, { prefix, limit: 0, signal: this.#leaving.signal }).then((census) => {
      this.#census = census;
    }).catch(onError);
  }

  /** Those that are heard, or were a moment ago. */
  list(): GatewaySummary[] {
    const heard: readonly KnownGateway[] = this.#list.list();
    const names = new Set(heard.map(({ gateway }) => gateway));
    // Until the first heartbeats have come; later, one that is not heard is gone.
    const asked = (this.#census?.gateways ?? [])
      .filter(({ gateway, at }) => !names.has(gateway) && Date.now() - at < CENSUS_MS)
      .map(({ gateway, about, at }) => ({
        ...{ gateway, about, isDraining: false, aheadMs: about && Date.parse(about.now) - at },
      }));
    return [...heard, ...asked].map(({ gateway, about, isDraining, aheadMs }) => ({
      gateway,
      isOwn: gateway === this.#own,
      state: isDraining ? "draining" as const : "alive" as const,
      ...{ version: about?.version, listen: about?.listen, since: about?.since },
      ...{ connections: about?.connections, aheadMs },
    })).toSorted((one, other) => one.gateway < other.gateway ? -1 : 1);
  }

  /** Listens no more. */
  [Symbol.dispose](): void {
    this.#leaving.abort();
    this.#list[Symbol.dispose]();
  }
}

/** Longer than from one heartbeat to the next. */
const CENSUS_MS = 8000;

/**
 * Those who serve, by what they registered and by who answered.
 *
 * @param interests Registrations that stand.
 * @returns One for each host.
 */
export function toWorkloads(
  interests: readonly Interest[],
  hosts: readonly HostSummary[],
): WorkloadSummary[] {
  const registered = Map.groupBy(interests, ({ host }) => host);
  const answers = new Map(hosts.map((summary) => [withoutPort(summary.host), summary]));
  const names = new Set([...registered.keys(), ...answers.keys()]);
  return [...names].toSorted().map((name) => {
    const { answered = 0, unanswered = 0, at } = answers.get(name) ?? {};
    const all = (registered.get(name) ?? []).map(({ method, path, match }) =>
      `${method} ${path}${match === "prefix" ? " and below" : ""}`
    );
    return { what: name, registered: all.toSorted(), answered, unanswered, at };
  });
}

function withoutPort(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, "");
}

/**
 * Asks all gateways once who is connected, and closes connections.
 *
 * @module
 */
import { createInbox } from "@nats-io/nats-core";
import type { About } from "../../mapping/heartbeat.ts";
import { isNoResponders } from "../../mapping/headers.ts";
import {
  type ListedConnection,
  type Listing,
  parseListing,
  renderListRequest,
  toListSubject,
} from "../../mapping/listing.ts";
import { INBOX } from "../../mapping/names.ts";
import { toCloseBlock } from "../../mapping/socket_message.ts";
import { toHostName } from "../../mapping/subject.ts";
import type { Bus, BusMessage } from "../bus.ts";

/** How long nobody may have answered before all have, in milliseconds. */
const QUIET_MS = 400;
/** How long it may take until the first one does. */
const FIRST_MS = 2000;

type Asking = Pick<Bus, "publish" | "subscribe">;

/** Which connections. */
export interface ConnectionFilter {
  /** The host; its port does not count. */
  readonly host?: string | undefined;
  /** What the path begins with. */
  readonly path?: string | undefined;
  readonly session?: string | undefined;
  /** What the client's address begins with. */
  readonly remote?: string | undefined;
}

/** A connection, and who holds it. */
export interface HeldConnection extends ListedConnection {
  readonly gateway: string;
}

/** What the gateways said. */
export interface Census {
  readonly gateways: readonly {
    readonly gateway: string;
    /** Undefined where it is older. */
    readonly about: About | undefined;
    /** When it said so, by our clock: milliseconds since 1970. */
    readonly at: number;
  }[];
  readonly connections: readonly HeldConnection[];
  /** True where there are more than asked for, or a gateway did not go on to answer. */
  readonly isPartial: boolean;
}

/**
 * Asks who is connected.
 *
 * @param options `prefix` of all subjects; `filter`: which; `limit`: the most that are wanted, 0 for
 * nothing but who answers; `inboxPrefix`: where answers may come in; `signal`: waits no longer once aborted.
 * @returns What the gateways said that answered.
 */
export async function askConnections(
  bus: Asking,
  { prefix, filter = {}, limit = 10_000, inboxPrefix = INBOX, signal }: {
    prefix: string;
    filter?: ConnectionFilter;
    limit?: number;
    inboxPrefix?: string;
    signal?: AbortSignal;
  },
): Promise<Census> {
  const inbox = createInbox(inboxPrefix);
  const gateways = new Map<string, Census["gateways"][number]>();
  const connections: HeldConnection[] = [];
  const owing = new Set<string>();
  let isPartial = false;
  const { promise, resolve } = Promise.withResolvers<void>();
  let timer = setTimeout(resolve, FIRST_MS);
  const ask = (gateway: string | undefined, cursor?: string) => {
    const { host } = filter;
    const request = {
      ...(host === undefined ? {} : { host }),
      ...(cursor === undefined ? {} : { cursor }),
      ...(limit === 0 ? { limit: 1 } : {}),
    };
    const data = new TextEncoder().encode(renderListRequest(request));
    bus.publish(toListSubject(prefix, gateway), data, { reply: inbox });
  };
  const take = ({ gateway, connections: page, cursor, about }: Listing) => {
    gateways.set(gateway, { gateway, about, at: Date.now() });
    owing.delete(gateway);
    if (limit === 0) return;
    const found = page.filter((connection) => isMeant(connection, filter))
      .map((connection) => ({ ...connection, gateway }));
    isPartial ||= connections.length + found.length > limit;
    connections.push(...found.slice(0, limit - connections.length));
    if (cursor === undefined || connections.length >= limit) {
      isPartial ||= cursor !== undefined;
    } else {
      owing.add(gateway);
      ask(gateway, cursor);
    }
  };
  const subscription = bus.subscribe(inbox, ({ headers, data }: BusMessage) => {
    // There is no gateway.
    if (isNoResponders(headers, data.length)) return gateways.size === 0 ? resolve() : undefined;
    clearTimeout(timer);
    timer = setTimeout(resolve, QUIET_MS);
    try {
      take(parseListing(data));
    } catch {
      isPartial = true;
    }
  });
  signal?.addEventListener("abort", () => resolve(), { once: true });
  ask(undefined);
  await promise;
  clearTimeout(timer);
  subscription.unsubscribe();
  return {
    gateways: [...gateways.values()].sort((a, b) => a.gateway < b.gateway ? -1 : 1),
    connections,
    isPartial: isPartial || owing.size > 0,
  };
}

/**
 * Closes a WebSocket, wherever it is held.
 *
 * @throws {RangeError} when the code is none that may be sent.
 */
export function closeConnection(
  bus: Pick<Bus, "publish">,
  inbox: string,
  { code, reason }: { code: number; reason: string },
): void {
  bus.publish(inbox, new Uint8Array(), { headers: toCloseBlock({ code, reason }) });
}

function isMeant(
  connection: ListedConnection,
  { host, path = "", session, remote = "" }: ConnectionFilter,
): boolean {
  if (host !== undefined && toHostName(connection.host) !== toHostName(host)) return false;
  return connection.path.startsWith(path) && connection.remote.startsWith(remote) &&
    (session === undefined || connection.session === session);
}

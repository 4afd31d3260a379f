/**
 * `h8s gateways`, `h8s workloads`, `h8s connections`: who is there.
 *
 * @module
 */
import type { Question } from "../config/questions.ts";
import { maskQuery, toVisible } from "../mapping/masking.ts";
import {
  askConnections,
  closeConnection,
  type HeldConnection,
} from "../nats/asking/connections.ts";
import type { Session } from "../nats/client/session.ts";
import { hearInterests } from "./interest.ts";
import type { Terminal } from "./terminal.ts";

/** What a question is answered with. */
export interface Asking {
  readonly session: Session;
  readonly prefix: string;
  readonly terminal: Terminal;
}

type Asked<Name> = Extract<Question, { readonly name: Name }>;

/** The gateways. */
export async function listGateways(
  { options: { json } }: Asked<"gateways">,
  { session, prefix, terminal }: Asking,
): Promise<number> {
  const { gateways } = await askConnections(session, { prefix, limit: 0 });
  if (json) terminal.json(gateways.map(({ gateway, about = null }) => ({ gateway, about })));
  else if (gateways.length === 0) terminal.note(`no gateway answers under the prefix ${prefix}`);
  else {
    terminal.table(
      ["GATEWAY", "VERSION", "LISTENS ON", "UP FOR", "WEBSOCKETS"],
      gateways.map(({ gateway, about, at }) => [
        toVisible(gateway),
        toVisible(about?.version ?? "older"),
        toVisible(about?.listen ?? ""),
        about === undefined ? "" : toAge(about.since, at),
        about === undefined ? "" : String(about.connections),
      ]),
    );
  }
  return gateways.length === 0 ? 1 : 0;
}

/** What is registered for. */
export async function listWorkloads(
  { options: { wait, json } }: Asked<"workloads">,
  { session, prefix, terminal }: Asking,
): Promise<number> {
  terminal.patience(`listening for ${wait / 1000} s …`);
  const interests = await hearInterests(session, { prefix, waitMs: wait });
  if (json) terminal.json(interests);
  else if (interests.length === 0) {
    terminal.note(`nobody registered under the prefix ${prefix} within ${wait / 1000} s`);
  } else {
    terminal.table(
      ["METHOD", "HOST", "PATH", "DECIDES ABOUT HANDSHAKES"],
      interests.map(({ method, host, path, match, handshake }) => [
        ...[method, toVisible(host)],
        toVisible(match === "prefix" ? `${path.replace(/\/$/, "")}/*` : path),
        handshake ? "yes" : "",
      ]),
    );
  }
  return interests.length === 0 ? 1 : 0;
}

/** The WebSockets, and perhaps their end. */
export async function listConnections(
  { operands, options }: Asked<"connections">,
  { session, prefix, terminal }: Asking,
): Promise<number> {
  const { host, path, session: id, remote, limit, close: code, json } = options;
  const { connections, isPartial } = await askConnections(session, {
    ...{ prefix, limit },
    filter: { host, path, session: id, remote },
  });
  const reason = operands.join(" ");
  if (code !== undefined) {
    for (const { inbox } of connections) closeConnection(session, inbox, { code, reason });
    await session.flush();
  }
  if (json) {
    terminal.json({ connections, isPartial, ...(code === undefined ? {} : { code, reason }) });
  } else if (connections.length === 0) terminal.note("no such connection");
  else {
    terminal.table(
      ["GATEWAY", "ID", "CLIENT", "SINCE", "HOST", "PATH", "PROTOCOL"],
      connections.map(toRow),
    );
    if (isPartial) terminal.note(`there are more: --limit ${limit * 10} lists more of them`);
    if (code !== undefined) terminal.note(`closed ${connections.length} with ${code} ${reason}`);
  }
  return connections.length === 0 ? 1 : 0;
}

function toRow(connection: HeldConnection): string[] {
  const { gateway, id, remote, since, host, path, query, protocol } = connection;
  const place = query === "" ? path : `${path}?${maskQuery(query)}`;
  return [gateway, id, remote, since, host, place, protocol].map(toVisible);
}

/** E.g. `3h 12m`. */
function toAge(since: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(since)) / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${seconds % 60}s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h ${minutes % 60}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

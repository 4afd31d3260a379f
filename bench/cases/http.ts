/**
 * Requests with whole replies, and server-sent events.
 *
 * @module
 */
import type { Case } from "../case.ts";
import { type HttpLoad, loadHttp } from "../load/http.ts";

const SMALL = "/api/v1/small";

/** Small, and larger bodies either way. */
export const httpCases: readonly Case[] = [
  http("get-1", "GET, 10 headers, 1 connection", { path: SMALL, connections: 1 }),
  http("get-32", "GET, 10 headers, 32 connections", { path: SMALL, connections: 32 }),
  http("get-256", "GET, 10 headers, 256 connections", { path: SMALL, connections: 256 }),
  http("post", "POST 10 kB, 32 connections", { path: SMALL, connections: 32, bodyBytes: 10_240 }),
  http("large", "GET, reply of 100 kB, 32 connections", {
    path: "/api/v1/large",
    connections: 32,
  }),
  http("events", "GET, 100 server-sent events, 32 connections", {
    path: "/api/v1/events",
    connections: 32,
  }),
  ...[1, 5, 20, 40].map((headers) =>
    http(`headers-${headers}`, `GET, ${headers + 1} headers, 32 connections`, {
      path: SMALL,
      connections: 32,
      headers,
    }, { isLong: true })
  ),
  ...[1, 100, 1000].map((kilobytes) => post(kilobytes, 32)),
  ...[1, 256].flatMap((connections) => [
    post(1, connections),
    http(`large-${connections}`, `GET, reply of 100 kB, ${toText(connections)}`, {
      path: "/api/v1/large",
      connections,
    }, { isLong: true }),
  ]),
];

function post(kilobytes: number, connections: number): Case {
  const name = `post-${kilobytes}k${connections === 32 ? "" : `-${connections}`}`;
  return http(name, `POST ${kilobytes} kB, ${toText(connections)}`, {
    path: SMALL,
    connections,
    bodyBytes: kilobytes * 1000,
  }, { isLong: true });
}

function toText(connections: number): string {
  return `${connections} connection${connections === 1 ? "" : "s"}`;
}

function http(
  name: string,
  title: string,
  load: Omit<HttpLoad, "seconds">,
  { isLong = false, flags = [] }: { isLong?: boolean; flags?: readonly string[] } = {},
): Case {
  return {
    name,
    title,
    isLong,
    flags,
    measure: (target, { effort }) => loadHttp(target, { ...load, seconds: effort.seconds }),
  };
}

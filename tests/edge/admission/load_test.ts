import assert from "node:assert/strict";
import { connectionLimit, inFlightLimit, Load } from "../../../lib/edge/admission/load.ts";
import { toCandidate } from "./candidate.ts";

const TOO_MANY = { code: "too_many_connections", status: 503, retryAfter: 5 };
const TOO_MANY_OF_ONE = { code: "too_many_connections_from_address", status: 429, retryAfter: 5 };

Deno.test("Load gives as many places as there are, and takes them back once", () => {
  const load = new Load();
  const limits = { maxConnections: 2, maxConnectionsPerAddress: 0 };
  const first = load.connect("192.0.2.1", limits);
  load.connect("192.0.2.1", limits);
  assert.throws(() => load.connect("192.0.2.2", limits), TOO_MANY);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  load.connect("192.0.2.2", limits);
  assert.throws(() => load.connect("192.0.2.3", limits), TOO_MANY);
});

Deno.test("Load counts the connections of one address, an IPv6 /64 as one", () => {
  const load = new Load();
  const limits = { maxConnections: 0, maxConnectionsPerAddress: 1 };
  for (const [address, other] of [["192.0.2.1", "192.0.2.1"], ["2001:db8::1", "2001:db8::2"]]) {
    const place = load.connect(address!, limits);
    assert.throws(() => load.connect(other!, limits), TOO_MANY_OF_ONE);
    place[Symbol.dispose]();
    load.connect(other!, limits);
  }
});

Deno.test("Load counts also what is not limited: the limit may come later", () => {
  const load = new Load();
  load.connect("192.0.2.1", { maxConnections: 0, maxConnectionsPerAddress: 0 });
  assert.throws(
    () => load.checkConnection("192.0.2.2", { maxConnections: 1, maxConnectionsPerAddress: 0 }),
    TOO_MANY,
  );
});

Deno.test("Load lets a connection change its place where there is no other", () => {
  const load = new Load();
  const limits = { maxConnections: 2, maxConnectionsPerAddress: 1 };
  const own = load.connect("192.0.2.1", limits);
  load.connect("192.0.2.2", limits);
  const next = load.connect("192.0.2.1", limits, own);
  assert.throws(() => load.connect("192.0.2.1", limits, own), TOO_MANY);
  own[Symbol.dispose]();
  assert.throws(() => load.connect("192.0.2.1", limits, own), TOO_MANY, "it has left its place");
  assert.throws(() => load.connect("192.0.2.2", limits, next), TOO_MANY_OF_ONE);
});

Deno.test("Load counts what cannot be refused", () => {
  const load = new Load();
  load.take("192.0.2.1");
  const limits = { maxConnections: 0, maxConnectionsPerAddress: 1 };
  assert.throws(() => load.connect("192.0.2.1", limits), TOO_MANY_OF_ONE);
});

Deno.test("connectionLimit() leaves those alone who may have a place already", () => {
  const load = new Load();
  const check = connectionLimit({ maxConnections: 1, maxConnectionsPerAddress: 0 }, load);
  load.take("192.0.2.1");
  const headers = { "sec-websocket-protocol": "h8s.resume.v1, h8s.resume.token.x" };
  check(toCandidate({ kind: "websocket", headers }));
});

Deno.test("connectionLimit() is for WebSockets", () => {
  const load = new Load();
  const limits = { maxConnections: 1, maxConnectionsPerAddress: 0 };
  const check = connectionLimit(limits, load);
  check(toCandidate({ kind: "websocket" }));
  load.connect("192.0.2.1", limits);
  check(toCandidate({ kind: "http" }));
  assert.throws(() => check(toCandidate({ kind: "websocket" })), TOO_MANY);
});

Deno.test("inFlightLimit() counts the request itself", () => {
  const load = new Load();
  const check = inFlightLimit(1, load);
  load.requestBegun();
  check(toCandidate());
  load.requestBegun();
  assert.throws(() => check(toCandidate()), { code: "overloaded", status: 503, retryAfter: 1 });
  load.requestEnded();
  check(toCandidate());
});

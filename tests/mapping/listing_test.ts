import assert from "node:assert/strict";
import { ContractError } from "../../lib/mapping/contract_error.ts";
import {
  fromHeartbeatSubject,
  toHeartbeatPattern,
  toHeartbeatSubject,
} from "../../lib/mapping/heartbeat.ts";
import {
  type ListedConnection,
  type Listing,
  parseListing,
  parseListRequest,
  renderListing,
  renderListRequest,
  toListSubject,
} from "../../lib/mapping/listing.ts";

const CONNECTION: ListedConnection = {
  id: "G1-0-0",
  inbox: "_INBOX.h8s.G1.0-0",
  subject: "h8s.ws.ws.com.example.chat",
  host: "example.com:8080",
  path: "/chat/",
  query: "room=1",
  remote: "192.0.2.7",
  since: "2026-01-02T03:04:05.678Z",
  protocol: "",
};

Deno.test("toListSubject() asks all gateways or one", () => {
  assert.equal(toListSubject("h8s"), "h8s.control.ws.conn.list");
  assert.equal(toListSubject("a.b", "G1"), "a.b.control.ws.conn.list.G1");
});

Deno.test("a list request survives the way over NATS", () => {
  const table = [
    {},
    { subject: "h8s.ws.ws.com.e" },
    { host: "e.com", limit: 3 },
    { cursor: "c" },
  ];
  for (const request of table) {
    assert.deepEqual(parseListRequest(encode(renderListRequest(request))), request);
  }
  assert.equal(renderListRequest({ cursor: "c", limit: 1 }), '{"limit":1,"cursor":"c"}');
  assert.deepEqual(parseListRequest(new Uint8Array()), {});
  assert.deepEqual(parseListRequest(encode('{"later":1}')), {});
});

Deno.test("parseListRequest() refuses what is none, and says why", () => {
  const table: [json: string, reason: RegExp][] = [
    ["x", /not JSON/],
    ['{"subject":1}', /"subject" is not a string/],
    ['{"host":null}', /"host"/],
    ['{"limit":0}', /"limit"/],
    ['{"limit":1.5}', /"limit"/],
    ['{"limit":"3"}', /"limit"/],
    ['{"cursor":{}}', /"cursor"/],
  ];
  for (const [json, reason] of table) {
    assert.throws(
      () => parseListRequest(encode(json)),
      toCheck("Cannot read a list request: ", reason),
    );
  }
});

Deno.test("a listing survives the way over NATS, keys in the order of the contract", () => {
  const listing: Listing = {
    gateway: "G1",
    connections: [CONNECTION, { ...CONNECTION, id: "G1-1-0", session: "s" }],
    cursor: "2",
  };
  const json = renderListing(listing);
  assert.deepEqual(parseListing(encode(json)), listing);
  assert.equal(
    renderListing({ gateway: "G1", connections: [CONNECTION] }),
    '{"gateway":"G1","connections":[{"id":"G1-0-0","inbox":"_INBOX.h8s.G1.0-0",' +
      '"subject":"h8s.ws.ws.com.example.chat","host":"example.com:8080","path":"/chat/",' +
      '"query":"room=1","remote":"192.0.2.7","since":"2026-01-02T03:04:05.678Z","protocol":""}]}',
  );
});

Deno.test("parseListing() refuses what is none, and says why", () => {
  const { inbox: _inbox, ...withoutInbox } = CONNECTION;
  const table: [value: unknown, reason: RegExp][] = [
    [[], /not a JSON object/],
    [{ connections: [] }, /"gateway"/],
    [{ gateway: "a.b", connections: [] }, /"gateway" is not a token/],
    [{ gateway: "", connections: [] }, /"gateway" is not a token/],
    [{ gateway: "G1" }, /"connections" is not a list/],
    [{ gateway: "G1", connections: [1] }, /"connections" is not a list of objects/],
    [{ gateway: "G1", connections: [withoutInbox] }, /"inbox"/],
    [{ gateway: "G1", connections: [{ ...CONNECTION, inbox: "a.*" }] }, /"inbox" is not a subject/],
    [{ gateway: "G1", connections: [{ ...CONNECTION, inbox: "" }] }, /"inbox" is not a subject/],
    [{ gateway: "G1", connections: [{ ...CONNECTION, session: 1 }] }, /"session"/],
    [{ gateway: "G1", connections: [], cursor: 1 }, /"cursor"/],
  ];
  for (const [value, reason] of table) {
    const payload = encode(JSON.stringify(value));
    assert.throws(
      () => parseListing(payload),
      toCheck("Cannot read a list of connections: ", reason),
    );
  }
});

Deno.test("a heartbeat's subject says who says what", () => {
  for (const event of ["alive", "draining", "gone"] as const) {
    const subject = toHeartbeatSubject({ gateway: "G1", event }, "acme.edge");
    assert.equal(subject, `acme.edge.control.gateway.G1.${event}`);
    assert.deepEqual(fromHeartbeatSubject(subject), { gateway: "G1", event });
  }
  assert.equal(fromHeartbeatSubject("h8s.control.gateway.G1.later"), undefined);
  assert.equal(toHeartbeatPattern("h8s"), "h8s.control.gateway.*.*");
});

function toCheck(start: string, reason: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof ContractError);
    assert.ok(error.message.startsWith(start), error.message);
    assert.match(error.message, reason);
    return true;
  };
}

function encode(json: string): Uint8Array {
  return new TextEncoder().encode(json);
}

import assert from "node:assert/strict";
import type { GatewayOptions } from "../../lib/config/options.ts";
import { parseConfig } from "../../lib/config/schema.ts";
import type { EdgeParts } from "../../lib/edge/parts.ts";
import { Peers } from "../../lib/edge/peer.ts";
import { RequestIds } from "../../lib/edge/request_ids.ts";
import { Visit } from "../../lib/edge/visit.ts";
import { AccessLines } from "../../lib/telemetry/access_lines.ts";
import { type Observer, Observers } from "../../lib/telemetry/observation.ts";
import { FakeEdge } from "../harness/fake_edge.ts";

const URL_ASKED = "http://shop.example/cart?a=1&access_token=s3cret&b=2";
const TRACEPARENT = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;

Deno.test("the query parameter of a token is never told, though the query is", () => {
  using edge = new FakeEdge();
  const told: string[] = [];
  const lines = new AccessLines({ format: "json", withQuery: true });
  const jwt = { secret: "s3cret-s3cret-s3cret-s3cret-s3cret", query: "access_token" };
  const visit = begin(edge, { end: (seen) => void told.push(lines.render(seen)) }, { jwt });
  visit.onAnswered(200);
  visit.onLeft(true);
  assert.equal(told.length, 1);
  assert.doesNotMatch(told[0]!, /s3cret/);
  assert.match(told[0]!, /"path":"\/cart\?a=1&b=2"/);
});

Deno.test("who follows a request is told each step once, in order, with what is known then", () => {
  using edge = new FakeEdge();
  const steps: unknown[] = [];
  const visit = begin(edge, {
    begin: ({ method, subject }) => {
      steps.push(["begin", method, subject]);
      return {
        admitted: ({ subject }) => void steps.push(["admitted", subject]),
        sent: ({ status }) => void steps.push(["sent", status]),
        answered: ({ status }) => void steps.push(["answered", status]),
      };
    },
    end: ({ status, end }) => void steps.push(["end", status, end]),
  });
  visit.onAdmitted("h8s.http.GET.example.shop.cart");
  visit.onSent();
  visit.onAnswered(204);
  visit.onLeft(true);
  visit.onLeft(true);
  assert.deepEqual(steps, [
    ["begin", "GET", undefined],
    ["admitted", "h8s.http.GET.example.shop.cart"],
    ["sent", 0],
    ["answered", 204],
    ["end", 204, "completed"],
  ]);
});

Deno.test("the workload gets the traceparent of who follows, else the gateway's own", () => {
  using edge = new FakeEdge();
  const followed = begin(edge, { begin: () => ({ admitted: () => TRACEPARENT }) });
  assert.equal(followed.onAdmitted("a"), TRACEPARENT);
  assert.equal(followed.traceparent, TRACEPARENT);
  const silent = begin(edge, { begin: () => ({}) });
  assert.match(silent.onAdmitted("a"), /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
});

Deno.test("the user agent is told of what is over", () => {
  using edge = new FakeEdge();
  const told: unknown[] = [];
  const visit = begin(edge, { end: ({ userAgent }) => void told.push(userAgent) });
  visit.onHeaders([["accept", "*/*"], ["user-agent", "curl/8"], ["x-user-agent", "other"]]);
  visit.onAnswered(200);
  visit.onLeft(true);
  assert.deepEqual(told, ["curl/8"]);
});

Deno.test("what an observer throws hurts neither the request nor the others", () => {
  using edge = new FakeEdge();
  const throws = () => {
    throw new Error("odd");
  };
  const visit = begin(edge, {
    begin: () => ({ admitted: throws, sent: throws, answered: throws }),
    end: throws,
  });
  visit.onAdmitted("a");
  visit.onSent();
  visit.onAnswered(200);
  visit.onLeft(true);
  assert.deepEqual(edge.faults, Array(4).fill("observer Error: odd"));
});

/** A request comes, and somebody observes. */
function begin(edge: FakeEdge, observer: Observer, config: GatewayOptions = {}): Visit {
  const observers = new Observers(edge.parts.onFault);
  observers.add(observer);
  const parsed = parseConfig(config);
  const parts: EdgeParts = {
    ...edge.parts,
    config: () => parsed,
    ids: new RequestIds(),
    observers,
  };
  const request = new Request(URL_ASKED);
  const peer = new Peers(parts).identify(request, "192.0.2.7");
  return new Visit(request, { parts, peer, connection: "", onLeft() {} });
}

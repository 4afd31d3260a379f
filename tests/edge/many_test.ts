import assert from "node:assert/strict";
import { cpuUsage } from "node:process";
import { configSchema, findProblems, parseConfig } from "../../lib/config/schema.ts";
import type { GatewayOptions } from "../../lib/config/options.ts";
import { listRouteWarnings } from "../../lib/config/route_warnings.ts";
import { hostFilter } from "../../lib/edge/admission/host.ts";
import { toRouted } from "../../lib/edge/admission/routing.ts";
import { toRules } from "../../lib/edge/admission/rules.ts";
import { renderInterest, toInterestSubject } from "../../lib/mapping/interest.ts";
import { type Target, toTarget } from "../../lib/mapping/request.ts";
import { toHostTokens, toPathTokens } from "../../lib/mapping/subject.ts";
import { Interests } from "../../lib/nats/interest.ts";
import { systemClock } from "../../lib/time/clock.ts";
import { FakeBus } from "../nats/fake_bus.ts";

/** Where there is one of everything, and where there are many. */
const [FEW, MANY] = [1, 10_000];
const REQUESTS = 1000;

type Routes = NonNullable<GatewayOptions["routes"]>;

/** Configurations of which the last route is asked for. */
const ROUTES: Readonly<Record<string, (count: number) => GatewayOptions>> = {
  "with paths of their own": (count) => ({
    routes: list(count, (index) => ({
      match: { host: "shop.example.com", path: `/p${index}/:item` },
      subject: `orders.p${index}.{item}`,
    })),
  }),
  "with paths that begin with alternatives": (count) => ({
    routes: list(count, (index) => ({
      match: { host: "shop.example.com", path: `/:page(p${index}|q${index})/:item` },
      subject: `orders.{page}.{item}`,
    })),
  }),
  "with paths that end with what may be left out": (count) => ({
    routes: list(count, (index) => ({
      match: { host: "shop.example.com", path: `/p${index}{/:item}?` },
      subject: `orders.p${index}`,
    })),
  }),
  "with hosts of their own, that ask for a key": (count) => ({
    ...{ auth: "none", authorizationKey: ["k3y"] },
    routes: list(count, (index) => ({
      match: { host: index === count - 1 ? "shop.example.com" : `t${index}.example.com` },
      subject: `tenants.t${index}.{path}`,
      auth: index === count - 1 ? "none" : "key",
    })),
  }),
  "of WebSockets that hear subjects of their own": (count) => ({
    routes: list(count, (index) => ({
      match: { path: `/p${index}/:item`, upgrade: "websocket" },
      publish: `said.p${index}.{item}`,
      subscribe: [`heard.p${index}.{item}`],
    })),
  }),
  "in a gateway that serves as many hosts": (count) => ({
    hostFilters: [...list(count, (index) => `t${index}.example.com`), "shop.example.com"],
    routes: [{ match: { path: "/:kind/:item" }, subject: "orders.{kind}.{item}" }],
  }),
};

for (const [name, toOptions] of Object.entries(ROUTES)) {
  Deno.test(`routing takes as long with many routes as with one: ${name}`, () => {
    const [few, many] = [toAsking(toOptions, FEW), toAsking(toOptions, MANY)];
    assertAlike(few, many);
  });
}

Deno.test("a request's interest is found as fast among many as alone", () => {
  using few = register(FEW);
  using many = register(MANY);
  const query = {
    hostTokens: toHostTokens("shop.example.com"),
    pathTokens: toPathTokens("/api/cart"),
    method: "GET",
  };
  const ask = (interests: Interests) => () => assert.ok(interests.has(query));
  assertAlike(ask(few), ask(many));
  const unknown = { ...query, hostTokens: toHostTokens("t7.example.com"), method: "ws" };
  const askInVain = (interests: Interests) => () => assert.ok(!interests.wantsHandshake(unknown));
  assertAlike(askInVain(few), askInVain(many));
});

Deno.test("what is wrong with many routes, and what may be, is found in seconds", () => {
  const wrong = { routes: list(MANY, () => ({ match: { path: "x" } })) };
  const shadowed = {
    routes: [
      { match: { host: "example.com" } },
      ...list(MANY, (index) => ({ match: { host: "example.com", path: `/p${index}` } })),
    ],
  };
  const config = parseConfig(shadowed);
  const limit = 5000;
  assert.ok(measure(() => assert.equal(findProblems(configSchema, wrong).length, MANY)) < limit);
  assert.ok(measure(() => assert.equal(listRouteWarnings(config).length, 20)) < limit);
});

function list<T>(count: number, toItem: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => toItem(index));
}

function toAsking(toOptions: (count: number) => GatewayOptions, count: number): () => void {
  const config = parseConfig(toOptions(count));
  const rules = toRules(config);
  const kind = config.routes.at(-1)!.sides.http === undefined ? "websocket" : "http";
  const url = `http://shop.example.com/p${count - 1}/7`;
  const { prefix, listen } = config;
  const headers: [string, string][] = [["host", "shop.example.com"]];
  const target: Target = toTarget({ method: "GET", url, headers }, { prefix, kind, listen });
  const { hostTokens, pathTokens } = target;
  const check = config.hostFilters.length === 0 ? () => {} : hostFilter(config.hostFilters);
  const request = { method: "GET", kind, target, sessionId: undefined, connectionId: "c" } as const;
  const parts = { config: () => config, gatewayId: "G", persist: undefined, resume: undefined };
  return () => {
    check({ target });
    const decision = rules.table.decide({ method: "GET", kind, hostTokens, pathTokens });
    assert.equal(decision.match?.route, config.routes.at(-1));
    toRouted(decision, { request, rules, parts });
  };
}

function register(count: number): Interests {
  const bus = new FakeBus();
  const interests = new Interests(bus, {
    prefix: "h8s",
    clock: systemClock(),
    onError: (error) => assert.fail(String(error)),
  });
  for (let index = 0; index < count; index++) {
    const isLast = index === count - 1;
    const host = isLast ? "shop.example.com" : `t${index % 100}.example.com`;
    const interest = {
      host,
      path: isLast ? "/api" : `/p${index}`,
      method: "*",
      match: "prefix",
    } as const;
    const data = renderInterest(interest);
    bus.deliver(toInterestSubject("register", { prefix: "h8s", host }), data);
  }
  assert.equal(interests.size, count);
  return interests;
}

/** Whoever looks at each of ten thousand takes hundreds of times as long. */
function assertAlike(few: () => void, many: () => void): void {
  const repeat = (task: () => void) =>
    measure(() => {
      for (let count = 0; count < REQUESTS; count++) task();
    });
  let ratio = Infinity;
  for (let attempt = 0; attempt < 5 && ratio > 4; attempt++) {
    const base = repeat(few);
    ratio = repeat(many) / Math.max(base, 1);
  }
  assert.ok(ratio <= 4, `${ratio.toFixed(1)} times as long`);
}

/** Milliseconds of processor time: on a busy machine the clock goes on while nothing is done. */
function measure(task: () => void): number {
  const begun = cpuUsage();
  task();
  return cpuUsage(begun).user / 1000;
}

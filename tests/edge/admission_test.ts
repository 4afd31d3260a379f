import assert from "node:assert/strict";
import type { GatewayOptions } from "../../lib/config/options.ts";
import { parseConfig } from "../../lib/config/schema.ts";
import { Admission, type Admitted } from "../../lib/edge/admission.ts";
import type { EdgeParts } from "../../lib/edge/parts.ts";
import { RequestIds } from "../../lib/edge/request_ids.ts";
import type { RequestKind } from "../../lib/mapping/headers.ts";
import { Visit } from "../../lib/edge/visit.ts";
import { Observers } from "../../lib/telemetry/observation.ts";
import { toCandidate } from "./admission/candidate.ts";

const HANDSHAKE = {
  "connection": "Upgrade",
  "upgrade": "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

class World {
  config = parseConfig({});
  readonly #parts = this.#toParts();
  readonly admission = new Admission(this.#parts);

  configure(options: GatewayOptions): void {
    this.config = parseConfig(options);
  }

  admit(
    headers: Record<string, string> = {},
    kind: RequestKind = "http",
  ): Admitted | Promise<Admitted> {
    const all = { host: "a.example", ...(kind === "websocket" ? HANDSHAKE : {}), ...headers };
    // The platform lets nobody set some of them.
    const request = {
      method: "GET",
      url: "http://a.example/x",
      headers: Object.assign(new Map(Object.entries(all)), {
        get: (name: string) => all[name as keyof typeof all] ?? null,
      }),
    } as unknown as Request;
    const { peer } = toCandidate();
    const visit = new Visit(request, { parts: this.#parts, peer, connection: "", onLeft() {} });
    const entry = this.admission.enter(request, { kind, visit, headers: [...request.headers] });
    return this.admission.admit(entry);
  }

  #toParts(): EdgeParts {
    return {
      config: () => this.config,
      fileKeys: ["from-a-file"],
      gatewayId: "G",
      ids: new RequestIds(),
      observers: new Observers(() => {}),
      bus: { state: "connected" },
    } as unknown as EdgeParts;
  }
}

Deno.test("a new configuration holds from the next request on", () => {
  const world = new World();
  world.admit({ authorization: "Bearer x" });
  world.configure({ hostFilters: ["b.example"] });
  assert.throws(() => world.admit(), { code: "host_not_served" });
  world.configure({ authorizationKey: ["first"] });
  world.admit({ authorization: "Bearer first" });
  world.admit({ authorization: "Bearer from-a-file" });
  world.configure({ authorizationKey: ["second"] });
  assert.throws(() => world.admit({ authorization: "Bearer first" }), { code: "unauthorized" });
  world.admit({ authorization: "Bearer second" });
  world.configure({});
  world.admit();
});

Deno.test("what was counted before a new configuration counts after it", () => {
  const world = new World();
  const rate = "1/h,burst=2";
  world.configure({ rate });
  world.admit();
  world.configure({ rate, maxHeaders: 50 });
  world.admit();
  assert.throws(() => world.admit(), { code: "rate_limited" });

  world.configure({});
  world.admission.load.take("192.0.2.1");
  world.configure({ maxConnections: 1 });
  assert.throws(() => world.admit({}, "websocket"), { code: "too_many_connections" });
});

Deno.test("the cheapest check refuses first", () => {
  const world = new World();
  world.configure({
    ...{ hostFilters: ["b.example"], allowedOrigins: ["https://c.example"], rate: "1/h" },
    ...{ authorizationKey: ["k"], maxHeaderBytes: "200B", maxConnections: 0 },
  });
  const origin = { origin: "https://evil.example" };
  assert.throws(() => world.admit({ ...origin, x: "y".repeat(200) }), {
    code: "headers_too_large",
  });
  assert.throws(() => world.admit(origin), { code: "host_not_served" });
  world.configure({
    ...{ allowedOrigins: ["https://c.example"], rate: "1/h" },
    authorizationKey: ["k"],
  });
  assert.throws(() => world.admit(origin), { code: "origin_not_allowed" });
  // It took no token of the rate; this one does, and is unknown all the same.
  assert.throws(() => world.admit(), { code: "unauthorized" });
  assert.throws(() => world.admit({ authorization: "Bearer k" }), { code: "rate_limited" });
});

Deno.test("where nobody else has to be asked, the answer is there at once", () => {
  const world = new World();
  for (const options of [{}, { authorizationKey: ["k"] }, { session: {} }, { rate: "9/s" }]) {
    world.configure(options);
    assert.ok(!(world.admit({ authorization: "Bearer k" }) instanceof Promise));
  }
});

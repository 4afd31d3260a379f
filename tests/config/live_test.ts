import assert from "node:assert/strict";
import { LiveConfig } from "../../lib/config/live.ts";

Deno.test("LiveConfig takes what may change, and says what has to wait", () => {
  const live = new LiveConfig({ requestTimeout: "5s", listen: ":1", prefix: "a" });
  const before = live.current;
  const change = live.replace({ requestTimeout: "6s", listen: ":2", prefix: "a", rate: "1/s" });
  assert.deepEqual(change, { applied: ["requestTimeout", "rate"], postponed: ["listen"] });
  assert.equal(live.current.requestTimeout, 6000);
  assert.equal(live.current.listen.port, 1);
  assert.equal(before.requestTimeout, 5000);
});

Deno.test("LiveConfig goes back to the default of what is said no more", () => {
  const live = new LiveConfig({ requestTimeout: "5s", hostFilters: ["a.b"] });
  assert.deepEqual(live.replace({ hostFilters: ["a.b"] }).applied, ["requestTimeout"]);
  assert.equal(live.current.requestTimeout, 30_000);
  assert.deepEqual(live.current.hostFilters, ["a.b"]);
});

Deno.test("LiveConfig keeps all of the old version where the new one cannot be used", () => {
  const live = new LiveConfig({ requestTimeout: "5s" });
  const before = live.current;
  assert.throws(() => live.replace({ requestTimeout: "6s", routes: [{ match: { path: "(" } }] }), {
    name: "ConfigError",
    message: /routes\.0/,
  });
  assert.equal(live.current, before);
});

Deno.test("LiveConfig refuses what needs something that has to wait", () => {
  const live = new LiveConfig({});
  const routes = [{
    match: { path: "/a" },
    subject: "kept.a",
    persist: true,
    mode: "publish" as const,
  }];
  assert.throws(() => live.replace({ persist: "said", routes }), {
    name: "ConfigError",
    message: /routes\.0\.persist: expected a stream/,
  });
  assert.throws(
    () => live.replace({ auth: "key", authorizationKeyFile: "keys" }),
    /authorizationKey/,
  );
  assert.deepEqual(live.current.routes, []);
});

Deno.test("LiveConfig lets routes wait that change what the stream keeps, and only those", () => {
  const kept = {
    match: { path: "/a" },
    subject: "kept.a",
    persist: true,
    mode: "publish" as const,
  };
  const live = new LiveConfig({ persist: "said", routes: [kept] });
  const other = { match: { path: "/b" }, subject: "b.b" };
  assert.deepEqual(live.replace({ persist: "said", routes: [kept, other] }).applied, ["routes"]);
  const more = { ...kept, subject: "kept.b" };
  const routes = [kept, more];
  const change = live.replace({ persist: "said", routes, requestTimeout: "1s" });
  assert.deepEqual(change, { applied: ["requestTimeout"], postponed: ["routes"] });
  assert.equal(live.current.routes.length, 2);
});

Deno.test("LiveConfig reminds of what waits at each version", () => {
  const live = new LiveConfig({});
  assert.deepEqual(live.replace({ prefix: "b" }).postponed, ["prefix"]);
  assert.deepEqual(live.replace({ prefix: "b", requestTimeout: "1s" }).postponed, ["prefix"]);
  assert.deepEqual(live.replace({}), { applied: ["requestTimeout"], postponed: [] });
});

Deno.test("LiveConfig leaves what does not change as it is, with all that is remembered for it", () => {
  const jwt = { jwks: "https://a.b/keys" };
  const live = new LiveConfig({ jwt });
  const { jwt: before } = live.current;
  live.replace({ jwt: { ...jwt }, rate: "1/s" });
  assert.equal(live.current.jwt, before);
});

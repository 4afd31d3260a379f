import assert from "node:assert/strict";
import { ConfigError, type GatewayOptions } from "../../lib/config/options.ts";
import { parseConfig } from "../../lib/config/schema.ts";

const PATH = "/:room/:client";
const SESSIONS = { session: {} };

Deno.test("no template lets a client speak where it should not be heard", async (t) => {
  const refused = [
    ...["{prefix}.{room}.push", "{prefix}.x-{room}.push", "{prefix}.{method:lower}.push"],
    ...["{prefix}.control.{room}", "h8s.control.ws.conn.closed", "{prefix}.upload.GET.{path}"],
    ...["{prefix}.resumed.{room}", "_INBOX.h8s.{room}", "$JS.API.STREAM.PURGE.{room}"],
    ...["$SYS.REQ.{room}", "$KV.rooms.{room}"],
  ];
  const taken = [
    ...["{prefix}.{room}.in", "{prefix}.{room}.{client}", "{prefix}.{path}", "{prefix}.lobby.push"],
    ...["{prefix}.{session}.push", "{prefix}.{room}.push.{client}", "{room}.{client}.push"],
    ...["{prefix}.http.{method}.{host}.{path}", "{prefix}.{scheme}.{room}.{client}", "orders"],
  ];
  for (const subject of [...refused, ...taken]) {
    for (const options of [{}, SESSIONS]) {
      await t.step(`${subject} ${JSON.stringify(options)}`, () => {
        const http = { ...options, routes: [{ match: { path: PATH }, subject }] };
        const socket = { ...options, routes: [{ match: { path: PATH }, publish: subject }] };
        const isRefused = refused.includes(subject);
        assert.deepEqual(complaints(http), isRefused ? ["routes.0.subject"] : []);
        assert.deepEqual(complaints(socket), isRefused ? ["routes.0.publish"] : []);
      });
    }
  }
});

Deno.test("no template lets a client hear what is for others", async (t) => {
  const always = [
    "{prefix}.control.>",
    "{prefix}.ws.ws.{room}",
    "{prefix}.{scheme}.>",
    ">",
    "*.http.>",
  ];
  always.push("_INBOX.>", "$SYS.>", "$JS.{room}", "{prefix}.>", "{prefix}.*.x", "*.*.push");
  const withSessions = ["{prefix}.{room}.>", "{prefix}.{room}.*", "{prefix}.lobby.*"];
  const never = [
    ...["{prefix}.{room}.{client}.>", "{prefix}.{client}.push", "{prefix}.{room}.out"],
    ...["{prefix}.{session}.>", "{prefix}.rooms.{room}.>", "$KV.prices.{room}", "{room}.>"],
  ];
  for (const subject of [...always, ...withSessions, ...never]) {
    await t.step(subject, () => {
      const routes = [{ match: { path: PATH }, subscribe: [subject] }];
      const where = ["routes.0.subscribe.0"];
      const isAlways = always.includes(subject);
      const isWith = withSessions.includes(subject);
      assert.deepEqual(complaints({ routes }), isAlways ? where : []);
      assert.deepEqual(complaints({ ...SESSIONS, routes }), isAlways || isWith ? where : []);
      const authorized = [{
        match: { path: PATH },
        subscribe: [subject],
        auth: "authorize",
      }] as const;
      assert.deepEqual(complaints({ routes: authorized }), isAlways || isWith ? where : []);
    });
  }
});

function complaints(options: GatewayOptions): string[] {
  try {
    parseConfig(options);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map(({ path }) => path.join("."));
  }
}

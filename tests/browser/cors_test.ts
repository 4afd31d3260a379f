/// <reference lib="dom" />
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { connect } from "@nats-io/transport";
import { type Gateway, startGateway } from "../../lib/mod.ts";
import { startNats } from "../harness/nats_server.ts";
import { answer, natsHeaders } from "../harness/setup.ts";
import { browserTest, launch } from "./chromium.ts";

const KEY = "k3y";

browserTest("pages of a listed origin read what they ask for, others nothing", async () => {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats({ jetstream: false }));
  const nc = stack.adopt(await connect({ servers: nats.url }), (nc) => nc.close());
  await answer(nc, "h8s.http.GET.127.0.0.1.open", ({ headers }) => ({
    data: headers?.get("Cookie") ?? "",
    headers: natsHeaders(
      ["Content-Length", "0"],
      ["Set-Cookie", "seen=1"],
      ["ETag", '"e"'],
      // A page could not read it with credentials; the gateway's own stands instead.
      ["Access-Control-Allow-Origin", "*"],
    ),
  }));
  await answer(nc, "h8s.http.PUT.127.0.0.1.locked", () => ({ data: "done" }));
  nc.subscribe("h8s.http.GET.127.0.0.1.stream", {
    callback: (_, message) => {
      message.respond("one ", { headers: natsHeaders(["Status-Code", "200"]) });
      message.respond("two");
      message.respond("");
    },
  });
  await nc.flush();
  const [listed, other] = [servePage(), servePage()];
  stack.defer(() => Promise.all([listed.shutdown(), other.shutdown()]).then(() => {}));
  const gateway = stack.use(startGateway({
    listen: "127.0.0.1:0",
    natsUrl: [nats.url],
    allowedOrigins: [toOrigin(listed)],
    authorizationKey: [KEY],
    routes: [
      { match: { path: "/open" }, auth: "none" },
      { match: { path: "/stream" }, auth: "none" },
    ],
    logLevel: "error",
  }));
  await gateway.connected;
  const browser = stack.adopt(await launch(), (browser) => browser.close());
  const context = await browser.newContext();
  const page = await context.newPage();

  await page.goto(toOrigin(listed));
  await ask(page, gateway, "/open", { credentials: "include" });
  const again = await ask(page, gateway, "/open", { credentials: "include" });
  assert.deepEqual([again.status, again.text, again.etag], [200, "seen=1", '"e"']);
  // Two headers that ask for a preflight, and a method that does.
  const headers = { "Authorization": `Bearer ${KEY}`, "X-Page": "1" };
  const put = await ask(page, gateway, "/locked", { method: "PUT", headers, body: "x" });
  assert.equal(put.status, 200);
  const refused = await ask(page, gateway, "/locked", { method: "PUT", body: "x" });
  assert.deepEqual([refused.status, refused.type], [401, "application/problem+json"]);
  assert.match(refused.text, /"type":"urn:h8s:error:unauthorized"/);
  const nobody = await ask(page, gateway, "/nobody", { headers });
  assert.deepEqual([nobody.status, nobody.retryAfter], [503, "1"]);
  assert.equal((await ask(page, gateway, "/stream", {})).text, "one two");

  await page.goto(toOrigin(other));
  for (const init of [{}, { credentials: "include" as const }, { method: "PUT", headers }]) {
    await assert.rejects(ask(page, gateway, "/open", init), /Failed to fetch/);
  }
});

function servePage(): Deno.HttpServer<Deno.NetAddr> {
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const headers = { "content-type": "text/html" };
  return Deno.serve(options, () => new Response("<!doctype html><title>page</title>", { headers }));
}

function toOrigin({ addr }: Deno.HttpServer<Deno.NetAddr>): string {
  return `http://127.0.0.1:${addr.port}`;
}

/** As the page itself does. */
function ask(page: Page, { address }: Gateway, path: string, init: RequestInit) {
  const url = `http://127.0.0.1:${address.port}${path}`;
  return page.evaluate(async ([url, init]) => {
    const response = await fetch(url, init);
    return {
      status: response.status,
      text: await response.text(),
      type: response.headers.get("content-type"),
      etag: response.headers.get("etag"),
      retryAfter: response.headers.get("retry-after"),
    };
  }, [url, init] as const);
}

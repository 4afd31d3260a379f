import assert from "node:assert/strict";
import { Access } from "../../lib/admin/access.ts";
import type { Answers } from "../../lib/admin/answers.ts";
import { createAdminHandler } from "../../lib/admin/handler.ts";
import { type Gateway, startGateway } from "../../lib/mod.ts";
import { rawRequest } from "../harness/raw_http.ts";

const KEY = "0123456789abcdef0123";
const JSON_LINE = "Content-Type: application/json\r\n";

function start(adminKey?: string): Gateway {
  return startGateway({
    ...{ listen: "127.0.0.1:0", admin: "127.0.0.1:0", logLevel: "error" },
    natsUrl: ["nats://127.0.0.1:1"],
    ...(adminKey === undefined ? {} : { adminKey }),
  });
}

async function ask(gateway: Gateway, head: string, body = ""): Promise<number> {
  const { port } = gateway.adminAddress!;
  const length = body === "" ? "" : `Content-Length: ${body.length}\r\n`;
  const text = `${head.replaceAll("PORT", `${port}`)}${length}Connection: close\r\n\r\n`;
  return (await rawRequest(port, text, body)).status;
}

Deno.test("whoever is not on this machine under its own name does not see the page without a key", async (t) => {
  await using gateway = start();
  const get = (host: string, lines = "", path = "/session") =>
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${lines}`;
  const table: [what: string, head: string, status: number][] = [
    ["who sits here", get("localhost:PORT"), 200],
    ["a name that means 127.0.0.1 by now", get("evil.example:PORT"), 403],
    ["the same as absolute target", get("localhost", "", "http://evil.example/session"), 403],
    ["one that begins as this machine's", get("localhost.evil.example:PORT"), 403],
    ["one that begins as its address", get("127.0.0.1.evil.example:PORT"), 403],
    ["one with a user's name", get("localhost@evil.example"), 403],
    ["a host that is none", get("a b"), 400],
    ["a port that is none", get("localhost:99999", "", "/healthz"), 400],
    ["half an address", get("[::1", "", "/metrics"), 400],
    ["a proxy on this machine", get("localhost:PORT", "X-Forwarded-For: 192.0.2.7\r\n"), 403],
    ["a script of another site's", get("localhost:PORT", "Sec-Fetch-Site: cross-site\r\n"), 403],
    [
      "an image of a page on another port",
      get("localhost:PORT", "Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: no-cors\r\n"),
      403,
    ],
  ];
  for (const [what, head, status] of table) {
    await t.step(what, async () => assert.equal(await ask(gateway, head), status));
  }
});

Deno.test("no other page closes a connection or watches", async (t) => {
  await using gateway = start();
  const table: [what: string, lines: string, status: number][] = [
    ["another site", `Origin: http://evil.example\r\n${JSON_LINE}`, 403],
    ["another port of this machine", `Origin: http://localhost:1\r\n${JSON_LINE}`, 403],
    ["a page without an origin", `Origin: null\r\n${JSON_LINE}`, 403],
    ["who says none", JSON_LINE, 403],
    ["a form of its own", "Origin: http://localhost:PORT\r\nContent-Type: text/plain\r\n", 415],
    ["the page, with what is no order", `Origin: http://localhost:PORT\r\n${JSON_LINE}`, 400],
  ];
  for (const path of ["/connections/close", "/tap"]) {
    for (const [what, lines, status] of table) {
      await t.step(`${path}: ${what}`, async () => {
        const head = `POST ${path} HTTP/1.1\r\nHost: localhost:PORT\r\n${lines}`;
        assert.equal(await ask(gateway, head, "{}"), status);
      });
    }
  }
});

Deno.test("what is for machines is read, and nothing else", async (t) => {
  await using gateway = start();
  for (const path of ["/healthz", "/metrics"]) {
    for (const [method, status] of [["GET", 200], ["HEAD", 200], ["POST", 405], ["DELETE", 405]]) {
      await t.step(`${method} ${path}`, async () => {
        const head = `${method} ${path} HTTP/1.1\r\nHost: localhost:PORT\r\n`;
        assert.equal(await ask(gateway, head), status);
      });
    }
  }
});

Deno.test("nothing but the key, or a cookie signed with it, opens the page", async (t) => {
  await using gateway = start(KEY);
  const later = Date.now() + 1e9;
  const table: [what: string, path: string, lines: string, status: number][] = [
    ["the key", "/session", `Authorization: Bearer ${KEY}\r\n`, 200],
    ["nothing", "/session", "", 401],
    ["another key", "/session", `Authorization: Bearer ${KEY.slice(1)}4\r\n`, 401],
    ["its beginning", "/session", `Authorization: Bearer ${KEY.slice(0, 16)}\r\n`, 401],
    ["a made-up cookie", "/session", `Cookie: h8s-admin=${later}.AAAA\r\n`, 401],
    ["a cookie without a signature", "/session", "Cookie: h8s-admin=Infinity.\r\n", 401],
    ["another spelling", "//session", "", 401],
    ["a way round what is open", "/metrics/../session", "", 401],
    ["a way round the pictures", "/assets/../session", "", 401],
    ["events", "/events", "", 401],
    ["numbers, which are open", "/metrics", "", 200],
  ];
  for (const [what, path, lines, status] of table) {
    await t.step(what, async () => {
      const head = `GET ${path} HTTP/1.1\r\nHost: any.example\r\n${lines}`;
      assert.equal(await ask(gateway, head), status);
    });
  }
  await t.step("a form of another site's with the right key", async () => {
    const head = "POST /login HTTP/1.1\r\nHost: localhost:PORT\r\nOrigin: http://evil.example\r\n";
    assert.equal(await ask(gateway, head, `key=${KEY}`), 403);
  });
});

Deno.test("a body that breaks off is no fault of the gateway's", async () => {
  const handle = createAdminHandler({
    health: () => Promise.reject(new Error("asked for nothing")),
    access: new Access(() => undefined),
    answers: undefined as unknown as Answers,
  });
  const info = { remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 1 } } as const;
  const headers = { origin: "http://localhost", "content-type": "application/json" };
  for (const path of ["/login", "/connections/close"]) {
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) });
    const request = new Request(`http://localhost${path}`, { method: "POST", body, headers });
    assert.ok((await handle(request, info)).status >= 400);
  }
});

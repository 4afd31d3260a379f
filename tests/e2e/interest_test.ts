import assert from "node:assert/strict";
import { type Interest, renderInterest, toInterestSubject } from "../../lib/mapping/interest.ts";
import { rawRequest } from "../harness/raw_http.ts";
import { answer, setUp } from "../harness/setup.ts";
import { HANDSHAKE, rawHandshake } from "../harness/websocket.ts";

Deno.test("--track-interest: only what a workload registered for passes, others are a 404", async (t) => {
  await using setup = await setUp(["--track-interest"]);
  const { nc, gateway } = setup;
  await answer(nc, "h8s.http.>", () => ({ data: "ok" }));
  /** The gateway reads in order: what it answers to afterwards comes after it has read this. */
  async function tell(change: "register" | "unregister", interest: Interest): Promise<void> {
    nc.publish(
      toInterestSubject(change, { prefix: "h8s", host: interest.host }),
      renderInterest(interest),
    );
    await nc.request("h8s.control.ws.conn.list", "");
  }
  const status = async (method: string, host: string, path: string) =>
    (await rawRequest(gateway.port, `${method} ${path} HTTP/1.1\r\nHost: ${host}`)).status;

  assert.equal(await status("GET", "e.com", "/a"), 404);
  await tell("register", { host: "e.com", path: "/a", method: "GET" });
  const table: [method: string, host: string, path: string, status: number][] = [
    ["GET", "e.com:8080", "/a/", 200],
    ["POST", "e.com", "/a", 404],
    ["GET", "x.e.com", "/a", 404],
    ["GET", "e.com", "/a/b", 404],
    ["GET", "e.com", "/", 404],
  ];
  for (const [method, host, path, expected] of table) {
    await t.step(`${method} ${host}${path}`, async () => {
      assert.equal(await status(method, host, path), expected);
    });
  }
  await t.step("a prefix and any host", async () => {
    await tell("register", { host: "*", path: "/p", method: "*", match: "prefix" });
    assert.equal(await status("PUT", "x.com", "/p/q"), 200);
    assert.equal(await status("PUT", "x.com", "/pq"), 404);
  });
  await t.step("a WebSocket is of the method ws", async () => {
    const upgrade = async () => {
      const { conn, response } = await rawHandshake(gateway.port, HANDSHAKE);
      conn.close();
      return Number(response.split(" ")[1]);
    };
    assert.equal(await upgrade(), 404);
    await tell("register", { host: "chat.example.com", path: "/raw", method: "ws" });
    assert.equal(await upgrade(), 101);
  });
  await t.step("taken back", async () => {
    await tell("unregister", { host: "e.com", path: "/a", method: "GET" });
    assert.equal(await status("GET", "e.com", "/a"), 404);
  });
  await t.step("one that cannot be read is logged and changes nothing", async () => {
    nc.publish("h8s.control.interest.register.com.e", "{");
    await gateway.logged("an interest cannot be read");
  });
});

/**
 * The troubles of docs/observe.md, each brought about with the real thing: what the page shows is what
 * is seen. A wrong Host is with the proxies.
 *
 * @module
 */
import assert from "node:assert/strict";
import { jetstreamManager } from "@nats-io/jetstream";
import { serve } from "../../lib/workload/mod.ts";
import { freePort } from "../harness/free_port.ts";
import type { GatewayProcess } from "../harness/gateway.ts";
import { KeyServer } from "../harness/key_server.ts";
import { runMain } from "../harness/program.ts";
import { startReverse } from "../harness/reverse.ts";
import { rawRequest } from "../harness/raw_http.ts";
import { asGateway, readRights } from "../harness/rights.ts";
import { listen, setUp } from "../harness/setup.ts";
import { assertShown } from "../harness/troubles.ts";
import { rawHandshake } from "../harness/websocket.ts";

/** So that an answer that does not come is soon missed. */
const FLAGS = ["--access-log", "text", "--request-timeout", "500ms"];

Deno.test("a trouble is seen as docs/observe.md shows it", async (t) => {
  await using keys = await KeyServer.start();
  const config = `
auth: none
jwt: { issuer: id, audience: shop, jwks: "${keys.url}", clockTolerance: 0s }
wsSendLimit: 64KiB
routes:
  - match: { path: "/cart/:id" }
    subject: "carts.{id}"
  - match: { host: shop.example, path: "/members/*" }
    auth: jwt
`;
  await using setup = await setUp(
    [...FLAGS, "--config", "-"],
    { jetstream: true, config: "" },
    config,
  );
  const { gateway, nats, nc } = setup;
  const access = new Access(gateway);

  await t.step("A workload on another prefix", async (t) => {
    await using workload = serve(
      nc,
      { host: "shop.example", prefix: "acme" },
      () => new Response("hello"),
    );
    await workload.ready;
    const { stdout } = await runMain(["doctor", "--nats-url", nats.url]);
    assertShown(t.name, [await access.get("/about"), stdout]);
  });

  await t.step("A client that was too slow", async (t) => {
    const established = await listen(nc, "h8s.control.ws.conn.established");
    using conn = await access.shakeHands("/room/1");
    assert.ok(conn);
    const { reply } = await established.next();
    // More than the buffers of the system take.
    for (let count = 0; count < 10; count++) nc.publish(reply!, new Uint8Array(900_000));
    assertShown(t.name, [await access.next()]);
  });

  await t.step("A token that expired", async (t) => {
    const token = await keys.sign({}, 1500);
    using conn = await access.shakeHands("/members/1", `Authorization: Bearer ${token}`);
    assert.ok(conn);
    assertShown(t.name, [await access.next()]);
  });

  await t.step("A backend that is down", async (t) => {
    const served = { natsUrl: nats.url, hostname: "shop.example", port: freePort() };
    await using reverse = await startReverse(served);
    const failed = await access.get("/about");
    const told = JSON.stringify(await reverse.logged("the backend does not answer"));
    const { stdout } = await runMain(["doctor", "shop.example/about", "--nats-url", nats.url]);
    assertShown(t.name, [failed, told, stdout]);
  });

  await t.step("A route that takes more than was meant", async (t) => {
    const taken = await access.get("/cart/checkout");
    const args = ["subject", "https://shop.example/cart/checkout", "--config", "-"];
    assertShown(t.name, [taken, (await runMain(args, { stdin: config })).stdout]);
  });

  await t.step("A stream in the way", async (t) => {
    const { streams } = await jetstreamManager(nc);
    await streams.add({ name: "AUDIT", subjects: ["h8s.http.>"] });
    const { stdout } = await runMain(["doctor", "--nats-url", nats.url, "--wait", "1s"]);
    const failed = await access.get("/about");
    const told = JSON.stringify(await gateway.logged(/^a stream captures/));
    assertShown(t.name, [failed, told, stdout]);
  });
});

Deno.test("a right that is missing is seen as docs/observe.md shows it", async () => {
  const config = readRights().replace('"h8s.http.>"', "");
  await using setup = await setUp([...FLAGS, "--connection-records", "off"], {
    config: `no_auth_user: workload\n${config}`,
  });
  const { gateway, nats } = setup;
  const failed = await new Access(gateway).get("/about");
  const told = JSON.stringify(await gateway.logged(/^NATS does not permit/));
  const { stdout } = await runMain(["doctor", "--nats-url", asGateway(nats.url), "--wait", "1s"]);
  assertShown("A right that is missing", [failed, told, stdout]);
});

/** A client of shop.example, and the lines that its requests leave. */
class Access {
  readonly #port: number;
  readonly #lines: AsyncIterator<string>;

  constructor(gateway: GatewayProcess) {
    this.#port = gateway.port;
    this.#lines = gateway.printed();
  }

  async next(): Promise<string> {
    return (await this.#lines.next()).value;
  }

  async get(path: string): Promise<string> {
    await rawRequest(this.#port, `GET ${path} HTTP/1.1\r\nHost: shop.example\r\n\r\n`);
    return await this.next();
  }

  async shakeHands(path: string, ...headers: string[]): Promise<Deno.TcpConn> {
    const { conn, response } = await rawHandshake(this.#port, [
      `GET ${path} HTTP/1.1`,
      ...["Host: shop.example", "Connection: Upgrade", "Upgrade: websocket"],
      ...["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="],
      ...headers,
    ]);
    assert.match(response, /^HTTP\/1.1 101 /);
    return conn;
  }
}

import assert from "node:assert/strict";
import { connect } from "@nats-io/transport";
import { SignJWT } from "jose";
import { GatewayProcess } from "../harness/gateway.ts";
import { type NatsServer, startNats } from "../harness/nats_server.ts";
import { answer, listen, natsHeaders } from "../harness/setup.ts";
import { Client } from "../harness/websocket.ts";

const SECRET = "a secret of at least 32 characters";
const KEYS = ["first-secret-key", "second-secret-key"];
const CONFIG = `
resume: 60s
persistStorage: memory
auth: none
authorizationKey: [${KEYS.join(", ")}]
jwt: { secret: ${SECRET}, query: access_token }
routes:
  - { match: { path: /open, upgrade: websocket }, auth: none }
  - { match: { path: "/key/*", upgrade: websocket }, auth: key }
  - { match: { path: /jwt, upgrade: websocket }, auth: jwt }
  - { match: { path: /asked, upgrade: websocket }, auth: authorize }
`;

interface Shown {
  readonly path: string;
  readonly bearer?: string | undefined;
  readonly protocol?: string;
}

interface Opened {
  readonly client: Client;
  readonly token: string;
  readonly isNew: boolean;
  readonly seq: number;
}

function sign(claims: Record<string, unknown>, exp = "5m"): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).setIssuedAt()
    .setExpirationTime(exp).setJti(crypto.randomUUID()).sign(new TextEncoder().encode(SECRET));
}

async function startGateway(
  nats: NatsServer,
  flags: readonly string[] = [],
): Promise<GatewayProcess> {
  const all = ["--nats-url", nats.url, "--config", "-", ...flags];
  const gateway = await GatewayProcess.start(all, { stdin: CONFIG });
  await gateway.ready();
  return gateway;
}

async function open(
  { port }: GatewayProcess,
  { path, bearer, protocol = "h8s.resume.v1" }: Shown,
  back?: string,
): Promise<Opened> {
  const client = await Client.connect(`ws://127.0.0.1:${port}${path}`, [
    protocol,
    ...(bearer === undefined ? [] : [`bearer.${bearer}`]),
    ...(back === undefined ? [] : [`h8s.resume.token${back}`]),
  ]);
  const { resume } = JSON.parse(String(await client.next()));
  return { client, ...resume };
}

Deno.test("a connection goes on only for the one who began it, asking for the same", async (t) => {
  await using nats = await startNats();
  await using gateway = await startGateway(nats);
  await using nc = await connect({ servers: nats.url });
  await answer(nc, "h8s.control.ws.authorize.>", ({ headers }) => {
    const user = (headers?.get("Authorization") ?? "").replace(/^Bearer /, "");
    const named = /^(\w+)-(\d)$/.exec(user);
    const session: [string, string][] = named === null ? [] : [["X-H8s-Session", named[1]!]];
    return { headers: natsHeaders(["Status-Code", "101"], ...session) };
  });
  const opened = await listen(nc, "h8s.control.ws.conn.established");
  const ann = { sub: "ann", role: "admin", groups: { a: 1, b: [2] } };
  const renewed = await sign({ groups: { b: [2], a: 1 }, role: "admin", sub: "ann" }, "9m");
  const jwt = (bearer: string) => ({ path: "/jwt", bearer });
  const asked = (bearer: string) => ({ path: "/asked", bearer });
  const table: [name: string, first: Shown, then: Shown, goesOn: boolean][] = [
    ["the same without a name", { path: "/open" }, { path: "/open" }, true],
    ["another query", { path: "/open?a=1" }, { path: "/open?a=2" }, false],
    [
      "another path",
      { path: "/key/a", bearer: KEYS[0] },
      { path: "/key/b", bearer: KEYS[0] },
      false,
    ],
    [
      "the same key",
      { path: "/key/a", bearer: KEYS[0] },
      { path: "/key/a", bearer: KEYS[0] },
      true,
    ],
    [
      "another key",
      { path: "/key/a", bearer: KEYS[0] },
      { path: "/key/a", bearer: KEYS[1] },
      false,
    ],
    ["a renewed token", jwt(await sign(ann)), jwt(renewed), true],
    [
      "a renewed token in the query",
      { path: `/jwt?access_token=${await sign(ann)}&a=1` },
      { path: `/jwt?access_token=${renewed}&a=1` },
      true,
    ],
    ["another subject", jwt(await sign(ann)), jwt(await sign({ ...ann, sub: "bob" })), false],
    ["other claims", jwt(await sign(ann)), jwt(await sign({ ...ann, role: "viewer" })), false],
    ["fewer claims", jwt(await sign(ann)), jwt(await sign({ sub: "ann" })), false],
    ["the session that an authorizer names", asked("ann-1"), asked("ann-2"), true],
    ["another session", asked("ann-1"), asked("bob-1"), false],
    ["what an authorizer let in", asked("x"), asked("x"), true],
    ["something else that it let in", asked("x"), asked("y"), false],
    ["a session instead of none", asked("x"), asked("x-1"), false],
  ];
  for (const [name, first, then, goesOn] of table) {
    await t.step(name, async () => {
      const begun = await open(gateway, first);
      const { reply: inbox } = await opened.next();
      const again = await open(gateway, then, `.${begun.token}.${begun.seq}`);
      assert.equal(again.isNew, !goesOn);
      nc.publish(inbox!, "for the first one");
      const { seq } = begun;
      if (goesOn) {
        await begun.client.closed;
        assert.equal(JSON.parse(String(await again.client.next())).data, "for the first one");
      } else {
        const gap = { gap: { from: seq + 1, to: null } };
        assert.deepEqual(JSON.parse(String(await again.client.next())), gap);
        assert.equal(JSON.parse(String(await begun.client.next())).data, "for the first one");
        const { reply } = await opened.next();
        nc.publish(reply!, "for the other one");
        assert.equal(JSON.parse(String(await again.client.next())).data, "for the other one");
        await begun.client.close();
      }
      await again.client.close();
    });
  }
});

Deno.test("who comes back speaks as who it is now, on any gateway", async () => {
  await using nats = await startNats();
  await using one = await startGateway(nats);
  await using other = await startGateway(nats);
  await using nc = await connect({ servers: nats.url });
  const said = await listen(nc, "h8s.ws.ws.>");
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  const first = await sign({ sub: "ann" }, "5m");
  const later = await sign({ sub: "ann" }, "9m");
  const toClaims = (token: string) => token.split(".")[1];
  const begun = await open(one, { path: "/jwt", bearer: first });
  begun.client.send("1");
  const before = await said.next();
  const again = await open(other, { path: "/jwt", bearer: later }, `.${begun.token}.${begun.seq}`);
  assert.equal(again.isNew, false);
  again.client.send("2");
  const after = await said.next();
  assert.equal(before.headers?.get("X-H8s-Claims"), toClaims(first));
  assert.equal(after.headers?.get("X-H8s-Claims"), toClaims(later));
  for (const name of ["X-H8s-Subject", "X-H8s-Connection-Id"]) {
    assert.equal(after.headers?.get(name), before.headers?.get(name));
  }
  assert.equal(after.reply, before.reply);
  await again.client.close();
  assert.equal((await closed.next()).headers?.get("X-H8s-Claims"), toClaims(later));
  await begun.client.closed;
});

Deno.test("a token that has expired ends the socket, and a newer one goes on", async () => {
  await using nats = await startNats();
  await using gateway = await startGateway(nats);
  const soon = await sign({ sub: "ann" }, "-8s");
  const begun = await open(gateway, { path: "/jwt", bearer: soon });
  assert.equal((await begun.client.closed).code, 4401);
  const later = await sign({ sub: "ann" });
  const again = await open(
    gateway,
    { path: "/jwt", bearer: later },
    `.${begun.token}.${begun.seq}`,
  );
  assert.equal(again.isNew, false);
  await again.client.close();
});

Deno.test("a token that cannot be read gets a gap, never silence", async (t) => {
  await using nats = await startNats();
  await using gateway = await startGateway(nats);
  const begun = await open(gateway, { path: "/open" });
  const { token } = begun;
  const [id, secret] = token.split(".");
  const table: [back: string, from: number][] = [
    [`.${token}`, 1],
    [`.${token}.`, 1],
    [`.${token}.x`, 1],
    [`.${token}.-1`, 1],
    [`.${token}.1e3`, 1],
    [`.${token}.9007199254740993`, 1],
    [`.${token}.0.0`, 1],
    [`.${id}`, 1],
    [`.${id}..7`, 1],
    [`.${secret}.7`, 1],
    [`.${id}.${"A".repeat(43)}.7`, 8],
    [`.${id}0.${secret}.7`, 8],
    [".", 1],
    ["", 1],
    ["s", 1],
    [".~!#$%&'*+^_`|", 1],
    [`.${"x".repeat(4000)}`, 1],
  ];
  for (const [back, from] of table) {
    await t.step(back.slice(0, 60), async () => {
      const other = await open(gateway, { path: "/open" }, back);
      assert.equal(other.isNew, true);
      assert.deepEqual(JSON.parse(String(await other.client.next())), { gap: { from, to: null } });
      await other.client.close();
    });
  }
  await begun.client.close();
});

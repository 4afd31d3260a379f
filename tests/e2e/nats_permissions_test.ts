import assert from "node:assert/strict";
import { Kvm } from "@nats-io/kv";
import { type NatsConnection, NoRespondersError } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport";
import { renderInterest, toInterestSubject } from "../../lib/mapping/interest.ts";
import { toLogin } from "../../lib/nats/client/login.ts";
import { Inbox } from "../../lib/nats/inbox.ts";
import { Records } from "../../lib/nats/jetstream/records.ts";
import { Session } from "../../lib/nats/client/session.ts";
import { serve } from "../../lib/workload/mod.ts";
import { GatewayProcess } from "../harness/gateway.ts";
import { startNats } from "../harness/nats_server.ts";
import type { LogLine } from "../harness/program.ts";
import { asGateway, readRights } from "../harness/rights.ts";
import { Client } from "../harness/websocket.ts";
import { until, within } from "../harness/waiting.ts";
import { untilState } from "../nats/waiting.ts";

const BLOCK = readRights();
const CHUNK = new Uint8Array(64 * 1024);
const PERSIST = ["--persist", "said", "--persist-storage", "memory"];
const ORDERS = `routes:
  - match: { path: /orders, methods: [POST] }
    subject: "{prefix}.ws.ws.orders"
    mode: publish
    persist: true
`;

Deno.test("the documented rights are enough: HTTP, streams, uploads, WebSockets, lists", async () => {
  await using world = await setUp(toCore(BLOCK));
  const gateway = await world.start(["--connection-records", "off"]);
  await useAll(world.nc, gateway);
  assert.equal((await gateway.admin("/readyz")).status, 200);
  assert.deepEqual(refusals(gateway), []);
});

Deno.test("the documented rights are enough for everything else", async () => {
  await using world = await setUp(BLOCK);
  const { nc, natsUrl } = world;
  await (await new Kvm(nc).create("edge")).put("h8s.yaml", `resume: 30s\n${ORDERS}`);
  const flags = [...PERSIST, "--track-interest", "--config", "nats-kv://edge/h8s.yaml"];
  const [one, two] = [await world.start(flags), await world.start(flags)];
  await one.logged("stream ready");
  for (const gateway of [one, two]) {
    await gateway.ready();
  }
  await useAll(nc, one);
  const interest = { host: "*", path: "/orders", method: "POST" } as const;
  nc.publish(toInterestSubject("register", { prefix: "h8s", host: "*" }), renderInterest(interest));
  // What is asked after it is answered after it was heard.
  await nc.request("h8s.control.ws.conn.list", "", { timeout: 2000 });
  const headers = { "idempotency-key": "1" };
  const kept = await fetch(`${one.url}/orders`, { method: "POST", body: "a book", headers });
  assert.equal(kept.status, 202, await kept.text());
  await within(resume(nc, [one, two]), "what was missed");
  await useRecords(natsUrl);
  await (await new Kvm(nc).open("edge")).put("h8s.yaml", `resume: 30s\nmaxHeaders: 50\n${ORDERS}`);
  await one.logged("configuration changed");
  assert.deepEqual([...refusals(one), ...refusals(two)], []);
});

Deno.test("a right that is missing is told, and which one to give", async (t) => {
  const rights = listRights(BLOCK).filter(({ use }) =>
    !/records|--resume|--events|nats-kv|sessions|Idempotency-Key/.test(use)
  );
  assert.ok(rights.length >= 11);
  for (const { kind, subject } of rights) {
    await t.step(`${kind} ${subject}`, async () => {
      const block = BLOCK.replace(`"${subject}" #`, "#");
      await using world = await setUp(block);
      const gateway = await world.start([
        ...PERSIST,
        "--track-interest",
        "--connection-records",
        "off",
      ]);
      const told = gateway.logged(/^NATS does not permit to (publish|subscribe) to \S+$/);
      await useAll(world.nc, gateway).catch(() => {});
      const refusal = await within(told, "the line");
      assert.equal(refusal["allow"], `the gateway's user to ${kind} ${subject}`);
      assert.equal(refusal.level, "error");
    });
  }
});

Deno.test("a gateway that may not hear its replies is not ready, until it may", async () => {
  const without = BLOCK.replace('"_INBOX.h8s.>" #', "#");
  await using world = await setUp(without);
  const gateway = await world.start(["--connection-records", "off"]);
  const { status, text } = await untilAdmin(gateway, 503);
  assert.match(text, /^NATS does not permit to subscribe to _INBOX\.h8s\./);
  assert.equal(status, 503);
  await world.reload(BLOCK);
  await untilAdmin(gateway, 200);
  await useAll(world.nc, gateway);
});

interface Right {
  readonly kind: "publish" | "subscribe";
  readonly subject: string;
  /** What it is for. */
  readonly use: string;
}

function listRights(block: string): Right[] {
  const [publish = "", subscribe = ""] = block.split("subscribe:");
  const read = (kind: Right["kind"], part: string) =>
    [...part.matchAll(/^ *"(\S+)" # (.*)$/gm)]
      .map(([, subject = "", use = ""]): Right => ({ kind, subject, use }));
  return [...read("publish", publish), ...read("subscribe", subscribe)];
}

/** Without the lines of what may be left out. */
function toCore(block: string): string {
  return block.replaceAll(/^.*# (--|connection records|nats-kv|sessions).*\n/gm, "");
}

function refusals(gateway: GatewayProcess): LogLine[] {
  return gateway.lines.filter(({ message }) => message.startsWith("NATS does not permit"));
}

async function setUp(config: string) {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats({ config }));
  const login = { user: "workload", pass: "change me, too" };
  const nc = stack.adopt(await connect({ servers: nats.url, ...login }), (nc) => nc.close());
  const natsUrl = asGateway(nats.url);
  const kept = stack.move();
  const start = async (flags: readonly string[]) => {
    const all = ["--nats-url", natsUrl, "--request-timeout", "2s", ...flags];
    const gateway = kept.use(await GatewayProcess.start(all));
    await untilHeard(nc);
    return gateway;
  };
  const reload = (config: string) => nats.reload(config);
  return { nc, natsUrl, start, reload, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function useAll(nc: NatsConnection, gateway: GatewayProcess): Promise<void> {
  await using service = serve(nc, { host: "*", websocket: {} }, async (request) => {
    if (request.method === "POST") return new Response(String((await request.bytes()).length));
    return new Response(ReadableStream.from(Array.from({ length: 40 }, () => CHUNK)));
  });
  await service.ready;
  const interest = { host: "*", path: "/", method: "ws", match: "prefix" } as const;
  const subject = toInterestSubject("register", { prefix: "h8s", host: "*" });
  nc.publish(subject, renderInterest(interest));
  const list = await nc.request("h8s.control.ws.conn.list", "", { timeout: 2000 });
  const { gateway: id } = list.json<{ gateway: string }>();
  await nc.request(`h8s.control.ws.conn.list.${id}`, "", { timeout: 2000 });
  const down = await fetch(gateway.url);
  assert.equal((await down.bytes()).length, 40 * CHUNK.length);
  const up = await fetch(gateway.url, { method: "POST", body: new Uint8Array(1_500_000) });
  assert.equal(await up.text(), "1500000");
  const established = nc.subscribe("h8s.control.ws.conn.established", { max: 1, timeout: 2000 });
  const said = nc.subscribe("h8s.ws.ws.>", { max: 1, timeout: 2000 });
  await using client = await Client.connect(`ws://127.0.0.1:${gateway.port}/chat`);
  client.send("hello");
  for await (const message of said) assert.equal(message.string(), "hello");
  for await (const { reply } of established) nc.publish(reply!, "!");
  assert.equal(await client.next(), "!");
}

/** The server may have accepted the connection and not read yet what it subscribes to. */
async function untilHeard(nc: NatsConnection): Promise<void> {
  for (let count = 0; count < 100; count++) {
    const error = await nc.request("h8s.control.ws.conn.list", "", { timeout: 300 })
      .then(() => undefined, (error: Error) => error);
    if (!(error instanceof NoRespondersError || error?.cause instanceof NoRespondersError)) return;
  }
}

/** A client comes back to the other gateway, and gets what it missed. */
async function resume(nc: NatsConnection, [one, two]: [GatewayProcess, GatewayProcess]) {
  const open = (port: number, ...back: string[]) =>
    Client.connect(`ws://127.0.0.1:${port}/chat`, ["h8s.resume.v1", ...back]);
  const established = nc.subscribe("h8s.control.ws.conn.established", { max: 1 });
  await using first = await open(one.port);
  const { resume: { token, seq } } = JSON.parse(String(await first.next()));
  let inbox = "";
  for await (const { reply } of established) inbox = reply!;
  nc.publish(inbox, "missed");
  await using again = await open(two.port, `h8s.resume.token.${token}.${seq}`);
  while (JSON.parse(String(await again.next())).data !== "missed");
}

/** As another gateway does when one has died. */
async function useRecords(natsUrl: string): Promise<void> {
  const errors: Error[] = [];
  await using session = new Session({
    login: toLogin({ natsUrl: [natsUrl] }),
    name: "test",
    onRetry: () => {},
    onError: (error) => errors.push(error),
  });
  await untilState(session, "connected");
  using inbox = new Inbox(session, "gw1");
  const records = new Records("h8s-connections", { session, inbox });
  await records.open();
  const revision = await records.put("gone.1", CHUNK.subarray(0, 1));
  await records.replace("gone.1", CHUNK.subarray(0, 2), revision);
  assert.equal((await records.get("gone.1"))?.value.length, 2);
  assert.equal((await records.list("gone.>")).length, 1);
  assert.deepEqual(await records.keys("gone.>"), ["gone.1"]);
  assert.equal(await records.claim("gone.1"), true);
  await session.flush();
  assert.deepEqual(errors, []);
}

async function untilAdmin(gateway: GatewayProcess, expected: number) {
  let answer = { status: 0, text: "" };
  const isSo = async () => (answer = await gateway.admin("/readyz")).status === expected;
  await until(isSo, `/readyz answers ${expected}`);
  return answer;
}

import { until } from "../harness/waiting.ts";
import assert from "node:assert/strict";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport";
import { GatewayProcess } from "../harness/gateway.ts";
import { type NatsServer, startNats } from "../harness/nats_server.ts";
import { listen, recordsWritten } from "../harness/setup.ts";
import { Client } from "../harness/websocket.ts";
import { Relay } from "../nats/relay.ts";

interface Welcome {
  readonly token: string;
  readonly windowMs: number;
  readonly seq: number;
  readonly isNew: boolean;
}

interface World extends AsyncDisposable {
  readonly nats: NatsServer;
  readonly nc: NatsConnection;
  readonly gateways: readonly GatewayProcess[];
}

async function setUp(count: number, flags: readonly string[] = []): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const nc = stack.adopt(await connect({ servers: nats.url }), (nc) => nc.close());
  const gateways: GatewayProcess[] = [];
  for (let index = 0; index < count; index++) {
    const all = [
      "--nats-url",
      nats.url,
      "--resume",
      "30s",
      "--persist-storage",
      "memory",
      ...flags,
    ];
    const gateway = stack.use(await GatewayProcess.start(all));
    await gateway.ready();
    gateways.push(gateway);
  }
  const all = stack.move();
  return { nats, nc, gateways, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** A client that knows how far it has come. */
class Resuming {
  welcome: Welcome | undefined;
  lastSeq = 0;
  readonly texts: string[] = [];
  readonly gaps: unknown[] = [];
  #client: Client | undefined;

  async open(port: number): Promise<Welcome> {
    const { welcome } = this;
    const back = welcome === undefined ? [] : [`h8s.resume.token.${welcome.token}.${this.lastSeq}`];
    this.#client = await Client.connect(`ws://127.0.0.1:${port}/chat`, ["h8s.resume.v1", ...back]);
    assert.equal(this.#client.protocol, "h8s.resume.v1");
    const first = JSON.parse(String(await this.#client.next()));
    this.welcome = first.resume as Welcome;
    if (this.welcome.isNew) this.lastSeq = this.welcome.seq;
    return this.welcome;
  }

  get client(): Client {
    return this.#client!;
  }

  /** Reads until it has so many texts. */
  async read(count: number): Promise<void> {
    while (this.texts.length < count) await this.readOne();
  }

  async readOne(): Promise<void> {
    const { seq, data, mark, gap } = JSON.parse(String(await this.client.next()));
    if (gap !== undefined) this.gaps.push(gap);
    else if (mark !== undefined) this.lastSeq = mark;
    else {
      assert.ok(seq > this.lastSeq, `${seq} after ${this.lastSeq}`);
      this.lastSeq = seq;
      this.texts.push(data);
    }
  }
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `n${from + index}`);
}

async function say(nc: NatsConnection, inbox: string, texts: readonly string[]): Promise<void> {
  for (const text of texts) nc.publish(inbox, text);
  await nc.flush();
}

function relayPort(relay: Relay): number {
  return Number(relay.url.split(":").at(-1));
}

Deno.test("a client whose connection broke gets what it missed, in order, once", async (t) => {
  for (const where of ["the same gateway", "another gateway"]) {
    await t.step(where, async () => {
      await using world = await setUp(where === "another gateway" ? 2 : 1);
      const { nc, gateways } = world;
      const [first, second = first] = gateways;
      const opened = await listen(nc, "h8s.control.ws.conn.established");
      const closed = await listen(nc, "h8s.control.ws.conn.closed");
      const relay = new Relay(first!.port);
      const me = new Resuming();
      const { isNew } = await me.open(relayPort(relay));
      assert.equal(isNew, true);
      const { reply: inbox } = await opened.next();
      assert.match(inbox!, /^_INBOX\.h8s\.resume\./);
      await say(nc, inbox!, numbers(0, 50));
      await me.read(30);
      const broken = me.client.closed;
      await relay[Symbol.asyncDispose]();
      await broken;
      await say(nc, inbox!, numbers(50, 100));
      const again = await me.open(second!.port);
      assert.equal(again.isNew, false);
      await say(nc, inbox!, numbers(100, 150));
      await me.read(150);
      assert.deepEqual(me.texts, numbers(0, 150));
      assert.deepEqual(me.gaps, []);
      await me.client.close(1000);
      await closed.next();
      await nc.flush();
      assert.equal(opened.all.length, 1);
      assert.equal(closed.all.length, 1);
    });
  }
});

Deno.test("a client that gives its socket up with 4499 comes back to the same connection", async () => {
  await using world = await setUp(1);
  const { nc, gateways: [gateway] } = world;
  const opened = await listen(nc, "h8s.control.ws.conn.established");
  const me = new Resuming();
  await me.open(gateway!.port);
  const { reply: inbox } = await opened.next();
  await me.client.close(4499);
  await say(nc, inbox!, numbers(0, 3));
  assert.equal((await me.open(gateway!.port)).isNew, false);
  await me.read(3);
  assert.deepEqual(me.texts, numbers(0, 3));
});

Deno.test("a client of a gateway that was killed goes on at another one", async () => {
  await using world = await setUp(2);
  const { nc, gateways: [first, second] } = world;
  const opened = await listen(nc, "h8s.control.ws.conn.established");
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  const me = new Resuming();
  await me.open(first!.port);
  const { reply: inbox } = await opened.next();
  await say(nc, inbox!, numbers(0, 50));
  await me.read(50);
  const broken = me.client.closed;
  first!.kill("SIGKILL");
  await broken;
  await say(nc, inbox!, numbers(50, 100));
  assert.equal((await me.open(second!.port)).isNew, false);
  await say(nc, inbox!, numbers(100, 120));
  await me.read(120);
  assert.deepEqual(me.texts, numbers(0, 120));
  await me.client.close(1000);
  await closed.next();
  assert.equal(opened.all.length, 1);
});

Deno.test("a client that comes too late is told, and its end was told once", async () => {
  await using world = await setUp(1, ["--resume", "300ms"]);
  const { nc, gateways: [gateway] } = world;
  const opened = await listen(nc, "h8s.control.ws.conn.established");
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  const relay = new Relay(gateway!.port);
  const me = new Resuming();
  await me.open(relayPort(relay));
  const { reply: inbox } = await opened.next();
  const broken = me.client.closed;
  await relay[Symbol.asyncDispose]();
  await broken;
  assert.equal((await closed.next()).headers?.get("X-H8s-Close-Code"), "1006");
  const again = await me.open(gateway!.port);
  assert.equal(again.isNew, true);
  await me.readOne();
  assert.equal(me.gaps.length, 1);
  const { reply: other } = await opened.next();
  assert.notEqual(other, inbox);
  await me.client.close(1000);
  await closed.next();
});

Deno.test("who does not come back after its gateway was killed is told as closed, once", async () => {
  await using world = await setUp(3, ["--resume", "1s"]);
  const { nc, gateways: [first] } = world;
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  const opened = await listen(nc, "h8s.control.ws.conn.established");
  const clients: Resuming[] = [];
  for (let index = 0; index < 5; index++) {
    const client = new Resuming();
    await client.open(first!.port);
    clients.push(client);
    await opened.next();
  }
  const broken = Promise.all(clients.map(({ client }) => client.closed));
  // A record that is still being written when its gateway dies is lost with it.
  await recordsWritten(nc, clients.length);
  first!.kill("SIGKILL");
  await broken;
  const ids = new Set<string>();
  for (let index = 0; index < clients.length; index++) {
    const { headers } = await closed.next();
    assert.equal(headers?.get("X-H8s-Close-Code"), "1006");
    ids.add(headers!.get("X-H8s-Connection-Id"));
  }
  assert.equal(ids.size, clients.length);
  await nc.flush();
  assert.equal(closed.all.length, clients.length);
});

Deno.test("an end that its gateway died of telling is told by the next one, as it was", async () => {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const nc = stack.adopt(await connect({ servers: nats.url }), (nc) => nc.close());
  const relay = stack.use(new Relay(Number(new URL(nats.url).port)));
  const start = async (natsUrl: string) =>
    stack.use(await GatewayProcess.start(["--nats-url", natsUrl, "--resume", "30s"]));
  const dying = await start(relay.url);
  await dying.ready();
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  const records = await listen(nc, "$KV.h8s-connections.resume.*");
  const me = new Resuming();
  await me.open(dying.port);
  await records.next();
  await recordsWritten(nc, 1);
  // What is asked later is answered later: now the gateway knows that it is written.
  await (await fetch(`http://127.0.0.1:${dying.port}/`)).body?.cancel();
  relay.hold();
  await me.client.close(4000, "bye");
  await records.next();
  dying.kill("SIGKILL");
  await dying.ended;
  assert.equal(closed.all.length, 0);
  const next = await start(nats.url);
  const { headers } = await closed.next();
  assert.equal(headers?.get("X-H8s-Close-Code"), "4000");
  const again = await me.open(next.port);
  assert.equal(again.isNew, true);
});

Deno.test("what the stream takes while its gateway has no NATS is heard afterwards", async () => {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const nc = stack.adopt(await connect({ servers: nats.url }), (nc) => nc.close());
  const relay = stack.use(new Relay(Number(new URL(nats.url).port)));
  const flags = ["--nats-url", relay.url, "--resume", "30s"];
  const gateway = stack.use(await GatewayProcess.start(flags));
  await gateway.ready();
  const opened = await listen(nc, "h8s.control.ws.conn.established");
  const me = new Resuming();
  await me.open(gateway.port);
  const inbox = (await opened.next()).reply!;
  await say(nc, inbox, numbers(0, 3));
  await me.read(3);
  relay.cut();
  await say(nc, inbox, numbers(3, 6));
  await gateway.logged("nats connected", 2);
  await say(nc, inbox, numbers(6, 9));
  await me.read(9);
  assert.deepEqual(me.texts, numbers(0, 9));
  assert.deepEqual(me.gaps, []);
  await me.client.close();
});

Deno.test("where somebody deletes the stream, clients hear of the gap, and go on in a new one", async () => {
  await using world = await setUp(1, ["--resume", "1s"]);
  const { nc, gateways: [gateway] } = world;
  const opened = await listen(nc, "h8s.control.ws.conn.established");
  const me = new Resuming();
  await me.open(gateway!.port);
  const { reply: inbox } = await opened.next();
  await say(nc, inbox!, numbers(0, 3));
  await me.read(3);
  await (await jetstreamManager(nc)).streams.delete("H8S_RESUME");
  await say(nc, inbox!, ["nobody hears this"]);
  while (me.gaps.length === 0) await me.readOne();
  assert.deepEqual(me.gaps, [{ from: 4, to: null }]);
  // Numbers are new.
  me.lastSeq = 0;
  await say(nc, inbox!, numbers(3, 5));
  await me.read(5);
  assert.deepEqual(me.texts, numbers(0, 5));
});

Deno.test("nobody resumes with a token that is not its own", async () => {
  await using world = await setUp(1);
  const { nc, gateways: [gateway] } = world;
  const opened = await listen(nc, "h8s.control.ws.conn.established");
  const me = new Resuming();
  const { token } = await me.open(gateway!.port);
  const { headers } = await opened.next();
  assert.equal(headers?.get("Sec-Websocket-Protocol"), "h8s.resume.v1");
  const thief = new Resuming();
  thief.welcome = {
    token: `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`,
    windowMs: 0,
    seq: 0,
    isNew: true,
  };
  assert.equal((await thief.open(gateway!.port)).isNew, true);
  await thief.client.close(1000);
  await me.client.close(1000);
});

Deno.test("who is waited for takes a place, and needs no other to come back", async (t) => {
  await using world = await setUp(2, ["--max-connections-per-address", "2"]);
  const { nc, gateways: [gateway, other] } = world;
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  const away = await Promise.all([0, 1].map(async () => {
    const relay = new Relay(gateway!.port);
    const client = new Resuming();
    await client.open(relayPort(relay));
    const broken = client.client.closed;
    await relay[Symbol.asyncDispose]();
    await broken;
    return client;
  }));
  await recordsWritten(nc, 2);
  await gateway!.measures("h8s_websockets_away", (count) => count === 2);
  const url = `ws://127.0.0.1:${gateway!.port}/chat`;
  for (const protocols of [[], ["h8s.resume.v1"], ["h8s.resume.v1", "h8s.resume.token.x"]]) {
    await t.step(`refused: ${protocols.join(", ")}`, async () => {
      await assert.rejects(Client.connect(url, protocols), /429/);
    });
  }
  await t.step("on its gateway", async () => {
    assert.equal((await away[0]!.open(gateway!.port)).isNew, false);
    assert.equal(await gateway!.metric("h8s_websockets_away"), 1);
    await assert.rejects(Client.connect(url), /429/);
  });
  await t.step("in spite of a socket that is still there", async () => {
    const previous = away[0]!.client.closed;
    assert.equal((await away[0]!.open(gateway!.port)).isNew, false);
    await previous;
  });
  await t.step("on another one, which makes room here", async () => {
    assert.equal((await away[1]!.open(other!.port)).isNew, false);
    await gateway!.measures("h8s_websockets_away", (count) => count === 0);
    await using client = await Client.connect(url);
    await assert.rejects(Client.connect(url), /429/);
    await client.close();
  });
  await t.step("until it is over", async () => {
    await away[0]!.client.close(1000);
    await closed.next();
    await closed.next();
    const clients = [await Client.connect(url), await Client.connect(url)];
    for (const client of clients) await client.close();
  });
  await away[1]!.client.close(1000);
});

Deno.test("of several who come back at once with one token none stays beside the last, and it ends once", async () => {
  await using world = await setUp(2);
  const { nc, gateways } = world;
  const opened = await listen(nc, "h8s.control.ws.conn.established");
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  const first = new Resuming();
  const { token } = await first.open(gateways[0]!.port);
  await opened.next();
  await recordsWritten(nc, 1);
  const back = ["h8s.resume.v1", `h8s.resume.token.${token}.0`];
  const opening = await Promise.allSettled(Array.from({ length: 12 }, (_, index) => {
    return Client.connect(`ws://127.0.0.1:${gateways[index % 2]!.port}/chat`, back);
  }));
  const clients = opening.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
  const all = [first.client, ...clients];
  // Who comes back while it changes hands is told to try again.
  let last: Client | undefined;
  while (last === undefined) {
    const client = await Client.connect(`ws://127.0.0.1:${gateways[0]!.port}/chat`, back);
    const heard = await Promise.race([client.next(), client.closed]);
    if (typeof heard === "string" && JSON.parse(heard).resume.isNew === false) last = client;
    else all.push(client);
  }
  const others = await Promise.all(all.map(({ closed }) => closed));
  assert.deepEqual(others.filter(({ code }) => code !== 1008 && code !== 1013), []);
  await last.close(1000);
  assert.equal((await closed.next()).headers?.get("X-H8s-Close-Code"), "1000");
  await nc.flush();
  assert.equal(closed.all.length, 1);
  assert.equal(opened.all.length, 1);
});

Deno.test("what waits for one client is bounded", async () => {
  await using world = await setUp(1, ["--resume-max-waiting", "64KiB"]);
  const { nc, gateways: [gateway] } = world;
  const opened = await listen(nc, "h8s.control.ws.conn.established");
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  const relay = new Relay(gateway!.port);
  const me = new Resuming();
  await me.open(relayPort(relay));
  const { reply: inbox } = await opened.next();
  // What it takes does not wait for it.
  await say(nc, inbox!, Array.from({ length: 80 }, () => "x".repeat(1000)));
  await me.read(80);
  const broken = me.client.closed;
  await relay[Symbol.asyncDispose]();
  await broken;
  await gateway!.measures("h8s_websockets_away", (count) => count === 1);
  await say(nc, inbox!, Array.from({ length: 60 }, () => "x".repeat(1000)));
  assert.equal(closed.all.length, 0);
  await say(nc, inbox!, ["x".repeat(10_000)]);
  const { headers } = await closed.next();
  assert.equal(headers?.get("X-H8s-Close-Code"), "1013");
  assert.equal(await gateway!.metric("h8s_websockets_resume_overflowed_total"), 1);
  assert.equal(await gateway!.metric("h8s_websockets_away"), 0);
  const { streams } = await jetstreamManager(nc);
  // nats-server tells the gateway of a message and stores it side by side: that one may outlive the purge.
  const isRemoved = async () => (await streams.info("H8S_RESUME")).state.messages <= 1;
  await until(isRemoved, "what waited is removed");
  assert.equal((await me.open(gateway!.port)).isNew, true);
  await me.readOne();
  assert.equal(me.gaps.length, 1);
  await me.client.close(1000);
});

Deno.test("what a client says after it came back is kept as well", async () => {
  await using world = await setUp(1, ["--persist", "said"]);
  const { nc, gateways: [gateway] } = world;
  const said = await listen(nc, "h8s.ws.ws.>");
  const me = new Resuming();
  for (const text of ["one", "two", "three"]) {
    await me.open(gateway!.port);
    me.client.send(text);
    assert.equal((await said.next()).string(), text);
  }
  const { streams } = await jetstreamManager(nc);
  for (let messages = 0; messages < 3;) {
    messages = (await streams.info("said")).state.messages;
    assert.equal(await gateway!.metric('h8s_persisted_messages_total{outcome="refused"}'), 0);
  }
  await me.client.close(1000);
});

Deno.test("who does not ask for it gets frames as they are", async () => {
  await using world = await setUp(1);
  const { nc, gateways: [gateway] } = world;
  const opened = await listen(nc, "h8s.control.ws.conn.established");
  await using client = await Client.connect(`ws://127.0.0.1:${gateway!.port}/chat`);
  const { reply } = await opened.next();
  assert.doesNotMatch(reply!, /resume/);
  nc.publish(reply!, "plain");
  assert.equal(await client.next(), "plain");
});

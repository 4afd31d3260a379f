import assert from "node:assert/strict";
import type { Msg } from "@nats-io/nats-core";
import {
  ConnectionClosedError,
  serve,
  type ServeErrorHook,
  type SocketConnection,
} from "../../lib/workload/mod.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { listen, natsHeaders } from "../harness/setup.ts";
import { PlayedGateway } from "./played_gateway.ts";
import { collectFailures, openPair, settle } from "./serve_fixture.ts";
import { Events } from "../harness/waiting.ts";

const PIECE = new Uint8Array(64 * 1024);
/** 256 KiB may be on their way. */
const AHEAD = 4;

Deno.test("a send waits while more than 256 KiB are on their way to the client", async () => {
  await using world = await start();
  const { conn, sent, grant } = world;
  for (let count = 0; count < AHEAD; count++) await conn.send(PIECE);
  const state = watch(conn.send(PIECE));
  for (let count = 0; count <= AHEAD; count++) world.asks.push(await sent.next());
  await world.settled();
  assert.equal(state(), "waits");
  assert.deepEqual(world.asks.map(({ headers }) => headers?.get("X-H8s-Credit")), [
    ...Array.from({ length: AHEAD + 1 }, () => "ask"),
  ]);
  // Who has taken the second one has taken the first.
  grant(world.asks[1]!);
  await world.settled();
  assert.equal(state(), "sent");
  await conn.send(PIECE);
  const next = watch(conn.send(PIECE));
  grant(world.asks[0]!);
  await world.settled();
  assert.equal(next(), "waits");
});

Deno.test("small messages ask for credit once in 64 KiB", async () => {
  await using world = await start();
  for (let count = 0; count < 130; count++) await world.conn.send("x".repeat(1024));
  const asks: number[] = [];
  for (let count = 0; count < 130; count++) {
    if ((await world.sent.next()).reply) asks.push(count);
  }
  assert.deepEqual(asks, [63, 127]);
});

Deno.test("who waits for a client that is gone is told, and who does not wait is not", async (t) => {
  const ends: [name: string, end: (world: World) => void][] = [
    ["the gateway cancels", ({ edge, asks }) =>
      edge.publish(asks[0]!.reply!, "", {
        headers: natsHeaders(["X-H8s-Cancel", "the connection is closed"]),
      })],
    ["its end is told", ({ gateway, connection }) => gateway.close(connection, 1001)],
    ["its gateway leaves", ({ gateway }) => gateway.beat("gone")],
  ];
  for (const [name, end] of ends) {
    await t.step(name, async () => {
      await using world = await start();
      const pending = Array.from({ length: AHEAD + 3 }, () => world.conn.send(PIECE));
      world.asks.push(await world.sent.next());
      end(world);
      // Those after the first are not awaited: an unhandled rejection would end the test.
      await assert.rejects(pending[AHEAD]!, ConnectionClosedError);
    });
  }
});

Deno.test("a connection that no gateway holds takes nothing", async () => {
  await using world = await start();
  world.stopListening();
  await world.settled();
  const sending = Promise.all(Array.from({ length: AHEAD + 1 }, () => world.conn.send(PIECE)));
  await assert.rejects(sending, ConnectionClosedError);
});

Deno.test("a gateway that grants nothing is waited for 30 s, and no more until it grants", async () => {
  const clock = new FakeClock();
  await using world = await start({ clock });
  const { conn, gateway, sent, grant } = world;
  /** It lives, and says nothing of credit. */
  const pass = async () => {
    for (let seconds = 0; seconds < 30; seconds += 10) {
      gateway.beat("alive");
      await world.settled();
      clock.advance(10_000);
    }
  };
  const sending = Array.from({ length: AHEAD + 1 }, () => conn.send(PIECE));
  for (let count = 0; count <= AHEAD; count++) world.asks.push(await sent.next());
  await pass();
  await Promise.all(sending);
  // Of what is sent now, one message at a time asks.
  for (let count = 0; count < 3 * AHEAD; count++) await conn.send(PIECE);
  const later: Msg[] = [];
  for (let count = 0; count < 3 * AHEAD; count++) later.push(await sent.next());
  assert.deepEqual(later.map(({ reply }) => reply !== ""), [
    true,
    ...Array(3 * AHEAD - 1).fill(false),
  ]);
  grant(later[0]!);
  await world.settled();
  const state = watch(conn.send(PIECE));
  const ask = await sent.next();
  assert.equal(state(), "waits");
  grant(ask);
  await world.settled();
  assert.equal(state(), "sent");
});

Deno.test("a handler whose client leaves while it sends has not failed", async () => {
  const failures = collectFailures();
  await using world = await start({
    onError: failures.onError,
    message: async (conn) => {
      for (let count = 0; count <= AHEAD; count++) await conn.send(PIECE);
    },
  });
  world.say("more");
  world.asks.push(await world.sent.next());
  world.gateway.close(world.connection, 1001);
  assert.equal(await world.closed.next(), 1001);
  assert.deepEqual(failures.all, []);
});

Deno.test("a gateway that does not say who it is, and a connection that can be resumed, are asked for nothing", async (t) => {
  const table: [name: string, inbox: string, headers: [string, string][]][] = [
    ["the gateway in Go", "_INBOX.h8s.G1.7", []],
    ["resumable", "_INBOX.h8s.resume.abc", [["X-H8s-Gateway-Id", "G1"]]],
  ];
  for (const [name, inbox, headers] of table) {
    await t.step(name, async () => {
      await using world = await start();
      const other = await listen(world.edge, inbox);
      const conn = await world.meet(inbox, headers);
      for (let count = 0; count < 3 * AHEAD; count++) await conn.send(PIECE);
      for (let count = 0; count < 3 * AHEAD; count++) {
        assert.equal((await other.next()).headers?.get("X-H8s-Credit"), "");
      }
    });
  }
});

type World = Awaited<ReturnType<typeof start>>;

/** A workload that has met a connection of a played gateway. */
async function start({ onError, message, clock }: {
  clock?: FakeClock;
  onError?: ServeErrorHook;
  message?: (conn: SocketConnection) => Promise<void>;
} = {}) {
  await using stack = new AsyncDisposableStack();
  const { nc, edge } = stack.use(await openPair());
  const gateway = new PlayedGateway(edge, "G1");
  await gateway.answerLists();
  const met = new Events<SocketConnection>();
  const closed = new Events<number>();
  const service = stack.use(serve(nc, {
    host: "example.com",
    ...(onError === undefined ? {} : { onError }),
    ...(clock === undefined ? {} : { clock }),
    websocket: {
      message: message ?? ((conn) => met.add(conn)),
      close: (_conn, code) => closed.add(code),
    },
  }, () => new Response()));
  await service.ready;
  const connection = gateway.connection(1);
  const sent = new Events<Msg>();
  const subscription = edge.subscribe(connection.inbox, {
    // NATS's own word that nobody hears of an event on one of its subjects.
    callback: (_, msg) => {
      if (msg.headers?.code !== 503) sent.add(msg);
    },
  });
  gateway.establish(connection);
  const say = (text: string, inbox = connection.inbox, headers = [["X-H8s-Gateway-Id", "G1"]]) =>
    edge.publish(connection.subject, text, {
      reply: inbox,
      headers: natsHeaders(
        ["Host", "example.com"],
        ["X-H8s-ReplySubject", inbox],
        ...headers as [string, string][],
      ),
    });
  const meet = (inbox?: string, headers?: string[][]) => {
    say("hello", inbox, headers);
    return met.next();
  };
  const conn = message === undefined ? await meet() : undefined!;
  const all = stack.move();
  return {
    ...{ conn, edge, gateway, connection, sent, closed, say, meet, asks: [] as Msg[] },
    stopListening: () => subscription.unsubscribe(),
    grant: ({ reply, data }: Msg) =>
      edge.publish(reply!, "", {
        headers: natsHeaders(["X-H8s-Credit", String(data.length)]),
      }),
    settled: () => settle(edge, nc),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function watch(promise: Promise<void>): () => "waits" | "sent" | "failed" {
  let state: "waits" | "sent" | "failed" = "waits";
  promise.then(() => state = "sent", () => state = "failed");
  return () => state;
}

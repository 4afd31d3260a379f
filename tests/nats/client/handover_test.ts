import assert from "node:assert/strict";
import { connect } from "@nats-io/transport";
import { toLogin } from "../../../lib/nats/client/login.ts";
import { Session } from "../../../lib/nats/client/session.ts";
import type { NatsServer } from "../../harness/nats_server.ts";
import { startCluster } from "../cluster.ts";
import { startNats } from "../../harness/nats_server.ts";
import { within } from "../../harness/waiting.ts";
import { untilState } from "../waiting.ts";

/** Moves one after the other, each with a promise of its own. */
class Moves {
  #next = Promise.withResolvers<string>();

  readonly onMove = (server: string): void => {
    this.#next.resolve(server);
    this.#next = Promise.withResolvers();
  };

  get next(): Promise<string> {
    return this.#next.promise;
  }
}

function open(
  servers: readonly string[],
  { onMove, fastLane = true }: { onMove: (server: string) => void; fastLane?: boolean },
): Session {
  return new Session({
    login: toLogin({ natsUrl: servers }),
    name: "test",
    fastLane,
    onRetry() {},
    onError() {},
    onMove,
  });
}

for (const fastLane of [true, false]) {
  const title = `Session leaves one lame duck after the other${fastLane ? "" : ", fast lane off"}`;
  Deno.test(`${title}, and hears each message once`, () => leaveTwice(fastLane));
}

async function leaveTwice(fastLane: boolean): Promise<void> {
  await using cluster = await startCluster(3);
  const [first, ...others] = cluster.servers as [NatsServer, NatsServer, NatsServer];
  const moves = new Moves();
  await using session = open([first.url], { onMove: moves.onMove, fastLane });
  await untilState(session, "connected");
  const states: string[] = [];
  session.onState((state) => states.push(state));
  const heard: number[] = [];
  session.subscribe("numbers", ({ data }) => heard.push(Number(new TextDecoder().decode(data))));
  await session.flush();

  let moved = moves.next;
  first.kill("SIGUSR2");
  const address = await within(moved, "the first move");
  const second = others.find(({ port }) => address === `127.0.0.1:${port}`)!;
  const third = others.find((server) => server !== second)!;
  const speaker = await connect({ servers: third.url });
  let last = 0;
  const timer = setInterval(() => speaker.publish("numbers", String(++last)), 1);
  moved = moves.next;
  second.kill("SIGUSR2");
  assert.equal(await within(moved, "the second move"), `127.0.0.1:${third.port}`);
  clearInterval(timer);
  await speaker.flush();
  await session.flush();
  assert.ok(last > 100);
  assert.deepEqual(heard, Array.from({ length: last }, (_, index) => index + 1));
  assert.deepEqual([states, session.reconnects], [["connected", "connected"], 0]);
  assert.equal(session.publish("numbers", new TextEncoder().encode("-1")), true);
  await session.flush();
  assert.equal(heard.at(-1), -1);
  await speaker.close();
}

Deno.test("Session stays with a lame duck when there is nowhere to go", async () => {
  await using nats = await startNats({
    jetstream: false,
    config: "lame_duck_duration: 30s, lame_duck_grace_period: 5s",
  });
  await using session = open([nats.url], {
    onMove: () => assert.fail("there is no other server"),
  });
  await untilState(session, "connected");
  const heard = Promise.withResolvers<void>();
  session.subscribe("still", () => heard.resolve());
  const speaker = await connect({ servers: nats.url });
  const told = (async () => {
    for await (const { type } of speaker.status()) if (type === "ldm") return;
  })();
  nats.kill("SIGUSR2");
  await within(told, "the lame duck");
  speaker.publish("still");
  await within(heard.promise, "a message");
  assert.equal(session.state, "connected");
  await speaker.close();
});

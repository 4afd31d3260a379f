import assert from "node:assert/strict";
import { connect } from "@nats-io/transport";
import { FakeClock } from "../harness/fake_clock.ts";
import { listen, natsHeaders } from "../harness/setup.ts";
import { serve, type Service } from "../../lib/workload/mod.ts";
import { PlayedGateway } from "./played_gateway.ts";
import { openPair, type Pair, settle } from "./serve_fixture.ts";
import { Events } from "../harness/waiting.ts";

interface Closed {
  readonly replica: number;
  readonly id: string;
  readonly code: number;
  readonly url: string;
}

Deno.test("when a gateway dies, one replica of the group closes each of its connections", async () => {
  await using pair = await openPair();
  const claims = await listen(pair.edge, "h8s.control.workload.>");
  const gateway = new PlayedGateway(pair.edge, "G1");
  await gateway.answerLists();
  await using run = await startReplicas(pair, 3);
  for (let index = 0; index < 5; index++) gateway.establish(gateway.connection(index));
  await run.settled();
  // They notice the silence one after the other, as they do in life.
  for (const clock of run.clocks) clock.advance(12_500);
  for (const clock of run.clocks) {
    clock.advance(600);
    await run.settled();
  }
  assert.equal(claims.all.length, 1, "the first one to notice tells the others");
  for (const clock of run.clocks) clock.advance(1000);
  assert.deepEqual(
    run.closed.all.map(({ id }) => id).sort(),
    [0, 1, 2, 3, 4].map((i) => `G1-${i}`),
  );
  assert.deepEqual(new Set(run.closed.all.map(({ replica }) => replica)), new Set([0]));
  const [first] = run.closed.all;
  assert.deepEqual([first?.code, first?.url], [1006, "http://example.com/chat"]);
});

Deno.test("when all notice at the same moment, still only one does it", async () => {
  await using pair = await openPair();
  const claims = await listen(pair.edge, "h8s.control.workload.>");
  const gateway = new PlayedGateway(pair.edge, "G1");
  await gateway.answerLists();
  await using run = await startReplicas(pair, 3);
  gateway.establish(gateway.connection(1));
  await run.settled();
  for (const clock of run.clocks) clock.advance(13_500);
  await run.settled();
  assert.equal(claims.all.length, 3);
  for (const clock of run.clocks) clock.advance(2000);
  assert.equal(run.closed.all.length, 1);
});

Deno.test("a gateway that tells the end of what was lost is not believed twice", async () => {
  await using pair = await openPair();
  const gateway = new PlayedGateway(pair.edge, "G1");
  await gateway.answerLists();
  await using run = await startReplicas(pair, 2);
  const [lost, next] = [gateway.connection(1), gateway.connection(2)];
  gateway.establish(lost);
  await run.settled();
  for (const clock of run.clocks) clock.advance(13_500);
  await run.settled();
  for (const clock of run.clocks) clock.advance(1000);
  assert.deepEqual(run.closed.all.map(({ id }) => id), ["G1-1"]);
  gateway.close(lost, 1013, "NATS is not connected");
  gateway.establish(next);
  gateway.close(next, 4000);
  await run.settled();
  assert.deepEqual(run.closed.all.map(({ id, code }) => [id, code]), [["G1-1", 1006], [
    "G1-2",
    4000,
  ]]);
});

Deno.test("what another gateway tells of a lost one is told once, whenever it comes", async () => {
  await using pair = await openPair();
  const gateway = new PlayedGateway(pair.edge, "G1");
  await gateway.answerLists();
  await using run = await startReplicas(pair, 3);
  const [early, amid, late] = [1, 2, 3].map((index) => gateway.connection(index));
  for (const connection of [early, amid, late]) gateway.establish(connection!);
  await run.settled();
  gateway.close(early!, 1006, "gateway lost");
  await run.settled();
  for (const clock of run.clocks) clock.advance(13_500);
  await run.settled();
  gateway.close(amid!, 1006, "gateway lost");
  await run.settled();
  assert.deepEqual(run.closed.all.map(({ id }) => id), ["G1-1", "G1-2"]);
  for (const clock of run.clocks) clock.advance(1000);
  await run.settled();
  gateway.close(late!, 1006, "gateway lost");
  await run.settled();
  assert.deepEqual(run.closed.all.map(({ id }) => id), ["G1-1", "G1-2", "G1-3"]);
});

Deno.test("a member that sees a message of a connection that it does not know serves it", async () => {
  await using pair = await openPair();
  await using run = await startReplicas(pair, 1);
  const inbox = await listen(pair.edge, "_INBOX.h8s.G9.1");
  pair.edge.publish("h8s.ws.ws.com.example.chat", "hi", {
    reply: "_INBOX.h8s.G9.1",
    headers: natsHeaders(["Host", "example.com"], ["X-H8s-Connection-Id", "G9-1"]),
  });
  assert.equal((await inbox.next()).string(), "hi");
  assert.equal(run.closed.all.length, 0);
});

interface Replicas extends AsyncDisposable {
  readonly clocks: readonly FakeClock[];
  readonly closed: Events<Closed>;
  /** Waits until every replica has what was published. */
  settled(): Promise<void>;
}

/** Replicas with a connection each, as they would run. */
async function startReplicas({ nats, edge }: Pair, count: number): Promise<Replicas> {
  await using stack = new AsyncDisposableStack();
  const closed = new Events<Closed>();
  const clocks: FakeClock[] = [];
  const connections = [edge];
  for (let replica = 0; replica < count; replica++) {
    const nc = stack.adopt(await connect({ servers: nats.url }), (nc) => nc.close());
    const clock = new FakeClock();
    const service: Service = stack.use(serve(nc, {
      ...{ host: "example.com", clock },
      websocket: {
        message: (conn, data) => void conn.send(data),
        close: ({ id, request }, code) => closed.add({ replica, id, code, url: request.url }),
      },
    }, () => new Response()));
    await service.ready;
    clocks.push(clock);
    connections.push(nc);
  }
  async function settled(): Promise<void> {
    await settle(...connections);
  }
  await settled();
  const all = stack.move();
  return { clocks, closed, settled, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

import { pause } from "../../lib/time/within.ts";
import assert from "node:assert/strict";
import type { NatsConnection } from "@nats-io/nats-core";
import { listen, setUp } from "../harness/setup.ts";
import { rawHandshake } from "../harness/websocket.ts";

const SOCKETS = 1000;
const ROUND_MS = 120;
const ROUNDS = 20;
/** Fills the system's buffers and then the gateway's, in about half of the rounds. */
const STALLED_BYTES = 600_000;
/** What two runs of the same may differ by on a machine that does other things, too. */
const NOISE = { ratio: 2, ms: 10 };

Deno.test("one client that stalls delays none of a thousand others, and is closed 1013", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const established = await listen(nc, "h8s.control.ws.conn.established");
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  await using others = await Others.connect(gateway.port);
  const inboxes: string[] = [];
  for (let index = 0; index < SOCKETS; index++) inboxes.push((await established.next()).reply!);
  const stalled = await rawHandshake(gateway.port);
  const stalledInbox = (await established.next()).reply!;

  await others.measure(nc, { inboxes, rounds: ROUNDS, onRound: () => {} });
  // By turns, so that whatever else the machine does is in both.
  const [quiet, beside] = await others.measure(nc, {
    inboxes,
    rounds: 2 * ROUNDS,
    onRound(isStalled) {
      if (isStalled) nc.publish(stalledInbox, new Uint8Array(STALLED_BYTES));
    },
  });
  const end = await closed.next();
  stalled.conn.close();
  assert.equal(end.reply, stalledInbox);
  assert.equal(end.headers?.get("X-H8s-Close-Code"), "1013");
  assert.equal(closed.all.length, 1, "nobody else was closed");
  console.log(
    `  p99 of ${SOCKETS} sockets: ${quiet.toFixed(1)} ms alone, ${beside.toFixed(1)} ms beside a ` +
      `stalled one, ratio ${(beside / quiet).toFixed(2)}`,
  );
  assert.ok(beside < quiet * NOISE.ratio + NOISE.ms, `${beside} ms instead of ${quiet} ms`);
});

/** Sockets that read at once. */
class Others implements AsyncDisposable {
  readonly #sockets: WebSocket[];
  #latencies: number[] = [];
  #onAll: (() => void) | undefined;

  private constructor(sockets: WebSocket[]) {
    this.#sockets = sockets;
    for (const socket of sockets) {
      socket.addEventListener("message", ({ data }) => {
        this.#latencies.push(performance.now() - Number(data));
        if (this.#latencies.length === SOCKETS) this.#onAll?.();
      });
    }
  }

  static async connect(port: number): Promise<Others> {
    const sockets: WebSocket[] = [];
    for (let index = 0; index < SOCKETS; index++) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/others`);
      await new Promise((resolve, reject) => {
        socket.addEventListener("open", resolve);
        socket.addEventListener("error", reject);
      });
      sockets.push(socket);
    }
    return new Others(sockets);
  }

  /**
   * Sends the time to all, round after round. Returns the 99th percentile of what it took, of the round in
   * the middle, for the rounds of either kind: a pause of the machine is in a few, what a client causes in all.
   */
  async measure(
    nc: NatsConnection,
    { inboxes, rounds, onRound }: {
      inboxes: readonly string[];
      rounds: number;
      onRound: (isOdd: boolean) => void;
    },
  ): Promise<[even: number, odd: number]> {
    const taken: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      this.#latencies = [];
      const all = new Promise<void>((resolve) => this.#onAll = resolve);
      const pace = pause(ROUND_MS);
      onRound(round % 2 === 1);
      for (const inbox of inboxes) nc.publish(inbox, String(performance.now()));
      await Promise.all([all, pace]);
      taken[round % 2 === 1 ? 1 : 0].push(percentile(this.#latencies, 0.99));
    }
    return [percentile(taken[0], 0.5), percentile(taken[1], 0.5)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sockets.map((socket) =>
      new Promise((resolve) => {
        socket.addEventListener("close", resolve);
        socket.close();
      })
    ));
  }
}

function percentile(values: number[], share: number): number {
  values.sort((a, b) => a - b);
  return values[Math.floor(values.length * share)]!;
}

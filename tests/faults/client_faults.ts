/**
 * What clients do that mean harm, or know no better: nobody else may notice.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";
import { until } from "../harness/waiting.ts";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Msg } from "@nats-io/nats-core";
import { open, rawRequest, readUntil, write } from "../harness/raw_http.ts";
import { clientFrame, HANDSHAKE, rawHandshake } from "../harness/websocket.ts";
import { type Fault, reconnectsOf, SPARES_OTHERS, sumOf } from "./fault.ts";
import type { World } from "./world.ts";

const RESET_CLIENTS = 40;
const HANDSHAKES = 40;
/** Gateways do not say when they have heard of an interest. */
const HEARD_MS = 200;
const UPLOADS = 30;
const DOWNLOADS = 12;
/** More than the system keeps for a client that does not read: 26 MB. */
const DOWNLOAD_CHUNKS = 400;
const DRIPPING_CLIENTS = 2;
const DRIPPED_BYTES = 50_000;
const FLOODED_SOCKETS = 4;
/** As above, in messages of 64 KiB. */
const FLOOD_MESSAGES = 320;
const SLOW_CONSUMER = 1013;

/** All of them. */
export const CLIENT_FAULTS: readonly Fault[] = [
  {
    name: "clients reset their connections",
    spares: SPARES_OTHERS,
    happen: (world) => forEach(RESET_CLIENTS, (client) => resetInTheMiddle(world, client)),
  },
  {
    name: "clients abandon their handshakes",
    spares: SPARES_OTHERS,
    happen: abandonHandshakes,
  },
  {
    name: "clients stop in the middle of their bodies",
    spares: SPARES_OTHERS,
    happen: (world) => forEach(UPLOADS, (client) => stopInTheMiddle(world, client)),
  },
  {
    name: "clients do not read their responses",
    spares: SPARES_OTHERS,
    happen: leaveResponsesUnread,
  },
  {
    name: "clients send bodies in chunks of one byte",
    spares: SPARES_OTHERS,
    happen: (world) => forEach(DRIPPING_CLIENTS, (client) => drip(world, client)),
  },
  {
    name: "clients do not read their WebSockets",
    spares: SPARES_OTHERS,
    happen: leaveSocketsUnread,
  },
  {
    name: "clients ask for paths that are too long for NATS",
    spares: SPARES_OTHERS,
    happen: askForLongPaths,
  },
];

async function forEach(count: number, act: (client: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, client) => act(client)));
}

/** By turns in the middle of a streamed reply, of a request's body, and of a WebSocket's life. */
async function resetInTheMiddle(world: World, client: number): Promise<void> {
  const nonce = crypto.randomUUID();
  const waitsForReply = client % 3 !== 1;
  const requests = [
    `GET /stream?nonce=${nonce} HTTP/1.1\r\nHost: reset.example.com\r\n\r\n`,
    `POST /echo?nonce=${nonce} HTTP/1.1\r\nHost: reset.example.com\r\nContent-Length: 900000\r\n\r\nbegin`,
    `${HANDSHAKE.join("\r\n")}\r\n\r\n`,
  ];
  const socket = begin(world, client, requests[client % 3]!);
  await once(socket, waitsForReply ? "data" : "ready");
  socket.resetAndDestroy();
  await once(socket, "close");
}

/** Half of them at once, half while a workload is asked about them; half by a reset (RST), half in order (FIN). */
async function abandonHandshakes(world: World): Promise<void> {
  const { nc } = world;
  const interest = { host: "asked.example.com", path: "/raw", method: "ws", handshake: true };
  const about = (verb: string) => `h8s.control.interest.${verb}.com.example.asked`;
  const questions: Msg[] = [];
  const asking = nc.subscribe("h8s.control.ws.authorize.com.example.asked", {
    callback: (_error, question) => void questions.push(question),
  });
  nc.publish(about("register"), JSON.stringify(interest));
  await nc.flush();
  await pause(HEARD_MS);
  const abandoned = () => sumOf(world, "h8s_websocket_handshakes_abandoned_total");
  const before = await abandoned();
  const asked: Socket[] = [];
  await forEach(HANDSHAKES, async (client) => {
    const isAsked = client % 2 === 0;
    const host = isAsked ? "asked.example.com" : "chat.example.com";
    const lines = HANDSHAKE.map((line) => line.startsWith("Host:") ? `Host: ${host}` : line);
    const socket = begin(world, client >> 1, `${lines.join("\r\n")}\r\n\r\n`);
    if (isAsked) asked.push(socket);
    await once(socket, "ready");
    if (!isAsked) await leave(socket, client);
  });
  const areAsked = () => questions.length >= asked.length;
  await until(areAsked, "the workload is asked about every handshake");
  await Promise.all(asked.map((socket, client) => leave(socket, client)));
  await until(
    async () => await abandoned() >= before + asked.length,
    "every abandoned handshake is noticed",
  );
  for (const question of questions) question.respond();
  nc.publish(about("unregister"), JSON.stringify(interest));
  asking.unsubscribe();
}

async function leave(socket: Socket, client: number): Promise<void> {
  const closed = once(socket, "close");
  if (client % 4 < 2) socket.resetAndDestroy();
  else socket.destroy();
  await closed;
}

/** Each is told so, after `--body-timeout`. */
async function stopInTheMiddle(world: World, client: number): Promise<void> {
  const begun = [
    "Content-Length: 100\r\n\r\nbegin",
    "Content-Length: 900000\r\n\r\nbegin",
    `Content-Length: 1900000\r\n\r\n${"x".repeat(1_200_000)}`,
    "Transfer-Encoding: chunked\r\n\r\n5\r\nbegin\r\n",
    "Transfer-Encoding: chunked\r\n\r\n100\r\nbegin",
  ];
  using conn = await open(portFor(world, client));
  const target = `/echo?nonce=${crypto.randomUUID()}`;
  await write(conn, `POST ${target} HTTP/1.1\r\nHost: e.com\r\n${begun[client % begun.length]}`);
  const head = await readUntil(conn, (text) => text.includes("\r\n\r\n"));
  if (!head.startsWith("HTTP/1.1 408 ")) {
    throw new Error(`Expected 408 for half a body (kind ${client % begun.length}), got ${head}`);
  }
}

async function leaveResponsesUnread(world: World): Promise<void> {
  const nonces = new Set<string>();
  await forEach(DOWNLOADS, async (client) => {
    const nonce = crypto.randomUUID();
    nonces.add(nonce);
    using conn = await open(portFor(world, client));
    const target = `/large?chunks=${DOWNLOAD_CHUNKS}&nonce=${nonce}`;
    await write(conn, `GET ${target} HTTP/1.1\r\nHost: e.com\r\n\r\n`);
    const isStopped = () =>
      world.reports.some((report) => report.type === "left" && report.nonce === nonce);
    await until(isStopped, "the workload stops what nobody reads");
  });
}

async function drip(world: World, client: number): Promise<void> {
  const head = `POST /echo?nonce=${crypto.randomUUID()} HTTP/1.1\r\nHost: e.com\r\n` +
    "Transfer-Encoding: chunked";
  const body = `${"1\r\nx\r\n".repeat(DRIPPED_BYTES)}0\r\n\r\n`;
  const response = await rawRequest(portFor(world, client), head, body);
  if (response.status === 200 && response.body === "x".repeat(DRIPPED_BYTES)) return;
  throw new Error(`Expected ${DRIPPED_BYTES} bytes back, got ${response.raw.slice(0, 500)}`);
}

async function leaveSocketsUnread(world: World): Promise<void> {
  const tooSlow = () =>
    world.reports.filter((report) => report.type === "closed" && report.code === SLOW_CONSUMER);
  const before = tooSlow().length;
  await using stack = new AsyncDisposableStack();
  await forEach(FLOODED_SOCKETS, async (client) => {
    const { conn } = await rawHandshake(portFor(world, client));
    stack.use(conn);
    await write(conn, clientFrame(1, `flood ${FLOOD_MESSAGES}`));
  });
  await until(
    () => tooSlow().length >= before + FLOODED_SOCKETS,
    "every client that does not read is closed with 1013",
  );
}

/** Up to the default of `max_control_line` and beyond, by HTTP, as an upload, and as a WebSocket. */
async function askForLongPaths(world: World): Promise<void> {
  const before = await reconnectsOf(world);
  const lengths = [300, 400, 450, 1000, 2000, 3000, 3500, 3600, 3700, 3800, 3900, 4000, 4100, 6000];
  for (const [client, length] of lengths.entries()) {
    const target = `/${"a".repeat(length)}?nonce=${crypto.randomUUID()}`;
    const port = portFor(world, client);
    const statuses = await Promise.all([
      rawRequest(port, `GET ${target} HTTP/1.1\r\nHost: e.com`),
      upload(port, `${target}-upload`),
      shakeHands(port, target),
    ]);
    const expected = length <= 3000
      ? ["200,200,101"]
      : length >= 4000
      ? ["414,414,414"]
      : undefined;
    const seen = statuses.map(({ status }) => status).join();
    if (expected === undefined || expected.includes(seen)) continue;
    throw new Error(`Expected ${expected} for a path of ${length} bytes, got ${seen}`);
  }
  const after = await reconnectsOf(world);
  if (String(after) !== String(before)) throw new Error("A long path cost the connection to NATS");
}

function upload(port: number, target: string) {
  const head = `POST ${target} HTTP/1.1\r\nHost: e.com\r\nContent-Length: 1500000`;
  return rawRequest(port, head, "x".repeat(1_500_000));
}

async function shakeHands(port: number, target: string): Promise<{ status: number }> {
  const lines = [`GET ${target} HTTP/1.1`, ...HANDSHAKE.slice(1)];
  const { conn, response } = await rawHandshake(port, lines);
  using _ = conn;
  const status = Number(response.split(" ")[1]);
  if (status === 101) await write(conn, clientFrame(1, "long"));
  return { status };
}

function begin(world: World, client: number, text: string): Socket {
  const socket = connect(portFor(world, client), "127.0.0.1");
  socket.on("error", () => {});
  socket.write(text);
  return socket;
}

function portFor(world: World, client: number): number {
  return Number(world.addressFor(client).split(":")[1]);
}

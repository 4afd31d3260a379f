/**
 * The same requests and conversations, directly and through gateway and reverse daemon: what client and
 * server see must be the same, byte for byte.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { connect } from "node:net";
import process from "node:process";
import { WebSocket } from "ws";
import { startReverse } from "../harness/reverse.ts";
import { Random } from "../harness/random.ts";
import { type Setup, setUp } from "../harness/setup.ts";
import { digest, FILE, startDifferentialBackend } from "./reverse_backend.ts";

const SEED = Number(process.env.H8S_SEED ?? Date.now() % 1_000_000);
const REQUESTS = 300;
const CONVERSATIONS = 200;
const AT_A_TIME = 8;

/** What a hop writes anew; `Vary` and `Content-Encoding` would be compression, which is not asked for. */
const OF_A_HOP = /^(date|connection|keep-alive|transfer-encoding|content-length)$/;

const PATHS = [
  "/plain",
  "/a%2Fb//c/",
  "//evil.example/x",
  '/it\'s/{id}/"q"',
  "/a/./b/../c",
  "/%E9/%C3%A9/%7e",
  "/a;v=1,2/@:$&+=",
  "/^`|<>",
  "/.well-known/x",
];
const QUERIES = [
  "",
  "?",
  "?a=1&a=2",
  "?x=%zz&y=%",
  "?'\"{}|^`",
  "?a?b/../c",
  "?%00=%C3",
  "?a+b%20c",
];

interface Seen {
  readonly status: number;
  readonly headers: readonly string[];
  readonly length: string | undefined;
  /** Its digest; undefined where it was cut off, since how much came before is chance. */
  readonly body: string | undefined;
}

Deno.test("300 requests are the same through the reverse daemon", async () => {
  const random = new Random(SEED);
  const requests = Array.from({ length: REQUESTS }, () => makeRequest(random));
  const differences = new Differences();
  await using world = await createWorld();
  await inParallel(requests, async ({ name, bytes, isHead }) => {
    const [direct, through] = await Promise.all([
      exchange(world.backend.port, { bytes, isHead }),
      exchange(world.setup.gateway.port, { bytes, isHead }),
    ]);
    // A server that says no length of what a HEAD does not send leaves the proxy free to say one.
    const length = direct.length === undefined ? undefined : through.length;
    differences.note(name, { through: { ...through, length }, direct });
  });
  differences.check();
});

Deno.test("200 WebSocket conversations are the same through the reverse daemon", async () => {
  const random = new Random(SEED + 1);
  const scripts = Array.from({ length: CONVERSATIONS }, () => makeScript(random));
  await using world = await createWorld();
  const { backend, setup } = world;
  const differences = new Differences();
  await inParallel(scripts, async (script, index) => {
    const [direct, through] = await Promise.all(
      [backend.port, setup.gateway.port].map(async (port, way) => {
        const id = `${index}-${way}`;
        const client = await converse(port, { script, id });
        return { ...client, backend: await backend.ends.get(id) };
      }),
    );
    differences.note(JSON.stringify(script).slice(0, 500), { through, direct });
  });
  differences.check();
});

/** All of them at once: what they have in common says where to look. */
class Differences {
  readonly #found: string[] = [];

  note(name: string, { through, direct }: { through: unknown; direct: unknown }): void {
    try {
      assert.deepEqual(through, direct);
    } catch (error) {
      this.#found.push(`${name}\n${(error as Error).message}`);
    }
  }

  check(): void {
    const count = this.#found.length;
    assert.equal(count, 0, `seed ${SEED}: ${count} differ\n${this.#found.slice(0, 5).join("\n")}`);
  }
}

interface World extends AsyncDisposable {
  readonly setup: Setup;
  readonly backend: Awaited<ReturnType<typeof startDifferentialBackend>>;
}

async function createWorld(): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const setup = stack.use(await setUp(["--max-body-size", "8MiB"]));
  const backend = stack.use(await startDifferentialBackend());
  stack.use(await startReverse({ natsUrl: setup.nats.url, port: backend.port }));
  const all = stack.move();
  return { setup, backend, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

async function inParallel<Item>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  const entries = items.entries();
  await Promise.all(Array.from({ length: AT_A_TIME }, async () => {
    for (const [index, item] of entries) await work(item, index);
  }));
}

interface RawRequest {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly isHead: boolean;
}

function makeRequest(random: Random): RawRequest {
  const { method, target, lines = [] } = makeHead(random);
  const mayHaveBody = method !== "HEAD" && random.chance(0.5);
  const length = random.pick([0, 1, 7, 1000, 70_000, 900_000, 3_000_000]);
  const body = mayHaveBody ? Buffer.alloc(length, FILE) : undefined;
  const isChunked = body !== undefined && random.chance(0.3);
  const head = [
    `${method} ${target} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Connection: close",
    "User-Agent: differential/1",
    `X-Own: ${random.pick(["1", "a, b", "caf\xe9", "\xc3\xa9", ""])}`,
    ...random.chance(0.3) ? ["Accept: */*", "Cookie: a=1; b=2", "Authorization: Basic eDp5"] : [],
    ...random.chance(0.1) ? ["TE: trailers", "Keep-Alive: timeout=5"] : [],
    ...lines,
    ...body === undefined
      ? []
      : isChunked
      ? ["Transfer-Encoding: chunked"]
      : [`Content-Length: ${body.length}`],
  ];
  const start = Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1");
  const rest = body === undefined ? [] : isChunked ? toChunks(body) : [body];
  return {
    name: `${head.join(" | ")} + ${body?.length ?? "no body"}`,
    bytes: Buffer.concat([start, ...rest]),
    isHead: method === "HEAD",
  };
}

function makeHead(
  random: Random,
): { readonly method: string; readonly target: string; readonly lines?: readonly string[] } {
  const method = random.pick(["GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
  const safe = random.pick(["GET", "HEAD"]);
  switch (random.below(12)) {
    case 0: {
      const from = random.below(200_000);
      const range = `Range: bytes=${from}-${from + random.below(50_000)}`;
      const condition = `If-None-Match: ${random.pick(['"v1"', '"v0"'])}`;
      return {
        method: safe,
        target: "/k/file",
        lines: random.pick([[], [range], [condition], [range, condition]]),
      };
    }
    case 1:
      return {
        method,
        target: `/k/status/${random.pick([200, 201, 404, 410, 418, 500, 503, 599])}`,
      };
    case 2:
      return { method, target: `/k/empty/${random.pick([204, 205, 304])}` };
    case 3:
      return { method, target: `/k/redirect/${random.pick([301, 302, 303, 307, 308])}` };
    case 4:
      return { method, target: "/k/cookies" };
    case 5:
      return { method: "GET", target: `/k/events/${random.below(30)}` };
    case 6:
      return { method: "GET", target: `/k/chunked/${random.pick([1, 50_000, 1_500_000])}` };
    case 7:
      return {
        method: safe,
        target: `/k/bytes/${random.pick([0, 1, 65_536, 1_048_576, 3_000_000])}`,
      };
    case 8:
      return { method: "GET", target: `/k/dies/${random.pick(["chunked", "counted"])}` };
    case 9:
      return { method, target: `/k/headers/${random.pick([10, 8_000, 30_000, 60_000])}` };
    default:
      return { method, target: random.pick(PATHS) + random.pick(QUERIES) };
  }
}

function toChunks(body: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let offset = 0; offset < body.length; offset += 40_000) {
    const piece = body.subarray(offset, offset + 40_000);
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n"));
  }
  return [...pieces, Buffer.from("0\r\n\r\n")];
}

async function exchange(
  port: number,
  { bytes, isHead }: { bytes: Uint8Array; isHead: boolean },
): Promise<Seen> {
  const socket = connect({ port, host: "127.0.0.1" });
  const chunks: Uint8Array[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on("data", (chunk) => chunks.push(chunk));
  // A connection that is reset is a way to be cut off.
  socket.on("error", () => {});
  socket.on("close", () => resolve());
  socket.write(bytes);
  await promise;
  return toSeen(Buffer.concat(chunks), isHead);
}

function toSeen(all: Buffer, isHead: boolean): Seen {
  let raw = all;
  // `100 Continue` and its kind are of a hop.
  while (/^HTTP\/1\.1 1\d\d/.test(raw.toString("latin1", 0, 12))) {
    raw = raw.subarray(raw.indexOf("\r\n\r\n") + 4);
  }
  const end = raw.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = raw.toString("latin1", 0, end).split("\r\n");
  const headers = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  const find = (name: string) => headers.find(([key]) => key === name)?.[1];
  const status = Number(statusLine.split(" ")[1]);
  const isBare = isHead || status === 204 || status === 304;
  const rest = raw.subarray(end + 4);
  const length = find("content-length");
  const body = find("transfer-encoding") === "chunked" && !isBare ? unchunk(rest) : rest;
  const isShort = length !== undefined && !isBare && body !== undefined &&
    body.length !== Number(length);
  return {
    status,
    headers: toLines(headers.filter(([name]) => !OF_A_HOP.test(name))),
    length: isBare ? length : undefined,
    body: body === undefined || isShort ? undefined : digest(body),
  };
}

/** Values of one name may be joined by commas (RFC 9110 §5.3), but for cookies. */
function toLines(headers: readonly (readonly [name: string, value: string])[]): string[] {
  const joined = new Map<string, string>();
  const cookies: string[] = [];
  for (const [name, value] of headers) {
    if (name === "set-cookie") cookies.push(`${name}: ${value}`);
    else joined.set(name, joined.has(name) ? `${joined.get(name)}, ${value}` : value);
  }
  return [...Array.from(joined, (entry) => entry.join(": ")).toSorted(), ...cookies];
}

/** Undefined for what has no end. */
function unchunk(bytes: Buffer): Buffer | undefined {
  const pieces: Buffer[] = [];
  for (let offset = 0;;) {
    const lineEnd = bytes.indexOf("\r\n", offset);
    if (lineEnd === -1) return undefined;
    const length = Number.parseInt(bytes.toString("latin1", offset, lineEnd), 16);
    if (length === 0) return Buffer.concat(pieces);
    const piece = bytes.subarray(lineEnd + 2, lineEnd + 2 + length);
    if (piece.length < length) return undefined;
    pieces.push(piece);
    offset = lineEnd + 4 + length;
  }
}

interface Script {
  readonly target: string;
  readonly offers: string | undefined;
  readonly messages: readonly (string | Uint8Array)[];
  /** By whom and how it ends. */
  readonly end: {
    readonly by: "client" | "backend";
    readonly code: number;
    readonly reason: string;
  };
}

const OFFERS = [
  undefined,
  "v1",
  "other, v2.x",
  "base64url.bearer.authorization.k8s.io.c2VjcmV0, v4.channel",
  "base64url.bearer.c2VjcmV0",
  "none, of, these",
];
const ENDS = [
  [1000, ""],
  [1000, "bye"],
  [1001, "away"],
  [3001, "\u20ac \u00e9"],
  [4999, "x".repeat(123)],
  [1005, ""],
  [1011, "broken"],
] as const;

function makeScript(random: Random): Script {
  const query = [
    ...random.chance(0.2) ? [`refuse=${random.pick([302, 400, 401, 403, 404, 503])}`] : [],
    ...random.chance(0.4) ? [`push=${random.below(12)}`] : [],
    random.pick(["x='%zz", "x=%C3%A9", "x={}"]),
  ].join("&");
  const [code, reason] = random.pick(ENDS);
  const by = random.pick(["client", "backend"] as const);
  const isRude = by === "client" && random.chance(0.1);
  return {
    target: `${random.pick(["/ws", "/a%2Fb//c/./d", "/it's/{id}", "/"])}?${query}`,
    offers: random.pick(OFFERS),
    messages: random.several(8, () => {
      const length = random.pick([0, 1, 125, 126, 65_535, 65_536, 200_000]);
      return random.chance(0.5) ? "\u00e9".repeat(length / 2) : FILE.subarray(0, length);
    }),
    end: isRude ? { by, code: 1006, reason: "" } : { by, code, reason },
  };
}

interface Heard {
  readonly status: number;
  readonly headers: readonly string[];
  readonly protocol?: string | undefined;
  readonly said: string;
  readonly code?: number;
  readonly reason?: string;
}

/** The library's own offer would have it refuse what is not in it; so the header goes by hand. */
function converse(port: number, { script, id }: { script: Script; id: string }): Promise<Heard> {
  const { target, offers, messages, end } = script;
  const { promise, resolve } = Promise.withResolvers<Heard>();
  const ws = new WebSocket(`ws://127.0.0.1:${port}/`, [], {
    headers: {
      Cookie: "a=1",
      ...offers === undefined ? {} : { "Sec-WebSocket-Protocol": offers },
    },
    perMessageDeflate: false,
    finishRequest(request: { path: string; end(): void }) {
      request.path = `${target}&id=${id}`;
      request.end();
    },
  });
  const said = createHash("sha256");
  let head: Pick<Heard, "status" | "headers" | "protocol"> = { status: 0, headers: [] };
  ws.on("upgrade", (response: Answer) => {
    head = { ...toHead(response, id), protocol: response.headers["sec-websocket-protocol"] };
    delete response.headers["sec-websocket-protocol"];
  });
  ws.on("unexpected-response", async (_request: unknown, response: Answer) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of response) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString().replaceAll(id, "ID");
    resolve({ ...toHead(response, id), said: text });
  });
  const expected = Number(/push=(\d+)/.exec(target)?.[1] ?? 0) + messages.length;
  let count = 0;
  const finish = () => {
    if (end.by === "backend") ws.send(`end ${end.code} ${end.reason}`.trimEnd());
    else if (end.code === 1005) ws.close();
    else if (end.code === 1006) ws.terminate();
    else ws.close(end.code, end.reason);
  };
  ws.on("open", () => {
    for (const message of messages) ws.send(message);
    if (expected === 0) finish();
  });
  ws.on("message", (data: Uint8Array, isBinary: boolean) => {
    said.update(isBinary ? "b" : "t").update(String(data.length)).update(data);
    if (++count === expected) finish();
  });
  ws.on("error", () => {});
  ws.on("close", (code: number, reason: Uint8Array) => {
    resolve({ ...head, said: said.digest("hex"), code, reason: reason.toString() });
  });
  return promise;
}

interface Answer extends AsyncIterable<Uint8Array> {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly rawHeaders: readonly string[];
}

function toHead({ statusCode, rawHeaders }: Answer, id: string): Pick<Heard, "status" | "headers"> {
  const lines = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [`${name.toLowerCase()}: ${rawHeaders[index + 1]}`.replaceAll(id, "ID")] : []
  );
  const isOfHop = (line: string) =>
    OF_A_HOP.test(line.slice(0, line.indexOf(":"))) || /^(upgrade|sec-websocket-)/.test(line);
  return { status: statusCode, headers: lines.filter((line) => !isOfHop(line)).toSorted() };
}

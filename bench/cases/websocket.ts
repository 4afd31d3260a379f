/**
 * WebSockets: messages both ways, fan-out, coming and going, and what one costs that does nothing.
 *
 * @module
 */
import type { Case, Sample, World } from "../case.ts";
import type { SocketLoad, SocketMode } from "../load/websocket.ts";
import { Child, maxSockets, Unmeasurable } from "../process.ts";
import type { Target } from "../targets.ts";

const LOAD = new URL("../load/websocket.ts", import.meta.url).pathname;
/** Every socket hears the same subject. */
const FANOUT_ROUTES = `
routes:
  - match: { path: /socket, upgrade: websocket }
    subscribe: [bench.fanout]
`;

/** Each direction in two sizes and three numbers of sockets, and the rest. */
export const socketCases: readonly Case[] = [
  ...[100, 10_000].flatMap((bytes) =>
    [1, 100, 5000].flatMap((sockets) =>
      (["in", "out"] as const).map((mode) => messages(mode, { bytes, sockets }))
    )
  ),
  socket("fanout", "one NATS message to 5000 WebSockets, 100 B", {
    mode: "fanout",
    sockets: 5000,
    bytes: 100,
    messages: 100_000,
  }),
  socket("connect", "WebSockets opened and closed, 32 at a time", { mode: "open", sockets: 1500 }),
  socket("idle-5000", "memory of an idle WebSocket among 5000", { mode: "idle", sockets: 5000 }),
  socket(
    "idle-20000",
    "memory of an idle WebSocket among 20 000, or as many as files may be open",
    { mode: "idle", sockets: 20_000 },
    1,
  ),
];

function messages(
  mode: "in" | "out",
  { bytes, sockets }: { bytes: number; sockets: number },
): Case {
  const way = mode === "in" ? "client → NATS" : "NATS → client";
  const size = bytes < 1000 ? `${bytes} B` : `${bytes / 1000} kB`;
  const title = `WebSocket ${way}, ${size}, ${sockets} socket${sockets === 1 ? "" : "s"}`;
  const count = bytes < 1000 ? 100_000 : 10_000;
  return socket(`ws-${mode}-${size.replace(" ", "")}-${sockets}`, title, {
    mode,
    bytes,
    sockets,
    messages: count,
  });
}

function socket(
  name: string,
  title: string,
  options: { mode: SocketMode; sockets: number; bytes?: number; messages?: number },
  maxRuns?: number,
): Case {
  return {
    name,
    title,
    // Another gateway has no routes.
    ...(options.mode === "fanout"
      ? { config: FANOUT_ROUTES, targets: ["bare", "h8s"] as const }
      : {}),
    ...(maxRuns === undefined ? {} : { maxRuns }),
    isFresh: options.mode === "idle",
    measure: (target, world) => measure(target, world, { bytes: 0, messages: 0, ...options }),
  };
}

async function measure(
  target: Target,
  { natsUrl, effort }: World,
  options: Pick<SocketLoad, "mode" | "sockets" | "bytes" | "messages">,
): Promise<Sample> {
  const isScaled = options.mode === "idle" || options.mode === "open";
  const wanted = Math.ceil(isScaled ? options.sockets * effort.scale : options.sockets);
  const sockets = Math.min(wanted, maxSockets());
  if (sockets < wanted * 0.9) {
    throw new Unmeasurable(`only ${sockets} may be open here (ulimit -n)`);
  }
  const load: SocketLoad = {
    ...options,
    sockets,
    messages: Math.max(sockets, options.messages * effort.scale),
    kind: target.kind === "bare" ? "bare" : "gateway",
    pid: target.pid,
    port: target.port,
    natsUrl,
  };
  await using child = new Child(Deno.execPath(), ["run", "-A", LOAD, JSON.stringify(load)]);
  const outcome: { figures: Sample } | { error: string } = JSON.parse(
    await child.nextLine((line) => line.startsWith("{")),
  );
  if ("error" in outcome) throw new Unmeasurable(outcome.error);
  const { figures } = outcome;
  return options.mode === "idle" ? { ...figures, sockets } : figures;
}

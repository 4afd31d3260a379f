/**
 * Servers that do one thing more each, from a bare `Deno.serve` to a round trip through NATS without anything of
 * the contract: `deno run --allow-net bench/load/steps.ts STEP NATS_URL` prints its port.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { toResponse as toAnswer } from "../../lib/edge/http/response.ts";
import { RequestHeads } from "../../lib/edge/request_head.ts";
import { Inbox } from "../../lib/nats/inbox.ts";
import { connected } from "./connected.ts";

/** What each does besides all that the ones before it do. */
export const STEPS = {
  serve: "`Deno.serve` alone; it reads bodies with `bytes()`",
  request: "+ header lines, address, and whether the response was taken",
  later: "+ the response comes in a later turn of the event loop",
  nats: "+ a round trip through NATS: no headers, no limits, no contract",
} as const;

type Handler = Deno.ServeHandler<Deno.NetAddr>;

const LARGE = new TextEncoder().encode("x".repeat(100_000));
const SMALL = new TextEncoder().encode("hello");
const ANSWER = {
  kind: "bare",
  status: 200,
  headers: [["content-type", "text/plain"]],
  contentLength: undefined,
  isHeadAlone: false,
  isEventStream: false,
} as const;
const NOTHING = new Uint8Array();
const heads = new RequestHeads();

function toBody({ url }: Request): Uint8Array<ArrayBuffer> {
  return url.endsWith("/large") ? LARGE : SMALL;
}

function toResponse(body: BodyInit): Response {
  return new Response(body, { headers: { "content-type": "text/plain" } });
}

/** At once where there is no body. */
const serve: Handler = (request) => {
  const response = () => toResponse(toBody(request));
  return request.method === "GET" ? response() : request.bytes().then(response);
};

function look(request: Request, { remoteAddr, completed }: Deno.ServeHandlerInfo<Deno.NetAddr>) {
  completed.then(() => {}, () => {});
  return `${remoteAddr.hostname}:${remoteAddr.port} ${heads.read(request).length}`;
}

const request: Handler = (request, info) => {
  look(request, info);
  return serve(request, info);
};

/** One wake-up for all that come in a turn, as with what comes from NATS. */
function toLater(): Handler {
  let waiting: (() => void)[] = [];
  const turn = () => {
    const ready = waiting;
    waiting = [];
    for (const resolve of ready) resolve();
  };
  return async (request, info) => {
    look(request, info);
    if (request.method !== "GET") await request.bytes();
    await new Promise<void>((resolve) => {
      if (waiting.push(resolve) === 1) setImmediate(turn);
    });
    return toResponse(toBody(request));
  };
}

async function toNats(url: string): Promise<Handler> {
  const session = await connected(url);
  const inbox = new Inbox(session, "steps");
  const ask = (path: string, body: Uint8Array) =>
    new Promise<Response>((resolve) => {
      const slot = inbox.open({
        onMessage({ data }) {
          slot.release();
          resolve(toAnswer(ANSWER, { body: data, isHead: false }));
        },
      });
      const subject = `h8s.http.GET.com.example.bench${path.replaceAll("/", ".")}`;
      session.publish(subject, body, { reply: slot.subject });
    });
  return async (request, info) => {
    look(request, info);
    const body = request.method === "GET" ? NOTHING : await request.bytes();
    return await ask(request.url.slice(request.url.indexOf("/", 8)), body);
  };
}

if (import.meta.main) {
  const [step, natsUrl = ""] = Deno.args;
  const handlers: Record<keyof typeof STEPS, () => Handler | Promise<Handler>> = {
    serve: () => serve,
    request: () => request,
    later: toLater,
    nats: () => toNats(natsUrl),
  };
  const handler = await handlers[step as keyof typeof STEPS]();
  const onListen = ({ port }: Deno.NetAddr) => console.error(`listening on ${port}`);
  Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, handler);
}

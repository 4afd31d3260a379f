/**
 * A local server to be asked directly and through the reverse daemon: what it answers follows from what
 * it is asked, and is as far as possible what it saw.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

/** A file, for ranges and conditions. */
export const FILE: Uint8Array = Buffer.alloc(300_000).map((_, index) => (index * 31) % 251);
const ETAG = '"v1"';
/** What every hop writes anew, or says of the hop before. */
const OF_A_HOP =
  /^(x-forwarded-.*|x-request-id|traceparent|tracestate|host|connection|transfer-encoding|keep-alive|content-length|te)$/;

/** How a WebSocket ended at the backend. */
export interface BackendEnd {
  readonly code: number;
  readonly reason: string;
  /** What it was told, one after another. */
  readonly heard: string;
}

/** The running server. */
export interface DifferentialBackend extends AsyncDisposable {
  readonly port: number;
  /** By the conversation's number in its query. */
  readonly ends: ReadonlyMap<string, Promise<BackendEnd>>;
}

/** Starts it. */
export async function startDifferentialBackend(): Promise<DifferentialBackend> {
  const ends = new Map<string, Promise<BackendEnd>>();
  const server = createServer((request, response) => {
    // Whoever asks may leave before it has sent everything.
    answer(request, response).catch(() => request.socket.destroy());
  });
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: 8 * 1024 * 1024,
    handleProtocols: (offered: Set<string>) => [...offered].find((name) => /^v\d/.test(name)),
  });
  sockets.on("headers", (headers: string[], { url }: IncomingMessage) => {
    headers.push("Set-Cookie: ws=1; Path=/", `X-Url: ${url}`);
  });
  server.on("upgrade", (request, socket, head) => {
    const query = new URLSearchParams(request.url?.split("?")[1]);
    const refusal = query.get("refuse");
    if (refusal !== null) return socket.end(toRefusal(request, refusal));
    sockets.handleUpgrade(request, socket, head, (ws: ServerSocket) => {
      ends.set(query.get("id") ?? "", converse(ws, query));
    });
  });
  server.listen(0, "127.0.0.1");
  const { promise, resolve } = Promise.withResolvers<void>();
  server.once("listening", () => resolve());
  await promise;
  return {
    port: (server.address() as AddressInfo).port,
    ends,
    async [Symbol.asyncDispose]() {
      const { promise, resolve } = Promise.withResolvers<void>();
      for (const ws of sockets.clients) ws.terminate();
      server.close(() => resolve());
      server.closeAllConnections();
      await promise;
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const { method, url = "", headers } = request;
  response.setHeader("x-seen", `${method} ${url.slice(0, 2000)}`);
  const [, kind, argument = ""] = /^\/k\/(\w+)(?:\/(\w+))?/.exec(url) ?? [];
  switch (kind) {
    case "file":
      return sendFile(request, response);
    case "status":
      response.writeHead(Number(argument), [["x-kind", "status"], ["content-length", "0"]].flat());
      return void response.end();
    case "empty":
      response.statusCode = Number(argument);
      return void response.end();
    case "redirect":
      response.writeHead(Number(argument), { location: "/somewhere?else=%20" });
      return void response.end("moved");
    case "cookies":
      response.setHeader("set-cookie", ["a=1; Path=/", "b=2, 3; HttpOnly", "c=; Max-Age=0"]);
      return void response.end("cookies");
    case "events":
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (let index = 0; index < Number(argument); index++) response.write(`data: ${index}\n\n`);
      return void response.end();
    case "chunked":
      for (let sent = 0; sent < Number(argument); sent += 50_000) {
        response.write(FILE.subarray(0, Math.min(50_000, Number(argument) - sent)));
      }
      return void response.end();
    case "bytes": {
      const length = Number(argument);
      response.writeHead(200, { "content-length": length, "content-type": "application/x-own" });
      return void response.end(Buffer.alloc(length, FILE));
    }
    case "dies":
      response.writeHead(200, argument === "chunked" ? {} : { "content-length": 500_000 });
      response.write(FILE.subarray(0, 100_000), () => request.socket.destroy());
      return;
    case "headers":
      response.setHeader("x-large", "v".repeat(Number(argument)));
      response.setHeader("x-latin", "caf\xe9");
      response.setHeader("vary", ["a", "b"]);
      return void response.end("headers");
  }
  const seen = Object.entries(headers).filter(([name]) => !OF_A_HOP.test(name)).toSorted();
  response.setHeader("content-type", "application/octet-stream");
  response.end(JSON.stringify({ method, url, seen, body: digest(body), length: body.length }));
}

function sendFile({ method, headers }: IncomingMessage, response: ServerResponse): void {
  response.setHeader("etag", ETAG);
  response.setHeader("accept-ranges", "bytes");
  response.setHeader("last-modified", "Tue, 01 Sep 2026 08:00:00 GMT");
  if (headers["if-none-match"] === ETAG) {
    response.statusCode = 304;
    return void response.end();
  }
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "") ?? [];
  if (from === undefined) {
    response.setHeader("content-length", FILE.length);
    return void response.end(method === "HEAD" ? undefined : FILE);
  }
  const part = FILE.subarray(Number(from), Number(to) + 1);
  const range = `bytes ${from}-${to}/${FILE.length}`;
  response.writeHead(206, { "content-range": range, "content-length": part.length });
  response.end(part);
}

interface ServerSocket {
  readonly protocol: string;
  on(event: string, listener: (...args: never[]) => void): void;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
}

/** `push`: messages at once; then echoes, and `end …` makes it end the conversation. */
function converse(ws: ServerSocket, query: URLSearchParams): Promise<BackendEnd> {
  const { promise, resolve } = Promise.withResolvers<BackendEnd>();
  const heard = createHash("sha256");
  for (let index = 0; index < Number(query.get("push") ?? 0); index++) {
    if (index % 2 === 0) ws.send(`pushed ${index}`);
    else ws.send(FILE.subarray(0, index * 1000));
  }
  ws.on("message", (data: Buffer, isBinary: boolean) => {
    heard.update(isBinary ? "b" : "t").update(String(data.length)).update(data);
    const [, code, reason] = isBinary ? [] : /^end (\d+) ?(.*)$/.exec(data.toString()) ?? [];
    if (code === undefined) ws.send(isBinary ? data : data.toString());
    else if (code === "1005") ws.close();
    else if (code === "1006") ws.terminate();
    else ws.close(Number(code), reason);
  });
  ws.on("close", (code: number, reason: Buffer) => {
    resolve({ code, reason: reason.toString(), heard: heard.digest("hex") });
  });
  return promise;
}

function toRefusal({ headers, url }: IncomingMessage, status: string): string {
  const body = `refused ${url} ${headers["sec-websocket-protocol"] ?? ""} ${headers.cookie ?? ""}`;
  return [
    `HTTP/1.1 ${status} Refused`,
    "WWW-Authenticate: Bearer realm=own",
    "Set-Cookie: r=1",
    "Set-Cookie: s=2",
    "Location: /login",
    "Content-Type: text/own",
    `Content-Length: ${body.length}`,
    "Connection: close",
    "",
    body,
  ].join("\r\n");
}

/** Of bytes. */
export function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

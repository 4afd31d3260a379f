/**
 * WebSockets of the platform alone, which count what comes and send what they are told to.
 *
 * @module
 */
import { Crowd } from "../../lib/crowd.ts";

/** One of them; in no `Set`, whose old tables would hold those that are closed. */
export class OpenSocket {
  seat: number | undefined;

  constructor(readonly socket: WebSocket) {}
}

/** Those of one server. */
export class PlainSockets {
  readonly open = new Crowd<OpenSocket>();
  received = 0;

  /** Takes a handshake. */
  upgrade(request: Request): Response {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.binaryType = "arraybuffer";
    const open = new OpenSocket(socket);
    socket.onopen = () => this.open.add(open);
    socket.onclose = () => this.open.delete(open);
    socket.onmessage = () => this.received++;
    return response;
  }

  /** What the load asks of a server that NATS tells nothing: `/received`, or `/push?rounds=…&bytes=…` to all. */
  answer({ pathname, searchParams }: URL): Response {
    if (pathname !== "/push") return new Response(String(this.received));
    const text = "x".repeat(Number(searchParams.get("bytes")));
    for (let round = Number(searchParams.get("rounds")); round > 0; round--) {
      for (const { socket } of this.open) socket.send(text);
    }
    return new Response("");
  }
}

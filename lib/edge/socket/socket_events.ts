/**
 * The events of a socket.
 *
 * @module
 */
import type { CloseInfo } from "../../mapping/close.ts";

/** What is done about each. */
export interface SocketListener {
  onOpen(): void;
  onSaid(data: string | ArrayBuffer): void;
  onClosed(end: CloseInfo): void;
  /** The platform says what went wrong; the end comes as an event of its own. */
  onSocketError(error: string): void;
  /** One of the others has thrown. */
  onThrown(error: unknown): void;
}

/** Listens to a socket. What a listener throws would end the process; it is handed on instead. */
export function listenToSocket(socket: WebSocket, listener: SocketListener): void {
  const events = new SocketEvents(listener);
  // `onopen` and its like cost one kB more for each socket.
  for (const kind of ["open", "message", "close", "error"]) socket.addEventListener(kind, events);
}

/** One object for all kinds. It lets go of the listener with the socket, which V8 may take for alive much longer. */
class SocketEvents implements EventListenerObject {
  #listener: SocketListener | undefined;

  constructor(listener: SocketListener) {
    this.#listener = listener;
  }

  handleEvent(event: Event): void {
    const listener = this.#listener;
    if (listener === undefined) return;
    try {
      this.#tell(event, listener);
    } catch (error) {
      listener.onThrown(error);
    }
  }

  #tell(event: Event, listener: SocketListener): void {
    switch (event.type) {
      case "message":
        return listener.onSaid((event as MessageEvent).data);
      case "open":
        return listener.onOpen();
      case "close": {
        const { code, reason } = event as CloseEvent;
        this.#listener = undefined;
        return listener.onClosed({ code, reason });
      }
      case "error":
        return listener.onSocketError(event instanceof ErrorEvent ? event.message : "unknown");
    }
  }
}

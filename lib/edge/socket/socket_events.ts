/**
 * The events of a socket.
 *
 * @module
 */

/** What is done about each. */
export interface SocketListeners {
  onOpen(): void;
  onMessage(event: MessageEvent): void;
  onClose(event: CloseEvent): void;
  /** The platform says what went wrong; the end comes as an event of its own. */
  onError(error: string): void;
  /** One of the others has thrown. */
  onThrown(error: unknown): void;
}

/** Listens to a socket. What a listener throws would end the process; it is handed on instead. */
export function listenToSocket(socket: WebSocket, listeners: SocketListeners): void {
  function on<K extends keyof WebSocketEventMap>(
    kind: K,
    listener: (event: WebSocketEventMap[K]) => void,
  ): void {
    // `onopen` and its like cost one kB more for each socket.
    socket.addEventListener(kind, (event) => {
      try {
        listener(event);
      } catch (error) {
        listeners.onThrown(error);
      }
    });
  }
  on("open", () => listeners.onOpen());
  on("message", (event) => listeners.onMessage(event));
  on("close", (event) => listeners.onClose(event));
  on("error", (event) => {
    listeners.onError(event instanceof ErrorEvent ? event.message : "unknown");
  });
}

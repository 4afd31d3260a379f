/**
 * Those who look at the page: one event stream each (server-sent events, WHATWG HTML §9.2).
 *
 * @module
 */

/** More than anybody needs to look at; each costs a message a second. */
const MOST_VIEWERS = 32;
/** What waits for one who reads slowly, in events; the next ones are left out. */
const MOST_WAITING = 64;

/** What each kind of event carries is up to whoever sends it: JSON. */
export interface PageEvent {
  readonly type: string;
  readonly data: unknown;
}

/** Somebody who looks. */
export interface Viewer {
  /** Random; who knows it is who opened the stream. */
  readonly id: string;
  /**
   * Sends an event; one who reads too slowly does not get it.
   *
   * @returns False when it was left out.
   */
  send(event: PageEvent): boolean;
  /** Is called once, when the viewer has gone. */
  onGone: () => void;
}

/** All who look, and what is sent to all of them. */
export class Viewers implements Disposable {
  readonly #viewers = new Map<string, Viewer & { end(): void }>();

  /** How many look. */
  get size(): number {
    return this.#viewers.size;
  }

  /**
   * Finds who opened a stream.
   *
   * @param id From that stream.
   * @returns The viewer; undefined when there is none, or no more.
   */
  find(id: string): Viewer | undefined {
    return this.#viewers.get(id);
  }

  /**
   * Opens a stream.
   *
   * @param onOpen Told of the viewer, before anything is sent.
   * @returns The response; undefined when there are too many already.
   */
  open(onOpen: (viewer: Viewer) => void): Response | undefined {
    if (this.#viewers.size >= MOST_VIEWERS) return undefined;
    const id = crypto.randomUUID();
    const gone = () => {
      const viewer = this.#viewers.get(id);
      if (this.#viewers.delete(id)) viewer?.onGone();
    };
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const viewer = {
          id,
          onGone: () => {},
          send: (event: PageEvent) => {
            if (!this.#viewers.has(id) || (controller.desiredSize ?? 0) <= 0) return false;
            controller.enqueue(encode(event));
            return true;
          },
          end: () => {
            gone();
            controller.close();
          },
        };
        this.#viewers.set(id, viewer);
        onOpen(viewer);
      },
      cancel: gone,
    }, { highWaterMark: MOST_WAITING });
    return new Response(body, {
      // The last: nginx would keep it all until the end.
      headers: { "content-type": "text/event-stream", "x-accel-buffering": "no" },
    });
  }

  /**
   * Sends an event to all.
   *
   * @param event It is encoded once.
   */
  broadcast(event: PageEvent): void {
    for (const viewer of this.#viewers.values()) viewer.send(event);
  }

  /** Ends all streams. */
  [Symbol.dispose](): void {
    for (const viewer of this.#viewers.values()) viewer.end();
  }
}

/** JSON has no line break of its own, which is what would end an event. */
function encode({ type, data }: PageEvent): Uint8Array {
  return new TextEncoder().encode(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
}

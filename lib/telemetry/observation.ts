/**
 * What happened to a request or a WebSocket, and who is told: the one place where the access log, traces, and
 * the admin page learn of it.
 *
 * @module
 */
import type { OnFault } from "./faults.ts";

/**
 * One request, or one WebSocket with its handshake. It is filled as things become known, and complete when
 * {@link Observer.end} is told; then it never changes again, and may be kept.
 */
export interface Observation {
  readonly kind: "http" | "websocket";
  /** When it began, in milliseconds since 1970. */
  readonly time: number;
  /** The client's IP address. */
  readonly client: string;
  readonly method: string;
  readonly scheme: "http" | "https";
  /** The authority that was asked for; as the client wrote it where that could not be read. */
  readonly host: string;
  /** As the client wrote it. */
  readonly path: string;
  /** Without `?`, and without what may be a credential. */
  readonly query: string;
  /** Known once its headers are read. */
  readonly userAgent: string | undefined;
  readonly requestId: string;
  /** The trace that it belongs to: before its message is made only where a trusted proxy says so. */
  readonly traceparent: string | undefined;
  /** Goes with a trusted proxy's {@link traceparent}. */
  readonly tracestate: string | undefined;
  /** Where its messages go; undefined where it has not become known. */
  readonly subject: string | undefined;
  /** The pattern of its route; undefined for the convention. */
  readonly route: string | undefined;
  /** 101 for a WebSocket; 499 for a client that did not wait. */
  readonly status: number;
  /** Why the gateway itself answered; undefined where it did not. */
  readonly error: string | undefined;
  /** How it ended, as its close subject says it; `refused` where no workload was asked. */
  readonly end: string;
  /** Of bodies, and of a WebSocket's messages. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** From the request to the head of the response. */
  readonly firstByteMs: number;
  /** From the request to the end of all. */
  readonly durationMs: number;
  /** What only a WebSocket has. */
  readonly socket: SocketObservation | undefined;
}

/** What happened to a WebSocket besides. */
export interface SocketObservation {
  readonly connectionId: string;
  readonly messagesIn: number;
  readonly messagesOut: number;
  /** As it is told in the closed event; 1006 for one that never opened. */
  readonly closeCode: number;
  /** The client may have chosen it. */
  readonly closeReason: string;
}

/** Who wants to know. What it throws is logged, and hurts nobody else. */
export interface Observer {
  /**
   * A request came; nothing is known yet but what it says itself.
   *
   * @returns What is told how it goes on; undefined where one waits for the end alone.
   */
  begin?(observation: Observation): Following | undefined;
  /** It is over. */
  end?(observation: Observation): void;
}

/** Follows one request, or one WebSocket. */
export interface Following {
  /**
   * It is known where it goes: `subject` and `route` are there.
   *
   * @returns The `traceparent` that the workload gets instead of the gateway's own.
   */
  admitted?(observation: Observation): string | undefined;
  /** The message is published, or the head of one whose body follows. */
  sent?(observation: Observation): void;
  /** A workload takes a body that follows its head; and all of it is sent. */
  uploading?(observation: Observation): void;
  uploaded?(observation: Observation): void;
  /** The first chunk of a streamed response came. */
  chunk?(observation: Observation): void;
  /** The head of the response is known: `status` is there. */
  answered?(observation: Observation): void;
  /** It is over, as {@link Observer.end} says; whoever observes only since then is not told here. */
  end?(observation: Observation): void;
}

/** All who want to know. They may come and go while requests are under way. */
export class Observers {
  readonly #onFault: OnFault;
  #all: readonly Observer[] = [];

  constructor(onFault: OnFault) {
    this.#onFault = onFault;
  }

  /** Where nobody is there, nothing is made for anybody. */
  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  /** Joins; dispose of the result to leave. */
  add(observer: Observer): Disposable {
    this.#all = [...this.#all, observer];
    return {
      [Symbol.dispose]: () => {
        this.#all = this.#all.filter((other) => other !== observer);
      },
    };
  }

  begin(observation: Observation): readonly Following[] {
    const following: Following[] = [];
    for (const observer of this.#all) {
      const one = this.#try(() => observer.begin?.(observation));
      if (one !== undefined) following.push(one);
    }
    return following;
  }

  /** Tells those who follow it; the last that says something has the word. */
  tell(
    step: keyof Following,
    following: readonly Following[],
    observation: Observation,
  ): string | undefined {
    let word: string | undefined;
    for (const one of following) word = this.#try(() => one[step]?.(observation)) ?? word;
    return word;
  }

  end(observation: Observation): void {
    for (const observer of this.#all) this.#try(() => observer.end?.(observation));
  }

  #try<T>(task: () => T): T | undefined {
    try {
      return task();
    } catch (error) {
      this.#onFault("observer", error);
      return undefined;
    }
  }
}

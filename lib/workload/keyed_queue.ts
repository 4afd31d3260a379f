/**
 * Tasks of one key one after another, those of different keys side by side.
 *
 * @module
 */

/** Something to do in its turn. It must not reject. */
export type QueueTask = () => Promise<void>;

interface Queue {
  readonly tasks: { readonly task: QueueTask; readonly bytes: number }[];
  bytes: number;
}

/** The queues that have something to do; the others take no memory. */
export class KeyedQueue {
  readonly #maxBytes: number;
  readonly #queues = new Map<string, Queue>();
  #onIdle: (() => void)[] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Appends a task to a queue.
   *
   * @param task What to do, after all that was appended before.
   * @param bytes What it holds while it waits; 0 for what must not be refused.
   * @returns False when the queue is full; the task will not run.
   */
  add(key: string, task: QueueTask, bytes = 0): boolean {
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = { tasks: [], bytes: 0 };
      this.#queues.set(key, queue);
      queue.tasks.push({ task, bytes });
      queue.bytes = bytes;
      void this.#work(key, queue);
      return true;
    }
    if (bytes > 0 && queue.bytes + bytes > this.#maxBytes) return false;
    queue.tasks.push({ task, bytes });
    queue.bytes += bytes;
    return true;
  }

  /** Resolves when no queue has anything to do. */
  idle(): Promise<void> {
    if (this.#queues.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  async #work(key: string, queue: Queue): Promise<void> {
    for (let next = queue.tasks.shift(); next !== undefined; next = queue.tasks.shift()) {
      await next.task();
      queue.bytes -= next.bytes;
    }
    this.#queues.delete(key);
    if (this.#queues.size > 0) return;
    const listeners = this.#onIdle;
    this.#onIdle = [];
    for (const listener of listeners) listener();
  }
}

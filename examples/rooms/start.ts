/**
 * The worker's wiring: what comes over NATS, and who takes it.
 *
 * @module
 */
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { createRegistry, type ListenOptions, Router, serve } from "@h8s/gateway/workload";
import { createPages } from "./pages.ts";
import { People } from "./people.ts";
import { Rooms } from "./rooms.ts";
import { openStreams } from "./streams.ts";
import { Subjects } from "./subjects.ts";
import { Transcript } from "./transcript.ts";

/** How often rooms are told who is here though nothing changed: pages take silence for trouble. */
const BEAT_MS = 10_000;

/** A pull's end, in milliseconds: so soon it is noticed that a stream had to be made anew. */
const PULL = { expires: 2000 };

/** What the worker needs to know. */
export interface StartOptions {
  /** The first tokens of every subject, as the gateway has them. */
  readonly prefix: string;
  /** Told of everything that goes wrong. */
  readonly onError: (error: unknown) => void;
}

/**
 * Starts to work.
 *
 * @param nc A connection to NATS; it stays the caller's.
 * @param options What the worker needs to know.
 * @returns Stops it; what is begun is finished first.
 * @throws {Error} when JetStream is off, or the streams cannot be made.
 */
export async function startWork(
  nc: NatsConnection,
  { prefix, onError }: StartOptions,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const subjects = new Subjects(prefix);
  const manager = await openJetStream(nc);
  const { said, users, transcriptId } = await openStreams(manager, subjects);
  onReconnect(nc, () => openStreams(manager, subjects)).catch(onError);
  const transcript = new Transcript(manager, subjects);
  const people = stack.use(await People.open(manager.jetstream(), { subjects, onError }));
  const parts = { nc, subjects, transcript, transcriptId, people, onError };
  const rooms = stack.use(new Rooms(parts));

  const service = stack.use(serve(nc, { host: "*", prefix, onError }, createPages(parts)));
  await service.ready;

  // Tells of those who are connected already, too: a worker that was away greets everybody.
  stack.use(
    await createRegistry(nc, {
      prefix,
      onError,
      onOpen: (connection) => rooms.enter(connection),
      onClose: (connection) => rooms.leave(connection),
    }),
  );
  const beat = setInterval(() => rooms.announceAll(), BEAT_MS);
  stack.defer(() => clearInterval(beat));

  const router = new Router<Uint8Array>()
    .add(subjects.allSaid, (message) => rooms.say(message))
    .add(subjects.postUsers, (message) => rooms.rename(message));
  // What clients get wrong is refused and done with. What throws is NATS: never give a message up.
  const options: ListenOptions = { maxDeliver: Number.MAX_SAFE_INTEGER, onError };
  stack.use(router.listen(await said.consume(PULL), options));
  stack.use(router.listen(await users.consume(PULL), options));
  return stack.move();
}

async function openJetStream(nc: NatsConnection): Promise<JetStreamManager> {
  try {
    return await jetstreamManager(nc);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot use JetStream: ${reason}. Start it with: nats-server -js`, { cause });
  }
}

/** A stream in memory does not outlive nats-server; ends with the connection. */
async function onReconnect(nc: NatsConnection, react: () => Promise<unknown>): Promise<void> {
  for await (const { type } of nc.status()) {
    if (type === "reconnect") await react();
  }
}

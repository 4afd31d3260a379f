/**
 * A connection to NATS by the gateway's own lane.
 *
 * @module
 */
import { Session } from "../../lib/nats/client/session.ts";

/**
 * Connects.
 *
 * @param url Of nats-server.
 * @returns The session, once it is connected.
 */
export async function connected(url: string): Promise<Session> {
  const onError = (error: Error) => console.error(error);
  const session = new Session({
    login: { servers: [url] },
    name: "steps",
    onRetry: onError,
    onError,
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  session.onState((state) => state === "connected" && resolve());
  await promise;
  return session;
}

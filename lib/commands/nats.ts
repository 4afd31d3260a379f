/**
 * One connection to NATS, for as long as a question takes.
 *
 * @module
 */
import { splitNatsUrl } from "../mapping/nats_url.ts";
import { toRefusal } from "../nats/client/dial.ts";
import type { Login } from "../nats/client/login.ts";
import { Session } from "../nats/client/session.ts";

/** A question that cannot be answered; the message says why. */
export class AskError extends Error {
  /** Always `"AskError"`. */
  override readonly name = "AskError";

  constructor(
    message: string,
    readonly mend: string,
    readonly kind: "nats" | "tls" | "login" | "rights",
  ) {
    super(message);
  }
}

/** A connection, and what NATS has complained of. */
export interface OpenNats extends AsyncDisposable {
  readonly session: Session;
  readonly errors: readonly Error[];
}

/**
 * Connects, once.
 *
 * @throws {AskError} when there is none.
 */
export async function openNats(login: Login): Promise<OpenNats> {
  const errors: Error[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const session = new Session({
    ...{ login, name: "h8s-question", fastLane: false },
    onRetry: (error) => reject(toAskError(error, login)),
    onError: (error) => errors.push(error),
  });
  session.onState((state) => state === "connected" && resolve());
  try {
    await promise;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
  return { session, errors, [Symbol.asyncDispose]: () => session[Symbol.asyncDispose]() };
}

function toAskError(error: Error, { servers }: Login): AskError {
  const where = servers.map((url) => splitNatsUrl(url).address).join(", ");
  if (toRefusal(error) !== undefined) {
    const mend = "say who you are: --nats-url nats://USER:PASSWORD@HOST, --nats-creds FILE or so";
    return new AskError(`NATS at ${where} refuses the login: ${error.message}`, mend, "login");
  }
  const isTls = /tls|certificate|handshake|ssl/i.test(`${error.message} ${error.cause ?? ""}`);
  if (isTls) {
    const mend = "name who signed it: --nats-ca FILE; or use the name that it is for";
    return new AskError(`NATS at ${where} and TLS: ${error.message}`, mend, "tls");
  }
  const mend = "start one with `nats-server -js`, or name it: --nats-url nats://HOST:4222";
  return new AskError(`Cannot reach NATS at ${where}: ${error.message}`, mend, "nats");
}

/**
 * Several nats-servers that pass messages on to each other.
 *
 * @module
 */
import { connect } from "@nats-io/transport";
import { freePort } from "../harness/free_port.ts";
import { type NatsServer, startNats } from "../harness/nats_server.ts";

/** Ended together. */
export interface Cluster extends AsyncDisposable {
  readonly servers: readonly NatsServer[];
}

/**
 * Starts a cluster and waits until each member hears each other one. A lame duck of it waits for 5 s
 * before it closes connections.
 *
 * @param size How many members.
 * @param options `jetstream`: keep streams, too; three members at least. `config`: what else a member's
 * configuration says.
 * @returns The running cluster.
 */
export async function startCluster(
  size: number,
  { jetstream = false, config: more = () => "" }: {
    jetstream?: boolean;
    config?: (index: number) => string;
  } = {},
): Promise<Cluster> {
  await using stack = new AsyncDisposableStack();
  const ports = Array.from({ length: size }, () => freePort());
  const routes = ports.map((port) => `"nats://127.0.0.1:${port}"`).join(", ");
  const servers: NatsServer[] = [];
  for (const [index, port] of ports.entries()) {
    const config = `server_name: s${index}
      cluster { name: c, listen: "127.0.0.1:${port}", routes: [${routes}] }
      lame_duck_duration: 30s, lame_duck_grace_period: 5s
      ${more(index)}`;
    servers.push(stack.use(await startNats({ jetstream, config })));
  }
  for (const from of servers) for (const to of servers) await untilHeard(from, to);
  const all = stack.move();
  return { servers, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

async function untilHeard(from: NatsServer, to: NatsServer): Promise<void> {
  const [speaker, listener] = [
    await connect({ servers: from.url }),
    await connect({
      servers: to.url,
    }),
  ];
  const heard = Promise.withResolvers<void>();
  listener.subscribe("heard", { callback: () => heard.resolve() });
  await listener.flush();
  const timer = setInterval(() => speaker.publish("heard"), 10);
  await heard.promise;
  clearInterval(timer);
  await speaker.close();
  await listener.close();
}

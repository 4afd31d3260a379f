import assert from "node:assert/strict";
import { Kvm } from "@nats-io/kv";
import { connect } from "@nats-io/transport";
import type { GatewayOptions } from "../../../lib/config/options.ts";
import { toLogin } from "../../../lib/nats/client/login.ts";
import { ConfigWatch } from "../../../lib/nats/jetstream/config_watch.ts";
import type { Log } from "../../../lib/telemetry/log.ts";
import { startNats } from "../../harness/nats_server.ts";

/** As docs/operations.md says. */
const RIGHTS = `
  publish: ["$JS.API.STREAM.MSG.GET.KV_edge", "$JS.API.CONSUMER.CREATE.KV_edge.>"]
  subscribe: ["_INBOX.>"]`;
const CONFIG = `authorization: { users: [
  { user: admin, password: admin }
  { user: edge, password: edge, permissions: { ${RIGHTS} } }
] }`;

Deno.test("ConfigWatch reads and follows with the rights that the documentation asks for", async () => {
  await using nats = await startNats({ config: CONFIG });
  const login = (user: string) => nats.url.replace("//", `//${user}:${user}@`);
  await using stack = new AsyncDisposableStack();
  const nc = stack.adopt(
    await connect({ servers: nats.url, user: "admin", pass: "admin" }),
    (nc) => nc.close(),
  );
  const kv = await new Kvm(nc).create("edge");
  await kv.put("h8s.yaml", "prefix: a\n");

  const { log, lines } = keepLines();
  const source = { kind: "nats-kv", bucket: "edge", key: "h8s.yaml" } as const;
  const watch = stack.use(
    await ConfigWatch.open(source, { login: toLogin({ natsUrl: [login("edge")] }), log }),
  );
  assert.deepEqual(watch.written?.options, { prefix: "a" });
  const versions = new Versions();
  watch.follow(({ options }) => versions.push(options));
  await kv.put("h8s.yaml", "prefix: b\n");
  assert.deepEqual(await versions.next(), { prefix: "b" });
  await stack.disposeAsync();
  assert.deepEqual(lines, []);
});

class Versions {
  readonly #unread: GatewayOptions[] = [];
  #wake = Promise.withResolvers<void>();

  push(options: GatewayOptions): void {
    this.#unread.push(options);
    this.#wake.resolve();
  }

  async next(): Promise<GatewayOptions | undefined> {
    await this.#wake.promise;
    this.#wake = Promise.withResolvers();
    return this.#unread.shift();
  }
}

function keepLines(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  const keep = (message: string, fields?: object) => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
  };
  return { log: { debug: keep, info: keep, warn: keep, error: keep }, lines };
}

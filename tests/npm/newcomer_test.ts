/**
 * What somebody has who has followed the documents from an empty folder into production: the app of
 * docs/install.md on Node 22, from the packed tarball; two gateways; nginx with the file of deploy/ in front.
 *
 * A page that loses nothing when its gateway is killed is in tests/browser/client_test.ts, a tab that serves in
 * tests/browser/tab_test.ts.
 *
 * @module
 */
import assert from "node:assert/strict";
import { readDocuments } from "../docs/blocks.ts";
import { askFrom } from "../harness/ask_from.ts";
import { startBehindProxy } from "../harness/behind_proxy.ts";
import { startNats } from "../harness/nats_server.ts";
import { proxyTest } from "../harness/proxy.ts";
import { until } from "../harness/waiting.ts";
import { installPackage } from "./install_package.ts";
import { findRuntimes } from "./runtimes.ts";

const HOST = { Host: "localhost" };

await proxyTest("nginx", "a Hono app on Node outlives the restart of both gateways", async () => {
  await using nats = await startNats({ jetstream: false });
  await using app = await startApp(nats.url);
  await using behind = await startBehindProxy("nginx", nats.url);
  const { url } = behind.proxy;
  const askFor = (address: string) =>
    askFrom(address, url, { ...HOST, "X-Forwarded-For": "6.6.6.6" });
  const isThere = async () => !(await askFor("127.0.0.9")).includes("no_responders");
  await until(isThere, "the app serves");

  assert.equal(await askFor("127.0.0.9"), "Hello 127.0.0.9, 127.0.0.1\n");
  const { asked, failed } = await behind.restartUnder(async (client) => {
    const address = `127.0.1.${client + 1}`;
    const text = await askFrom(address, url, HOST);
    return text === `Hello ${address}, 127.0.0.1\n` ? undefined : text;
  });
  assert.deepEqual(failed, []);
  console.log(`${asked} requests, none lost`);
  assert.equal(await app.stop(), 0);
});

/** The file of the documents, in an empty folder, with NATS where it is. */
async function startApp(natsUrl: string) {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "h8s-newcomer-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  await installPackage(folder);
  const blocks = readDocuments().flatMap(({ blocks }) => blocks);
  const { text } = blocks.find(({ file }) => file === "app.mjs")!;
  await Deno.writeTextFile(
    `${folder}/app.mjs`,
    text.replace("nats://127.0.0.1:4222", natsUrl),
  );
  const node = (await findRuntimes()).find(({ name }) => name === "node@22")!;
  const process = new Deno.Command(node.command, { args: ["app.mjs"], cwd: folder, stdin: "null" })
    .spawn();
  let isEnding = false;
  const stop = async () => {
    if (!isEnding) process.kill("SIGTERM");
    isEnding = true;
    return (await process.status).code;
  };
  stack.defer(async () => void await stop());
  const own = stack.move();
  return { stop, [Symbol.asyncDispose]: () => own[Symbol.asyncDispose]() };
}

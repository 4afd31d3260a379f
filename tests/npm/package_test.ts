import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { startGateway } from "../../lib/mod.ts";
import { Certificate } from "../harness/certificate.ts";
import { outliveAll } from "../client/real/outlive.ts";
import { freePort } from "../harness/free_port.ts";
import { startNats } from "../harness/nats_server.ts";
import { Client } from "../harness/websocket.ts";
import { installPackage } from "./install_package.ts";
import { findRuntimes, run, type Runtime } from "./runtimes.ts";

const JOURNEY = new URL("../client/real/journey.js", import.meta.url).href;
const CONSUMER = new URL("consumer/", import.meta.url).pathname;
/** Larger than any NATS message. */
const UPLOAD_BYTES = 20 * 1024 * 1024;
/** `serve` is no number. */
const WRONG =
  `import { serve } from "@h8s/gateway/workload";\nexport const wrong: number = serve;\n`;

const runtimes = await findRuntimes();
const folder = await install();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

/** What somebody has who installs the package: the tarball, and nothing of this repository. */
async function install(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "h8s-consumer-" });
  const tools = [`typescript@${Deno.version.typescript}`, "@types/node@22", "esbuild@0.28"];
  await installPackage(folder, tools);
  for await (const { name } of Deno.readDir(CONSUMER)) {
    await Deno.copyFile(`${CONSUMER}${name}`, `${folder}/${name}`);
  }
  return folder;
}

for (const runtime of runtimes) {
  Deno.test(`the package serves a Hono app, a stream, an upload and WebSockets in ${runtime.name}`, async () => {
    await using nats = await startNats({ jetstream: false });
    await using app = await startApp(runtime, nats.url);
    await using gateway = startGateway({
      listen: "127.0.0.1:0",
      natsUrl: [nats.url],
      maxBodySize: "32MiB",
      logLevel: "error",
    });
    await gateway.connected;
    const url = `http://127.0.0.1:${gateway.address.port}`;
    const get = async (path: string) => await (await fetch(url + path)).text();
    assert.equal(await get("/"), "hello");
    assert.equal(await get("/stream"), "line 1\nline 2\nline 3\n");
    assert.equal(await get("/others"), `[true,"function"]`);

    const body = new Uint8Array(UPLOAD_BYTES).map((_, index) => index);
    const uploaded = await fetch(`${url}/upload`, { method: "POST", body });
    let sum = 0;
    for (const byte of body) sum = (sum * 31 + byte) % 65_521;
    assert.deepEqual(await uploaded.json(), { bytes: UPLOAD_BYTES, sum });

    await using client = await Client.connect(`${url.replace("http", "ws")}/chat`);
    assert.equal(await client.next(), "welcome");
    client.send("text");
    assert.equal(await client.next(), "text");
    client.send(Uint8Array.of(0, 255));
    assert.deepEqual(await client.next(), Uint8Array.of(0, 255));
    assert.equal(await get("/connections"), `["/chat"]`);
    await client.close();
    assert.equal((await app.stop()).code, 0);
  });
}

for (const runtime of runtimes) {
  Deno.test(`the package trusts whom it is told to, over TLS and wss://, in ${runtime.name}`, async () => {
    await using certificate = await Certificate.create();
    const { certFile, keyFile } = certificate;
    const tls = `tls { cert_file: "${certFile}", key_file: "${keyFile}" }`;
    const port = freePort();
    const config = `${tls}\nwebsocket { port: ${port}, ${tls} }`;
    await using nats = await startNats({ jetstream: false, config });
    for (const url of [`nats://localhost:${nats.port}`, `wss://localhost:${port}`]) {
      const args = [...runtime.args, "trust.ts", url, certFile];
      const printed = await run(runtime.command, { cwd: folder, args });
      assert.equal(printed, "connected\nnot trusted\n", url);
    }
  });
}

Deno.test("a client in Node 22 outlives all that breaks", async (t) => {
  await outliveAll(t, async (way) => {
    const args = ["travel.ts", JOURNEY, JSON.stringify(way)];
    return JSON.parse(await run(runtimes[0]!.command, { cwd: folder, args }));
  });
});

Deno.test("the package's types hold in a strict TypeScript project", async () => {
  await Deno.writeTextFile(`${folder}/wrong.ts`, WRONG);
  const strict = [
    "--noEmit",
    "--strict",
    "--target",
    "es2022",
    "--types",
    "node",
    "--pretty",
    "false",
  ];
  const check = async (how: string) => {
    const module = ["--module", how === "bundler" ? "esnext" : how, "--moduleResolution", how];
    const args = ["node_modules/typescript/bin/tsc", ...strict, ...module, "app.ts", "wrong.ts"];
    const options = { cwd: folder, args, stderr: "inherit" } as const;
    const { stdout } = await new Deno.Command(runtimes[0]!.command, options).output();
    assert.match(new TextDecoder().decode(stdout), /^wrong\.ts\(2,14\): error TS2322: .*\n$/, how);
  };
  await Promise.all(["nodenext", "bundler"].map(check));
});

Deno.test("the package can be bundled for a page, without anything of Node", async () => {
  const bundle = await run(`${folder}/node_modules/.bin/esbuild`, {
    cwd: folder,
    args: ["page.ts", "--bundle", "--format=esm", "--platform=browser", "--log-level=warning"],
  });
  assert.doesNotMatch(bundle, /\bfrom "node:|require\("node:|import\("node:/);
});

Deno.test("the package says so at once in a Node that is too old", async () => {
  const older = `Object.defineProperty(process.versions, "node", { value: "20.19.0" })`;
  const args = ["--import", `data:text/javascript,${older}`, "page.ts"];
  const outcome = run(runtimes[0]!.command, { cwd: folder, args });
  await assert.rejects(outcome, /Node 20\.19\.0: expected Node 22 or newer/);
});

Deno.test("the package holds nothing that only Deno has", async () => {
  const found = await run("sh", {
    cwd: `${folder}/node_modules/@h8s/gateway`,
    args: ["-c", `grep -rlE '^[^*/]*\\bDeno\\.' --include=*.js . || true`],
  });
  assert.equal(found, "");
});

/** The consumer's program, when it serves. */
async function startApp(
  { command, args }: Runtime,
  natsUrl: string,
): Promise<AsyncDisposable & { stop(): Promise<Deno.CommandStatus> }> {
  const process = new Deno.Command(command, {
    args: [...args, "app.ts", natsUrl],
    cwd: folder,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = createInterface({ input: Readable.from(process.stdout) });
  const isReady = await lines[Symbol.asyncIterator]().next();
  const stop = () => {
    process.kill("SIGTERM");
    return process.status;
  };
  assert.equal(isReady.value, "ready");
  let status: Promise<Deno.CommandStatus> | undefined;
  return {
    stop: () => status ??= stop(),
    async [Symbol.asyncDispose]() {
      await (status ??= stop());
      lines.close();
    },
  };
}

import assert from "node:assert/strict";
import { connect, type IncomingHttpHeaders } from "node:http2";
import { connect as dial } from "node:tls";
import { connect as connectNats } from "@nats-io/transport";
import { startGateway } from "../../lib/mod.ts";
import { Certificate } from "../harness/certificate.ts";
import { GatewayProcess } from "../harness/gateway.ts";
import { startNats } from "../harness/nats_server.ts";
import { runMain } from "../harness/program.ts";
import { answer, listen } from "../harness/setup.ts";

Deno.test("https: workloads learn of it, and cookies are for it alone", async () => {
  await using setup = await setUp();
  const { nc, url, client } = setup;
  await answer(nc, "h8s.http.>", ({ headers }) => ({
    data: `${headers?.get("X-Forwarded-Proto")} ${headers?.get("X-H8s-Original-Host")}`,
  }));
  const response = await fetch(url, { client });
  assert.equal(await response.text(), `https ${new URL(url).host}`);
  assert.match(response.headers.get("set-cookie") ?? "", /^__Host-clientId=.*; Secure/);
});

Deno.test("HTTP/2 is spoken over ALPN, and its authority is the host", async () => {
  await using setup = await setUp();
  const { nc, url, ca } = setup;
  const { host } = new URL(url);
  await answer(nc, "h8s.http.>", ({ subject, headers }) => ({
    data: `${subject} ${headers?.get("X-H8s-Original-Host")} ${headers?.get("X-Forwarded-Proto")}`,
  }));
  await using session = openHttp2(url, ca);
  const [status, text] = await session.get("/a/b");
  assert.deepEqual([status, text], [200, `h8s.http.GET.localhost.a.b ${host} https`]);
  const other = await session.get("/a", { ":authority": "shop.example.com" });
  assert.match(other[1], /^h8s\.http\.GET\.com\.example\.shop\.a shop\.example\.com https$/);
  // As in HTTP/1.1, two that differ could be two answers to who is asked (RFC 9113 §8.3.1).
  const both = { ":authority": host, host: "another.example.com" };
  assert.equal((await session.get("/a", both))[0], 400);
});

Deno.test("wss: a message reaches the workload", async () => {
  await using setup = await setUp();
  const { nc, url, client } = setup;
  const said = await listen(nc, "h8s.ws.>");
  // Not all of the types that are checked with know this parameter of Deno's.
  const options = { client } as unknown as string[];
  const socket = new WebSocket(url.replace("https", "wss"), options);
  const { promise: opened, resolve, reject } = Promise.withResolvers<void>();
  const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
  socket.addEventListener("open", () => resolve());
  socket.addEventListener("error", (event) => reject(new Error((event as ErrorEvent).message)));
  await opened;
  socket.send("hello");
  let text = "";
  while (text !== "hello") text = (await said.next()).string();
  socket.close();
  await closed;
});

Deno.test("whoever speaks plain HTTP to it gets no answer", async () => {
  await using setup = await setUp();
  await assert.rejects(fetch(setup.url.replace("https", "http")));
});

Deno.test("the program reads a certificate that stands in its YAML", async () => {
  await using certificate = await Certificate.create();
  const key = await Deno.readTextFile(certificate.keyFile);
  const stdin = JSON.stringify({ tlsCert: certificate.ca, tlsKey: key });
  await using gateway = await GatewayProcess.start(["--config", "-"], { stdin, connected: false });
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const options = { host: "localhost", port: gateway.port, ca: certificate.ca };
  const socket = dial({ ...options, ALPNProtocols: ["h2"] }, () => resolve(socket.alpnProtocol));
  socket.on("error", reject);
  assert.equal(await promise, "h2");
  socket.destroy();
});

Deno.test("a certificate that cannot be used is one line, exit 2", async (t) => {
  await using one = await Certificate.create();
  await using other = await Certificate.create();
  const foreign = await Deno.readTextFile(other.keyFile);
  const none = "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n";
  const table: [title: string, options: Record<string, string>, expected: RegExp][] = [
    ["no key", { tlsCert: one.ca }, /^h8s: standard input:1:12: tlsCert: expected .* together\n$/],
    [
      "no certificate",
      { tlsKey: foreign },
      /^h8s: standard input:1:11: tlsKey: expected .* together\n$/,
    ],
    [
      "another's key",
      { tlsCert: one.ca, tlsKey: foreign },
      /^h8s: standard input:1:\d+: tlsKey: .*another's\n$/,
    ],
    [
      "no key in PEM",
      { tlsCert: one.ca, tlsKey: one.ca },
      /^h8s: standard input:1:\d+: tlsKey: .*\n$/,
    ],
    ["no PEM", { tlsCert: none, tlsKey: foreign }, /^h8s: standard input:1:12: tlsCert: .*\n$/],
  ];
  for (const [title, options, expected] of table) {
    await t.step(title, async () => {
      const stdin = JSON.stringify({ ...options, listen: "127.0.0.1:0" });
      const { code, stderr } = await runMain(["--config", "-"], { stdin });
      assert.match(stderr, expected);
      assert.equal(code, 2);
    });
  }
});

/** A gateway that speaks TLS, in this process, and a client that trusts it. */
async function setUp() {
  await using stack = new AsyncDisposableStack();
  const certificate = stack.use(await Certificate.create());
  const nats = stack.use(await startNats({ jetstream: false }));
  const nc = stack.adopt(await connectNats({ servers: nats.url }), (nc) => nc.close());
  const gateway = stack.use(startGateway({
    natsUrl: [nats.url],
    listen: "127.0.0.1:0",
    tlsCert: certificate.certFile,
    tlsKey: certificate.keyFile,
    session: {},
    logLevel: "error",
  }));
  await gateway.connected;
  const { ca } = certificate;
  const client = stack.use(Deno.createHttpClient({ caCerts: [ca] }));
  const all = stack.move();
  const url = `https://localhost:${gateway.address.port}/`;
  return { nc, url, ca, client, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

function openHttp2(url: string, ca: string) {
  const session = connect(url, { ca });
  const get = async (
    path: string,
    headers: IncomingHttpHeaders = {},
  ): Promise<[number, string]> => {
    const stream = session.request({ ":path": path, ...headers });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    stream.on("response", (headers) => resolve(Number(headers[":status"])));
    stream.on("error", reject);
    const status = await promise;
    let text = "";
    for await (const chunk of stream.setEncoding("utf8")) text += chunk;
    return [status, text];
  };
  const close = () => new Promise<void>((resolve) => session.close(() => resolve()));
  return { get, [Symbol.asyncDispose]: close };
}

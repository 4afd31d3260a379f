import assert from "node:assert/strict";
import { ConfigFileError } from "../../lib/config/options.ts";
import { parseSource, readSource, type TextSource, toSourceName } from "../../lib/config/source.ts";

Deno.test("parseSource() tells the kinds apart, and refuses what nobody could trust", async (t) => {
  const table: [text: string, expected: unknown][] = [
    ["-", { kind: "stdin" }],
    ["h8s.yaml", { kind: "file", path: "h8s.yaml" }],
    ["./-", { kind: "file", path: "./-" }],
    ["/etc/h8s.yaml", { kind: "file", path: "/etc/h8s.yaml" }],
    ["C:\\h8s.yaml", { kind: "file", path: "C:\\h8s.yaml" }],
    ["https://a/b", { kind: "url", url: new URL("https://a/b") }],
    ["http://127.0.0.1:1/b", { kind: "url", url: new URL("http://127.0.0.1:1/b") }],
    ["http://[::1]/b", { kind: "url", url: new URL("http://[::1]/b") }],
    ["http://localhost/b", { kind: "url", url: new URL("http://localhost/b") }],
    ["http://example.com/b", /expected https, or http on this machine/],
    ["http://127.0.0.1.example.com/", /expected https/],
    ["nats-kv://edge/h8s.yaml", { kind: "nats-kv", bucket: "edge", key: "h8s.yaml" }],
    ["nats-kv://edge/a/b=c", { kind: "nats-kv", bucket: "edge", key: "a/b=c" }],
    ["nats-kv://edge", /nats-kv:\/\/BUCKET\/KEY/],
    ["nats-kv://edge/", /expected FILE/],
    ["nats-kv://ed.ge/a", /expected FILE/],
    ["nats-kv://edge/a.*", /expected FILE/],
    ["nats-kv://edge/.a", /expected FILE/],
    ["ftp://a/b", /expected FILE, -, https:\/\/HOST\/PATH or nats-kv/],
    ["file:///etc/h8s.yaml", /expected FILE/],
    ["https://", /expected FILE/],
  ];
  for (const [text, expected] of table) {
    await t.step(text, () => {
      if (expected instanceof RegExp) {
        assert.throws(() => parseSource(text), { name: "ConfigFileError", message: expected });
      } else assert.deepEqual(parseSource(text), expected);
    });
  }
});

Deno.test("toSourceName() leaves out a login and a query", () => {
  assert.equal(toSourceName(parseSource("https://ann:secret@a/b?token=c")), "https://a/b");
});

Deno.test("readSource() fetches, as far as it may", async (t) => {
  await using server = serve((request) => {
    const { pathname } = new URL(request.url);
    const to = (location: string) => new Response(null, { status: 302, headers: { location } });
    switch (pathname) {
      case "/login":
        return new Response(`# ${request.headers.get("authorization")}`);
      case "/moved":
        return to("/text");
      case "/away":
        return to("http://example.com/");
      case "/file":
        return to("file:///etc/passwd");
      case "/circle":
        return to("/circle");
      case "/large":
        return new Response("#".repeat(2 ** 20 + 1));
      case "/bytes":
        return new Response(Uint8Array.of(0xff));
      case "/text":
        return new Response("prefix: ü");
      default:
        return new Response("no", { status: 404 });
    }
  });
  const table: [path: string, expected: string | RegExp][] = [
    ["/text", "prefix: ü"],
    ["/moved", "prefix: ü"],
    ["/nowhere", /^Cannot read http:\/\/127\.0\.0\.1:\d+\/nowhere: the server answered 404$/],
    ["/away", /expected https, or http on this machine$/],
    ["/file", /expected https/],
    ["/circle", /more than 5 redirects$/],
    ["/large", /larger than 1048576 bytes$/],
    ["/bytes", /Cannot read/],
  ];
  for (const [path, expected] of table) {
    await t.step(path, async () => {
      const reading = readSource(toText(`http://127.0.0.1:${server.port}${path}`));
      if (typeof expected === "string") return assert.equal(await reading, expected);
      await assert.rejects(reading, { name: "ConfigFileError", message: expected });
    });
  }
  await t.step("with a login", async () => {
    const url = `http://ann:s%20@127.0.0.1:${server.port}/login`;
    assert.equal(await readSource(toText(url)), `# Basic ${btoa("ann:s ")}`);
  });
});

Deno.test("readSource() says when nobody is there", async () => {
  const { port } = await serve(() => new Response()).end();
  const reading = readSource(toText(`http://127.0.0.1:${port}/`));
  await assert.rejects(reading, ConfigFileError);
});

function serve(handler: (request: Request) => Response) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
  const { port } = server.addr;
  const end = async () => {
    await server.shutdown();
    return { port };
  };
  return { port, end, [Symbol.asyncDispose]: () => server.shutdown() };
}

function toText(url: string): TextSource {
  const source = parseSource(url);
  assert.ok(source.kind === "url");
  return source;
}

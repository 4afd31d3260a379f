import assert from "node:assert/strict";
import fc from "fast-check";
import { type Forwarding, fromClient, fromProxy } from "../../lib/mapping/forwarding.ts";

const TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

function read(headers: Record<string, string>): Forwarding {
  const all = new Headers(headers);
  const header = (name: string) => all.get(name);
  return fromProxy(
    { address: "10.0.0.1", scheme: "http", header },
    (address) => address.startsWith("10."),
  );
}

Deno.test("fromClient() believes nothing", () => {
  const forwarding = fromClient("192.0.2.7", "http");
  assert.deepEqual(forwarding, {
    isProxied: false,
    clientAddress: "192.0.2.7",
    scheme: "http",
    host: undefined,
    forwardedFor: "192.0.2.7",
    requestId: undefined,
    traceparent: undefined,
    tracestate: undefined,
  });
});

Deno.test("fromProxy() takes the right-most address that is no proxy's", async (t) => {
  const table: [xForwardedFor: string, client: string][] = [
    ["192.0.2.7", "192.0.2.7"],
    ["6.6.6.6, 192.0.2.7", "192.0.2.7"],
    ["6.6.6.6, 192.0.2.7, 10.0.0.3, 10.0.0.2", "192.0.2.7"],
    ["10.0.0.9, 10.0.0.2", "10.0.0.9"],
    ["[2001:db8::7]:80", "2001:db8::7"],
    ["6.6.6.6, nonsense", "10.0.0.1"],
    ["6.6.6.6, unknown, 10.0.0.2", "10.0.0.2"],
    ["", "10.0.0.1"],
  ];
  for (const [list, client] of table) {
    await t.step(list, () => {
      assert.equal(read({ "x-forwarded-for": list }).clientAddress, client);
    });
  }
});

Deno.test("fromProxy() appends the proxy to what it says", () => {
  assert.equal(
    read({ "x-forwarded-for": "6.6.6.6, 192.0.2.7" }).forwardedFor,
    "6.6.6.6, 192.0.2.7, 10.0.0.1",
  );
  assert.equal(read({}).forwardedFor, "10.0.0.1");
});

Deno.test("fromProxy() takes scheme and host from the nearest proxy", async (t) => {
  const table: [headers: Record<string, string>, scheme: string, host: string | undefined][] = [
    [{}, "http", undefined],
    [{ "x-forwarded-proto": "https" }, "https", undefined],
    [{ "x-forwarded-proto": "WSS" }, "https", undefined],
    [{ "x-forwarded-proto": "https, http" }, "http", undefined],
    [{ "x-forwarded-proto": "gopher" }, "http", undefined],
    [{ "x-forwarded-host": "shop.example:8443" }, "http", "shop.example:8443"],
    [{ "x-forwarded-host": "evil.example, shop.example" }, "http", "shop.example"],
    [{ "x-forwarded-host": "" }, "http", undefined],
  ];
  for (const [headers, scheme, host] of table) {
    await t.step(JSON.stringify(headers), () => {
      const forwarding = read(headers);
      assert.deepEqual([forwarding.scheme, forwarding.host], [scheme, host]);
    });
  }
});

Deno.test("fromProxy() reads Forwarded (RFC 7239) where no X-Forwarded-* is there", async (t) => {
  const table: [value: string, client: string, scheme: string, host: string | undefined][] = [
    ["for=192.0.2.7;proto=https;host=shop.example", "192.0.2.7", "https", "shop.example"],
    ['For="[2001:db8::7]:4711"', "2001:db8::7", "http", undefined],
    ["for=6.6.6.6;host=evil, for=192.0.2.7;host=shop.example", "192.0.2.7", "http", "shop.example"],
    ["for=192.0.2.7;proto=https, for=10.0.0.2;proto=http", "192.0.2.7", "https", undefined],
    ['for=192.0.2.7;host="a\\"b, for=6.6.6.6"', "192.0.2.7", "http", 'a"b, for=6.6.6.6'],
    [
      ' FOR = 192.0.2.7 ; Proto="HTTPS" , for="10.0.0.2:80";proto=http',
      "192.0.2.7",
      "https",
      undefined,
    ],
    ["for=192.0.2.7;;host=shop.example,", "10.0.0.1", "http", undefined],
    // What a client leaves open swallows what the proxies behind it say: nothing can be told.
    ['for=6.6.6.6;x=", for=192.0.2.7', "10.0.0.1", "http", undefined],
    ['for=6.6.6.6;x="\\, for="[2001:db8::7]"', "10.0.0.1", "http", undefined],
    ["for=6.6.6.6, for=unknown", "10.0.0.1", "http", undefined],
    ["proto=https", "10.0.0.1", "http", undefined],
    ["", "10.0.0.1", "http", undefined],
  ];
  for (const [value, client, scheme, host] of table) {
    await t.step(value, () => {
      const { clientAddress, ...rest } = read({ forwarded: value });
      assert.deepEqual([clientAddress, rest.scheme, rest.host], [client, scheme, host]);
    });
  }
  await t.step("not where X-Forwarded-For is", () => {
    const headers = { "x-forwarded-for": "192.0.2.7", "forwarded": "for=6.6.6.6;host=evil" };
    assert.deepEqual([read(headers).clientAddress, read(headers).host], ["192.0.2.7", undefined]);
  });
});

Deno.test("fromProxy() keeps the request's id and trace where they are well-formed", async (t) => {
  const table: [headers: Record<string, string>, expected: (string | undefined)[]][] = [
    [{ "x-request-id": "a-1" }, ["a-1", undefined, undefined]],
    [{ "x-request-id": 'a"b c' }, [undefined, undefined, undefined]],
    [{ "x-request-id": "a".repeat(129) }, [undefined, undefined, undefined]],
    [{ traceparent: TRACE, tracestate: "v=1" }, [undefined, TRACE, "v=1"]],
    [{ traceparent: `ff${TRACE.slice(2)}`, tracestate: "v=1" }, [undefined, undefined, undefined]],
    [{ tracestate: "v=1" }, [undefined, undefined, undefined]],
  ];
  for (const [headers, expected] of table) {
    await t.step(JSON.stringify(headers), () => {
      const { requestId, traceparent, tracestate } = read(headers);
      assert.deepEqual([requestId, traceparent, tracestate], expected);
    });
  }
});

Deno.test("whatever a client sends through a proxy, its own address is found", () => {
  const made = fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom("10.0.0.9", "x", "")));
  fc.assert(fc.property(made, (made) => {
    const list = [...made, "192.0.2.7"].join(", ");
    assert.equal(read({ "x-forwarded-for": list }).clientAddress, "192.0.2.7");
  }));
});

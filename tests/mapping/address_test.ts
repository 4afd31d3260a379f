import assert from "node:assert/strict";
import fc from "fast-check";
import { parseNetwork, parseNode, toClientKey, toPlainAddress } from "../../lib/mapping/address.ts";

Deno.test("parseNetwork() reads addresses and CIDR", async (t) => {
  const table: [text: string, expected: unknown][] = [
    ["10.0.0.0/8", ["10.0.0.0", "ipv4", 8]],
    ["192.0.2.1", ["192.0.2.1", "ipv4", 32]],
    ["0.0.0.0/0", ["0.0.0.0", "ipv4", 0]],
    ["2001:db8::/32", ["2001:db8::", "ipv6", 32]],
    ["::1", ["::1", "ipv6", 128]],
    ["10.0.0.0/33", undefined],
    ["::/129", undefined],
    ["10.0.0/8", undefined],
    ["10.0.0.0/", undefined],
    ["10.0.0.0/-1", undefined],
    ["fe80::1%eth0", undefined],
    ["example.com", undefined],
    ["", undefined],
  ];
  for (const [text, expected] of table) {
    await t.step(text, () => {
      const network = parseNetwork(text);
      const found = network && [network.address, network.family, network.prefixLength];
      assert.deepEqual(found, expected);
    });
  }
});

Deno.test("toPlainAddress() writes an IPv4 client of an IPv6 socket as IPv4", () => {
  assert.equal(toPlainAddress("::ffff:192.0.2.1"), "192.0.2.1");
  assert.equal(toPlainAddress("192.0.2.1"), "192.0.2.1");
  assert.equal(toPlainAddress("2001:db8::1"), "2001:db8::1");
});

Deno.test("parseNode() reads the addresses that proxies write", async (t) => {
  const table: [text: string, address: string | undefined][] = [
    ["192.0.2.1", "192.0.2.1"],
    ["192.0.2.1:8080", "192.0.2.1"],
    ["2001:db8::1", "2001:db8::1"],
    ["[2001:db8::1]", "2001:db8::1"],
    ["[2001:db8::1]:443", "2001:db8::1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["unknown", undefined],
    ["_hidden", undefined],
    ["example.com", undefined],
    ["192.0.2", undefined],
    ["192.0.2.1:x", undefined],
    ["[192.0.2.1", undefined],
    ["", undefined],
  ];
  for (const [text, address] of table) {
    await t.step(text, () => assert.equal(parseNode(text), address));
  }
});

Deno.test("toClientKey() takes a whole /64 for one client", async (t) => {
  const table: [one: string, other: string, isSame: boolean][] = [
    ["192.0.2.1", "192.0.2.1", true],
    ["192.0.2.1", "192.0.2.2", false],
    ["2001:db8::1", "2001:db8::2", true],
    ["2001:db8::1", "2001:0db8:0:0:ffff:1:2:3", true],
    ["2001:db8::1", "2001:DB8::1", true],
    ["2001:db8:0:1::1", "2001:db8::1", false],
    ["::1", "::2", true],
    ["1::", "::1", false],
  ];
  for (const [one, other, isSame] of table) {
    await t.step(`${one} ${other}`, () => {
      assert.equal(toClientKey(one) === toClientKey(other), isSame);
    });
  }
});

Deno.test("toClientKey() looks at the first 64 bits, however they are written", () => {
  const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
  const network = fc.array(group, { minLength: 4, maxLength: 4 });
  fc.assert(fc.property(network, network, network, (network, host, other) => {
    const write = (groups: string[]) =>
      new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
    const key = toClientKey(write([...network, ...host]));
    assert.equal(toClientKey([...network, ...other].join(":")), key);
    assert.equal(key, `${network.join(":")}::/64`);
  }));
});

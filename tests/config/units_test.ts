import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Address,
  doAddressesOverlap,
  parseAddress,
  parseDurationMs,
  parseRate,
  parseSizeBytes,
} from "../../lib/config/units.ts";

Deno.test("parseDurationMs() reads milliseconds, seconds, minutes and hours", async (t) => {
  const table: [text: string, ms: number][] = [
    ["0s", 0],
    ["1ms", 1],
    ["0.5ms", 0.5],
    ["500ms", 500],
    ["5s", 5000],
    ["1.5s", 1500],
    ["1m", 60_000],
    ["1.5h", 5_400_000],
    ["24h", 86_400_000],
    ["007s", 7000],
  ];
  for (const [text, ms] of table) {
    await t.step(text, () => assert.equal(parseDurationMs(text), ms));
  }
});

Deno.test("parseDurationMs() takes nothing else for a duration", async (t) => {
  const table = [
    "",
    "5",
    "s",
    "5 s",
    " 5s",
    "5s ",
    "5S",
    "5d",
    "-5s",
    "+5s",
    ".5s",
    "5.s",
    "1e3ms",
  ];
  table.push("1,5s", "1m30s", "0x5s", "5s\n", "Infinitys", "NaNs", "soon", "٥s");
  for (const text of table) {
    await t.step(JSON.stringify(text), () => assert.equal(parseDurationMs(text), undefined));
  }
});

Deno.test("parseSizeBytes() reads binary and decimal units", async (t) => {
  const table: [text: string, bytes: number][] = [
    ["0B", 0],
    ["1B", 1],
    ["64KiB", 65_536],
    ["2MiB", 2_097_152],
    ["1GiB", 1_073_741_824],
    ["64kB", 64_000],
    ["2MB", 2_000_000],
    ["1GB", 1_000_000_000],
    ["1.5KiB", 1536],
    ["2 MiB", 2_097_152],
  ];
  for (const [text, bytes] of table) {
    await t.step(text, () => assert.equal(parseSizeBytes(text), bytes));
  }
});

Deno.test("parseSizeBytes() takes nothing else for a size", async (t) => {
  const table = [
    "",
    " ",
    "B",
    "0",
    "2097152",
    "-1",
    "+1",
    ".5MiB",
    "1e3",
    "0x10",
    "1K",
    "1KB",
    "1mib",
    "1TiB",
  ];
  table.push("1  B", " 1B", "1B ", "1B\n", "1,5MiB", "Infinity", "large");
  for (const text of table) {
    await t.step(JSON.stringify(text), () => assert.equal(parseSizeBytes(text), undefined));
  }
});

Deno.test("parseSizeBytes() gives whole bytes, since a part of one cannot be sent", () => {
  const unit = fc.constantFrom("B", "KiB", "MiB", "GiB", "kB", "MB", "GB");
  const number = fc.double({ min: 0, max: 1000, noNaN: true }).map((value) => value.toFixed(3));
  fc.assert(fc.property(number, unit, (value, unit) => {
    assert.ok(Number.isSafeInteger(parseSizeBytes(value + unit)), value + unit);
  }));
});

Deno.test("parseAddress() reads names, IPv4 and bracketed IPv6", async (t) => {
  const table: [text: string, address: Address][] = [
    ["0.0.0.0:8080", { hostname: "0.0.0.0", port: 8080 }],
    ["127.0.0.1:0", { hostname: "127.0.0.1", port: 0 }],
    ["localhost:1", { hostname: "localhost", port: 1 }],
    ["a.b-c.example:65535", { hostname: "a.b-c.example", port: 65_535 }],
    ["[::1]:8080", { hostname: "::1", port: 8080 }],
    ["[2001:DB8::1]:443", { hostname: "2001:DB8::1", port: 443 }],
    ["[::ffff:1.2.3.4]:80", { hostname: "::ffff:1.2.3.4", port: 80 }],
    [":8080", { hostname: "0.0.0.0", port: 8080 }],
  ];
  for (const [text, address] of table) {
    await t.step(text, () => assert.deepEqual(parseAddress(text), address));
  }
});

Deno.test("parseAddress() takes nothing else for an address", async (t) => {
  const table = ["", "8080", "host", "host:", "host:http", "host:-1", "host:65536", "host:123456"];
  table.push("::1:8080", "[::1]", "[]:1", "[zz]:1", "[::1:1", "a b:1", "host:1 ", " host:1");
  table.push("http://host:1", "host:1/", "host:1\n");
  for (const text of table) {
    await t.step(JSON.stringify(text), () => assert.equal(parseAddress(text), undefined));
  }
});

Deno.test("parseRate() reads what happens in a period, and at once", async (t) => {
  const table: [text: string, perSecond: number, burst: number][] = [
    ["100/s", 100, 100],
    ["100/s,burst=200", 100, 200],
    ["100/s, burst=1", 100, 1],
    ["600/m", 10, 600],
    ["36000/h,burst=10", 10, 10],
    ["0.5/s", 0.5, 1],
  ];
  for (const [text, perSecond, burst] of table) {
    await t.step(text, () => assert.deepEqual(parseRate(text), { perSecond, burst }));
  }
});

Deno.test("parseRate() takes nothing else for a rate", async (t) => {
  for (
    const text of ["", "100", "100/", "/s", "0/s", "-1/s", "1/ms", "1/s,burst=0", "1/s burst=2"]
  ) {
    await t.step(JSON.stringify(text), () => assert.equal(parseRate(text), undefined));
  }
});

Deno.test("doAddressesOverlap() knows addresses that one server alone can have", async (t) => {
  const table: [one: string, other: string, expected: boolean][] = [
    ["127.0.0.1:80", "127.0.0.1:80", true],
    ["127.0.0.1:80", "127.0.0.1:81", false],
    ["127.0.0.1:0", "127.0.0.1:0", false],
    ["0.0.0.0:80", "127.0.0.1:80", true],
    [":80", "192.0.2.1:80", true],
    ["0.0.0.0:80", "[::1]:80", false],
    ["0.0.0.0:80", "[::]:80", true],
    ["[::]:80", "127.0.0.1:80", true],
    ["[::]:80", "[::1]:80", true],
    ["localhost:80", "127.0.0.1:80", true],
    ["LOCALHOST:80", "0.0.0.0:80", true],
    ["[::ffff:127.0.0.1]:80", "127.0.0.1:80", true],
    ["[0:0::1]:80", "[::1]:80", true],
    ["[2001:DB8::1]:80", "[2001:db8::1]:80", true],
    ["a.example:80", "b.example:80", false],
    ["a.example:80", "A.example:80", true],
    ["127.0.0.1:80", "127.0.0.2:80", false],
  ];
  for (const [one, other, expected] of table) {
    await t.step(`${one} ${other}`, () => {
      const addresses = [parseAddress(one)!, parseAddress(other)!] as const;
      assert.equal(doAddressesOverlap(...addresses), expected);
      assert.equal(doAddressesOverlap(addresses[1], addresses[0]), expected);
    });
  }
});

import assert from "node:assert/strict";
import * as net from "node:net";
import fc from "fast-check";
import { isIPv4, isIPv6 } from "../../lib/mapping/ip.ts";

/** Text of which some is an address, and more is nearly one. */
const nearly = fc.oneof(
  fc.ipV4(),
  fc.ipV4Extended(),
  fc.ipV6(),
  fc.string({ unit: fc.constantFrom(..."0125:.af"), maxLength: 20 }),
  fc.array(fc.constantFrom("0", "00", "1", "ffff", "12345", "", "256", "1.2.3.4"), {
    minLength: 2,
    maxLength: 10,
  }).map((groups) => groups.join(":")),
);

Deno.test("an IP address is what node:net takes for one", () => {
  const check = fc.property(nearly, (text) => {
    assert.equal(isIPv4(text), net.isIPv4(text), text);
    assert.equal(isIPv6(text), net.isIPv6(text), text);
  });
  fc.assert(check, {
    numRuns: 5000,
    examples: [["1.2.3.04"], ["::ffff:1.2.3.4"], ["::01.2.3.4"], ["1::2:3:4:5:6:7:8"], ["::1 "]],
  });
});

Deno.test("an IPv6 address has no zone, no brackets and nothing around it", () => {
  for (const text of ["fe80::1%eth0", "[::1]", "::1]:80/[", "::1\n", "", ":"]) {
    assert.equal(isIPv6(text), false, JSON.stringify(text));
  }
});

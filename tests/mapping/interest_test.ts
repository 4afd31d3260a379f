import assert from "node:assert/strict";
import { ContractError } from "../../lib/mapping/contract_error.ts";
import {
  type Interest,
  type InterestingRequest,
  matchesInterest,
  parseInterest,
  renderInterest,
  toInterestPattern,
  toInterestSubject,
} from "../../lib/mapping/interest.ts";
import { toHostTokens, toPathTokens } from "../../lib/mapping/subject.ts";

Deno.test("toInterestSubject() ends with the host's tokens", () => {
  const table: [host: string, tokens: string][] = [
    ["example.com", "com.example"],
    ["foo.bar.example.com", "com.example.bar.foo"],
    ["127.0.0.1", "127.0.0.1"],
    ["*", "_any"],
  ];
  for (const [host, tokens] of table) {
    assert.equal(
      toInterestSubject("register", { prefix: "h8s", host }),
      `h8s.control.interest.register.${tokens}`,
    );
  }
  assert.equal(
    toInterestSubject("unregister", { prefix: "acme.edge", host: "e.com" }),
    "acme.edge.control.interest.unregister.com.e",
  );
  assert.equal(toInterestPattern("register", "h8s"), "h8s.control.interest.register.>");
});

Deno.test("renderInterest() writes the three keys in the order of the contract", () => {
  const interest: Interest = { method: "GET", path: "/a b", host: "example.com" };
  assert.equal(renderInterest(interest), '{"host":"example.com","path":"/a b","method":"GET"}');
  assert.equal(
    renderInterest({ ...interest, match: "prefix" }),
    '{"host":"example.com","path":"/a b","method":"GET","match":"prefix"}',
  );
  assert.equal(
    renderInterest({ ...interest, method: "ws", handshake: true }),
    '{"host":"example.com","path":"/a b","method":"ws","handshake":true}',
  );
});

Deno.test("parseInterest() reads what workloads of all generations write", () => {
  const table: [json: string, interest: Interest][] = [
    ['{"host":"e.com","path":"/x","method":"GET"}', { host: "e.com", path: "/x", method: "GET" }],
    ['{"host":"E.com:80","path":"","method":"ws"}', { host: "e.com", path: "/", method: "ws" }],
    [
      '{"host":"*","path":"/","method":"*","match":"prefix"}',
      { host: "*", path: "/", method: "*", match: "prefix" },
    ],
    [
      '{"host":"e.com","path":"/","method":"ws","handshake":true}',
      { host: "e.com", path: "/", method: "ws", handshake: true },
    ],
    [
      '{"host":"e.com","path":"/","method":"ws","handshake":false}',
      { host: "e.com", path: "/", method: "ws" },
    ],
    [
      '{"host":"[2001:db8::1]:8080","path":"/","method":"M-SEARCH","later":1}',
      { host: "2001:db8::1", path: "/", method: "M-SEARCH" },
    ],
  ];
  for (const [json, interest] of table) assert.deepEqual(parse(json), interest);
});

Deno.test("parseInterest() refuses what is none, and says why", () => {
  const table: [json: string, reason: RegExp][] = [
    ["", /not JSON/],
    ["[]", /not a JSON object/],
    ["null", /not a JSON object/],
    ['{"path":"/","method":"GET"}', /"host"/],
    ['{"host":"a b","path":"/","method":"GET"}', /"host" is "a b"/],
    ['{"host":"*.e.com","path":"/","method":"GET"}', /"host"/],
    ['{"host":"e.com","path":"x","method":"GET"}', /"path"/],
    ['{"host":"e.com","path":"/%zz","method":"GET"}', /"path" is "\/%zz"/],
    ['{"host":"e.com","path":"/","method":"get"}', /"method"/],
    ['{"host":"e.com","path":"/","method":7}', /"method"/],
    ['{"host":"e.com","path":"/","method":"GET","match":"regex"}', /"match"/],
    ['{"host":"e.com","path":"/","method":"ws","handshake":"yes"}', /"handshake"/],
  ];
  for (const [json, reason] of table) {
    assert.throws(() => parse(json), (error) => {
      assert.ok(error instanceof ContractError);
      assert.match(error.message, /^Cannot read an interest: /);
      assert.match(error.message, reason);
      return true;
    });
  }
  assert.throws(() => parseInterest(Uint8Array.of(0xff)), /not JSON in UTF-8/);
});

Deno.test("matchesInterest() compares hosts, methods and paths as subjects do", () => {
  const request: InterestingRequest = {
    hostTokens: toHostTokens("example.com"),
    pathTokens: toPathTokens("/shop/cart"),
    method: "GET",
  };
  const table: [interest: Interest, expected: boolean][] = [
    [{ host: "example.com", path: "/shop/cart", method: "GET" }, true],
    [{ host: "example.com", path: "//shop/cart/", method: "GET" }, true],
    [{ host: "*", path: "/shop/cart", method: "*" }, true],
    [{ host: "example.com", path: "/shop/cart", method: "POST" }, false],
    [{ host: "example.com", path: "/shop/cart", method: "ws" }, false],
    [{ host: "example.org", path: "/shop/cart", method: "GET" }, false],
    [{ host: "example.com", path: "/shop", method: "GET" }, false],
    [{ host: "example.com", path: "/shop", method: "GET", match: "prefix" }, true],
    [{ host: "example.com", path: "/sho", method: "GET", match: "prefix" }, false],
    [{ host: "example.com", path: "/", method: "GET", match: "prefix" }, true],
    [{ host: "example.com", path: "/", method: "GET" }, false],
  ];
  for (const [interest, expected] of table) {
    assert.equal(matchesInterest(interest, request), expected, renderInterest(interest));
  }
  const socket = { ...request, method: "ws" };
  const path = "/shop/cart";
  assert.equal(matchesInterest({ host: "*", path, method: "*" }, socket), false);
  assert.equal(matchesInterest({ host: "*", path, method: "ws" }, socket), true);
});

function parse(json: string): Interest {
  return parseInterest(new TextEncoder().encode(json));
}

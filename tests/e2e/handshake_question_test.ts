import assert from "node:assert/strict";
import { headers } from "@nats-io/nats-core";
import { renderInterest } from "../../lib/mapping/interest.ts";
import { listen, type Setup, setUp } from "../harness/setup.ts";
import { HANDSHAKE, rawHandshake } from "../harness/websocket.ts";

/** The gateway reads in order: what it answers to afterwards, once it is there, comes after it has read this. */
async function askForHandshakes({ nc }: Setup): Promise<void> {
  const interest = {
    ...{ host: "chat.example.com", path: "/raw", method: "ws", handshake: true } as const,
  };
  for (let isRead = false; !isRead;) {
    nc.publish("h8s.control.interest.register.com.example.chat", renderInterest(interest));
    isRead = await nc.request("h8s.control.ws.conn.list", "").then(() => true, () => false);
  }
}

/** Answers each question with what it gets: header lines, or nothing. */
function answerQuestions(
  { nc }: Setup,
  answer: (isForWorkload: boolean) => Readonly<Record<string, string>> | undefined,
): void {
  nc.subscribe("h8s.control.ws.authorize.com.example.chat", {
    callback(_error, message) {
      const lines = answer(message.headers?.has("X-H8s-Connection-Id") ?? false);
      if (lines === undefined) return;
      const block = headers();
      for (const [name, value] of Object.entries(lines)) block.set(name, value);
      message.respond("no", { headers: block });
    },
  });
}

async function shake(setup: Setup, lines: readonly string[] = []): Promise<string> {
  const { conn, response } = await rawHandshake(setup.gateway.port, [...HANDSHAKE, ...lines]);
  conn.close();
  return response;
}

Deno.test("a workload that says so is asked before the 101", async (t) => {
  await using setup = await setUp();
  await askForHandshakes(setup);
  let lines: Readonly<Record<string, string>> | undefined = {};
  answerQuestions(setup, () => lines);
  const established = await listen(setup.nc, "h8s.control.ws.conn.established.>");
  const offer = ["Sec-WebSocket-Protocol: base64url.bearer.c2VjcmV0, chat, other"];

  await t.step("what it picks is what the client hears, and its token comes back", async () => {
    lines = {
      ...{ "Status-Code": "101", "Sec-WebSocket-Protocol": "other" },
      ...{ "Set-Cookie": "a=1", "X-Own": "2", "X-H8s-Handshake": "replica-1" },
    };
    const response = await shake(setup, offer);
    assert.match(response, /^HTTP\/1\.1 101 /);
    assert.match(response, /\r\nsec-websocket-protocol: other\r\n/i);
    assert.match(response, /\r\nset-cookie: a=1\r\n/i);
    assert.match(response, /\r\nx-own: 2\r\n/i);
    assert.doesNotMatch(response, /x-h8s/i);
    const event = await established.next();
    assert.equal(event.headers?.get("X-H8s-Handshake"), "replica-1");
  });
  await t.step("it may pick none", async () => {
    lines = { "Status-Code": "101" };
    assert.doesNotMatch(await shake(setup, offer), /sec-websocket-protocol/i);
    await established.next();
  });
  await t.step("it refuses with its own status, headers and body", async () => {
    lines = { "Status-Code": "401", "WWW-Authenticate": "Bearer" };
    const response = await shake(setup);
    assert.match(response, /^HTTP\/1\.1 401 [^]*\r\nwww-authenticate: Bearer\r\n/i);
  });
  const malformed: [name: string, lines: Readonly<Record<string, string>>][] = [
    ["a subprotocol that was not offered", { "Sec-WebSocket-Protocol": "third" }],
    ["a credential", { "Sec-WebSocket-Protocol": "base64url.bearer.c2VjcmV0" }],
    ["a token of several", { "X-H8s-Handshake": "a.b" }],
  ];
  for (const [name, more] of malformed) {
    await t.step(`${name} is a 502`, async () => {
      lines = { "Status-Code": "101", ...more };
      assert.match(await shake(setup, offer), /^HTTP\/1\.1 502 /);
    });
  }
  assert.equal(established.all.length, 2, "nobody else is told to be there");
});

Deno.test("a workload that is gone is a 503 where it wanted to be asked", async () => {
  await using setup = await setUp();
  await askForHandshakes(setup);
  assert.match(await shake(setup), /^HTTP\/1\.1 503 /);
});

Deno.test("where an authorizer answers as well, each question has its own answer", async () => {
  await using setup = await setUp(["--auth", "authorize"]);
  await askForHandshakes(setup);
  // The authorizer does not tell the questions apart, and is the faster one.
  answerQuestions(setup, () => ({ "Status-Code": "200" }));
  answerQuestions(
    setup,
    (isForWorkload) =>
      isForWorkload ? { "Status-Code": "404", "X-H8s-Handshake": "replica-1" } : undefined,
  );
  assert.match(await shake(setup), /^HTTP\/1\.1 404 /);
});

import assert from "node:assert/strict";
import { cpuUsage } from "node:process";
import { checkOrigin } from "../../lib/edge/admission/origin.ts";
import type { Candidate } from "../../lib/edge/admission/check.ts";
import { toClientSession } from "../../lib/edge/admission/session_cookie.ts";
import { parseNumbered } from "../../lib/mapping/ack.ts";
import { parseNode } from "../../lib/mapping/address.ts";
import { fromClientHeaders } from "../../lib/mapping/client_headers.ts";
import {
  findBearer,
  findCookie,
  findParameter,
  withoutCredentials,
  withoutParameter,
} from "../../lib/mapping/credentials.ts";
import { parseFlowSignal } from "../../lib/mapping/flow.ts";
import { fromProxy } from "../../lib/mapping/forwarding.ts";
import { parseHeaderBlock, toClientHeaders } from "../../lib/mapping/headers.ts";
import { parseIncoming } from "../../lib/mapping/incoming.ts";
import { parsePubAck } from "../../lib/mapping/jetstream.ts";
import { toKeyId } from "../../lib/mapping/message_id.ts";
import { maskHeader } from "../../lib/mapping/masking.ts";
import { parseReply } from "../../lib/mapping/reply.ts";
import { toHostTokens, toPathTokens } from "../../lib/mapping/subject.ts";
import { parseOffer } from "../../lib/mapping/subprotocol.ts";
import type { ReplyHead } from "../../lib/mapping/outgoing.ts";
import { sendResponse } from "../../lib/workload/http/respond.ts";
import type { ReplyWriter } from "../../lib/workload/http/reply_writer.ts";

/** What Deno's server lets through in a head, and what a NATS message holds. */
const HEAD_BYTES = 60_000;
const MESSAGE_BYTES = 200_000;
/** What is over and over the same, and the end that makes an expression try again from every start. */
const UNITS = [
  "a",
  " ",
  "\t",
  ",",
  ", ",
  ";",
  "=",
  "a=",
  '"',
  '\\"',
  '"\\',
  "-",
  "_",
  ".",
  ":",
  "/",
  "/.",
];
UNITS.push(
  "%41",
  "%",
  "[",
  "1.",
  "1.1.1.1,",
  "for=1;",
  'for="',
  "a=b&",
  "x-forwarded-",
  "{",
  "\r\n",
  "a\r\n",
  "//",
  "eyJ",
  "-eyJ.",
  "Bearer ",
  "?",
);
const ENDS = ["", "!", '";for=1.2.3.4'];

const SCOPE = { who: "", method: "POST", subject: "s", hostTokens: "h", pathTokens: "" };
const SESSION = { cookie: "c", maxAge: 1000, keys: ["k"], sameSite: "lax" as const };

function fromHop(headers: Record<string, string>): unknown {
  const header = (name: string) => headers[name] ?? null;
  return fromProxy({ address: "10.0.0.1", scheme: "http", header }, () => true);
}

/** All that reads a word of a client, a workload or a server. */
const READERS: readonly [name: string, bytes: number, read: (text: string) => unknown][] = [
  ["Forwarded", HEAD_BYTES, (text) => fromHop({ "forwarded": text })],
  ["X-Forwarded-For", HEAD_BYTES, (text) => fromHop({ "x-forwarded-for": text })],
  ["X-Forwarded-Host", HEAD_BYTES, (text) => fromHop({ "x-forwarded-host": text })],
  ["X-Request-Id, Traceparent", HEAD_BYTES, (text) => {
    fromHop({ "x-request-id": text, "traceparent": text });
  }],
  ["one node", HEAD_BYTES, parseNode],
  ["Authorization", HEAD_BYTES, (text) => findBearer([["authorization", `Bearer ${text}`]])],
  ["Cookie", HEAD_BYTES, (text) => {
    findCookie([["cookie", text]], "c");
    withoutCredentials([["cookie", text]], { authorization: true, cookie: "c" });
    toClientSession([["cookie", `c=${text}`]], {
      config: SESSION,
      isSecure: false,
      newId: () => "",
    });
  }],
  ["the query", HEAD_BYTES, (text) => [findParameter(text, "t"), withoutParameter(text, "t")]],
  ["Sec-WebSocket-Protocol", HEAD_BYTES, parseOffer],
  ["Idempotency-Key", HEAD_BYTES, (text) => toKeyId(text, SCOPE)],
  ["Origin", HEAD_BYTES, (text) => {
    const request = { headers: new Headers([["origin", `http://${text}`]]) };
    checkOrigin(
      { request, kind: "websocket", target: { authority: "a" } } as Candidate,
      undefined,
    );
  }],
  ["Connection", HEAD_BYTES, (text) => fromClientHeaders([["connection", text]], { kind: "http" })],
  ["a header's name", HEAD_BYTES, (text) => fromClientHeaders([[text, ""]], { kind: "http" })],
  ["what is masked", HEAD_BYTES, (text) => {
    for (const begin of ["", "?", "//", "Bearer ", "eyJ"]) maskHeader(["referer", begin + text]);
  }],
  ["the path", HEAD_BYTES, (text) => toPathTokens(`/${text}`)],
  ["the host", HEAD_BYTES, toHostTokens],
  ["a numbered message", MESSAGE_BYTES, parseNumbered],
  ["a header block", MESSAGE_BYTES, (text) => parseHeaderBlock(`NATS/1.0\r\n${text}`)],
  ["a message for a workload", MESSAGE_BYTES, (text) => parseIncoming(`NATS/1.0\r\n${text}`)],
  ["a signal", MESSAGE_BYTES, (text) => parseFlowSignal(`NATS/1.0\r\nX-H8s-Credit: ${text}`)],
  ["a reply", MESSAGE_BYTES, (text) => parseReply(`NATS/1.0\r\nStatus: ${text}`, 0)],
  ["a reply's headers", MESSAGE_BYTES, (text) => toClientHeaders([["connection", text]])],
  ["an acknowledgement", MESSAGE_BYTES, (text) => {
    parsePubAck("", new TextEncoder().encode(text));
  }],
];

Deno.test("reading takes time in proportion to the length, whatever it says", async (t) => {
  for (const [name, bytes, read] of READERS) {
    await t.step(name, () => {
      for (const unit of UNITS) {
        for (const end of ENDS) {
          const text = unit.repeat(Math.ceil(bytes / unit.length)) + end;
          // A look at each character takes a fraction of a millisecond; one at each pair of them, seconds.
          const limit = 100 + 200 * measure(countBlanks, text);
          let took = measure(read, text);
          for (let times = 0; times < 3 && took > limit; times++) took = measure(read, text);
          assert.ok(took < limit, `${JSON.stringify([unit, end])}: ${took} ms`);
        }
      }
    });
  }
});

Deno.test("a response of many headers is sent in time in proportion to their number", async () => {
  const headers = new Headers();
  for (let index = 0; index < 4000; index++) headers.append(`x-${index}`, "v");
  const sent: ReplyHead[] = [];
  const writer = {
    hasCredit: true,
    roomFor: () => 1_000_000,
    single: (head: ReplyHead) => Promise.resolve(void sent.push(head)),
  } as unknown as ReplyWriter;
  const { signal } = new AbortController();
  const begun = cpuUsage();
  await sendResponse(new Response("x", { headers }), { writer, method: "GET", signal });
  // A look at all of them for each takes seconds.
  assert.ok(cpuUsage(begun).user < 500_000);
  assert.equal(sent[0]?.headers.length, 4001);
});

function countBlanks(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) === 0x20) count++;
  return count;
}

/** Milliseconds of processor time: on a busy machine the clock goes on while nothing is read. */
function measure(read: (text: string) => unknown, text: string): number {
  const begun = cpuUsage();
  try {
    read(text);
  } catch {
    // Refusing it is as good as reading it.
  }
  return cpuUsage(begun).user / 1000;
}

/**
 * What the programs written in Go send, played as it was seen on the wire (h8srd 0.7.1, the service
 * library and the provider of the same time).
 *
 * @module
 */
import assert from "node:assert/strict";
import type { MsgHdrs } from "@nats-io/nats-core";
import { headerEntries, listen, rawHeaders, setUp } from "../harness/setup.ts";
import { Client } from "../harness/websocket.ts";

type Sent = readonly [block: string, payload: string];

/** Sorted, as Go writes them; what follows the first message has no headers. */
const REPLIES: [title: string, sent: Sent[], status: number, body: string, cookies: string[]][] = [
  [
    "h8srd: a response",
    [
      [
        "Content-Type: text/plain\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nStatus: 404\r\n" +
        "Status-Code: 404\r\n",
        "nope",
      ],
      ["", ""],
    ],
    404,
    "nope",
    ["a=1", "b=2"],
  ],
  ["h8srd: no content", [["Status: 204\r\nStatus-Code: 204\r\n", ""]], 204, "", []],
  [
    "h8srd: events",
    [
      ["Content-Type: text/event-stream\r\nStatus: 200\r\nStatus-Code: 200\r\n", "data: 1\n\n"],
      ["", "data: 2\n\n"],
      ["", ""],
    ],
    200,
    "data: 1\n\ndata: 2\n\n",
    [],
  ],
  ["service library: r.Respond", [["", "echo:hello"]], 200, "echo:hello", []],
  [
    "service library: with headers",
    [["Content-Length: 11\r\nContent-Type: text/html\r\n", "<h1>Hi</h1>"]],
    200,
    "<h1>Hi</h1>",
    [],
  ],
  [
    "service library: r.Error",
    [["Nats-Service-Error: teapot\r\nNats-Service-Error-Code: 418\r\n", "no"]],
    418,
    "no",
    [],
  ],
];

Deno.test("the replies of workloads in Go are responses", async (t) => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const requests = await listen(nc, "h8s.http.GET.>");
  for (const [title, sent, status, body, cookies] of REPLIES) {
    await t.step(title, async () => {
      const pending = fetch(gateway.url);
      const { reply } = await requests.next();
      for (const [block, payload] of sent) {
        const headers = block === "" ? {} : { headers: toHeaders(block) };
        nc.publish(reply!, payload, headers);
      }
      const response = await pending;
      assert.equal(response.status, status);
      assert.equal(await response.text(), body);
      assert.deepEqual(response.headers.getSetCookie(), cookies);
      assert.equal(response.headers.has("status-code"), false);
    });
  }
});

Deno.test("the events have what workloads in Go read, spelled as they read it", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  // Flat, the provider; by host, the service library and h8srd.
  const flat = await listen(nc, "h8s.control.ws.conn.*");
  const byHost = await listen(nc, "h8s.control.ws.conn.*.127.0.0.1");
  const client = await Client.connect(`ws://127.0.0.1:${gateway.port}/ws`);
  for (const events of [flat, byHost]) {
    const established = await events.next();
    const headers = new Map(headerEntries(established));
    for (const name of ["X-H8S-PublishSubject", "X-H8s-PublishSubject"]) {
      assert.equal(headers.get(name), "h8s.ws.ws.127.0.0.1.ws");
    }
    assert.equal(headers.get("Host"), `127.0.0.1:${gateway.port}`);
    nc.publish(established.reply!, "pushed");
    assert.equal(await client.next(), "pushed");
  }
  await client[Symbol.asyncDispose]();
  assert.equal((await byHost.next()).subject, "h8s.control.ws.conn.closed.127.0.0.1");
});

function toHeaders(lines: string): MsgHdrs {
  return rawHeaders(`NATS/1.0\r\n${lines}\r\n`);
}

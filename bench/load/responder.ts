/**
 * The responder where there is no C compiler: the same answers as `responder.c`, dearer.
 * `deno run -A bench/load/responder.ts HOST PORT`
 *
 * @module
 */
import { connect } from "@nats-io/transport";
import { headers, type Msg } from "@nats-io/nats-core";

const EVENTS = 100;
const LARGE = new Uint8Array(100_000).fill(0x78);
const SMALL = new TextEncoder().encode("hello");
const EVENT = "data: an event\n\n";

const [hostname = "127.0.0.1", port = "4222"] = Deno.args;
const nc = await connect({ servers: `nats://${hostname}:${port}` });
nc.subscribe("h8s.http.*.com.example.bench.>", {
  callback: (error, message) => {
    if (error === null) answer(message);
  },
});
await nc.flush();
console.log("ready");

function answer(message: Msg): void {
  switch (message.subject.split(".").at(-1)) {
    case "large":
      return answerWhole(message, LARGE);
    case "events":
      message.respond(EVENT, { headers: head("text/event-stream") });
      for (let count = 1; count < EVENTS; count++) message.respond(EVENT);
      message.respond();
      return;
    default:
      return answerWhole(message, SMALL);
  }
}

function answerWhole(message: Msg, body: Uint8Array): void {
  const reply = head("text/plain");
  reply.set("Content-Length", String(body.length));
  message.respond(body, { headers: reply });
}

function head(contentType: string): ReturnType<typeof headers> {
  const reply = headers();
  reply.set("Status-Code", "200");
  reply.set("Content-Type", contentType);
  return reply;
}

/**
 * A workload written with nothing but the NATS client: it has no port, it subscribes.
 *
 * `deno run --allow-net examples/hello.ts [nats://127.0.0.1:4222]`
 *
 * @module
 */
import { headers, type Msg, type NatsConnection } from "@nats-io/nats-core";
import { connect } from "../lib/workload/mod.ts";

/**
 * Answers `GET /hello/<name>`, streams `GET /ticks`, echoes WebSocket messages on `/echo`, and serves
 * a page to try them.
 *
 * @param nc Connected to the NATS that the gateway uses.
 */
export function hello(nc: NatsConnection): void {
  // The host is the subject's middle; `>` takes any. Replicas in one queue group share the work.
  on(nc, "h8s.http.GET.>", (message) => {
    const [page = "", name = "world"] = toPath(message);
    if (page === "hello") message.respond(`Hello, ${decodeURIComponent(name)}!\n`);
    else if (page === "ticks") streamTicks(nc, message);
    else if (page === "") {
      message.respond(PAGE, { headers: toHeaders({ "Content-Type": "text/html" }) });
    } else {message.respond("Not here\n", {
        headers: toHeaders({ "Status": "404", "Content-Length": "9" }),
      });}
  });
  // A message's reply subject is its connection's inbox: what is published there reaches the client.
  on(nc, "h8s.ws.ws.>", (message) => message.respond(`You said: ${message.string()}`));
}

/** Several messages to the reply subject are a stream; an empty one ends it. */
function streamTicks(nc: NatsConnection, message: Msg): void {
  message.respond("data: 0\n\n", { headers: toHeaders({ "Content-Type": "text/event-stream" }) });
  let count = 0;
  const timer = setInterval(() => {
    count++;
    nc.publish(message.reply!, `data: ${count}\n\n`);
    if (count < 5) return;
    clearInterval(timer);
    nc.publish(message.reply!);
  }, 500);
}

function on(nc: NatsConnection, subject: string, handle: (message: Msg) => void): void {
  nc.subscribe(subject, {
    queue: "hello",
    callback: (error, message) => {
      if (error === null) handle(message);
      else console.error(error);
    },
  });
}

/** The path's segments: whatever follows the host, which a header tells as the client sent it. */
function toPath({ subject, headers }: Msg): string[] {
  const host = headers?.get("X-H8s-Original-Host").replace(/:\d+$/, "") ?? "";
  return subject.split(".").slice(3 + host.split(".").length);
}

function toHeaders(entries: Record<string, string>): ReturnType<typeof headers> {
  const result = headers();
  for (const [name, value] of Object.entries(entries)) result.set(name, value);
  return result;
}

const PAGE = `<!doctype html>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>h8s</title>
<style>body{font:16px/1.5 system-ui;max-width:34rem;margin:3rem auto;padding:0 1rem}</style>
<h1>It works</h1>
<p>This page came from a workload that has no inbound port.</p>
<form><input autofocus placeholder="Say something" aria-label="Message"> <button>Send</button></form>
<ul></ul>
<script>
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/echo");
  socket.onmessage = ({ data }) => {
    document.querySelector("ul").append(Object.assign(document.createElement("li"), { textContent: data }));
  };
  document.querySelector("form").onsubmit = (event) => {
    event.preventDefault();
    socket.send(document.querySelector("input").value);
    event.target.reset();
  };
</script>
`;

if (import.meta.main) {
  hello(await connect({ servers: Deno.args[0] ?? "nats://127.0.0.1:4222" }));
  console.log("hello: subscribed");
}

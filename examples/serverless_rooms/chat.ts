/**
 * A chat without a server: `deno run --allow-net examples/serverless_rooms/chat.ts URL NAME`
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { connect } from "@h8s/gateway/client";

const [url = "ws://localhost:8080/rooms/tea", name = "somebody"] = Deno.args;
await using client = connect(url);
client.on("gap", () => console.log("(something may be missing here)"));
client.on("message", ({ data }) => console.log(String(data)));
for await (const line of createInterface({ input: process.stdin })) {
  client.send(`${name}: ${line}`).catch((error) => console.log(`(${error.message})`));
}

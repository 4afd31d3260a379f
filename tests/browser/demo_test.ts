import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";

const DEMO = new URL("../../examples/demo.ts", import.meta.url).pathname;

/** `deno task demo`, read until it has said all that it has to say. */
async function startDemo(): Promise<{ process: Deno.ChildProcess; lines: string[] }> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", DEMO, "127.0.0.1:0"],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines: string[] = [];
  for await (const line of createInterface({ input: Readable.from(process.stdout) })) {
    lines.push(line);
    if (line.startsWith("Ctrl-C")) break;
  }
  return { process, lines };
}

async function curl(line: string): Promise<string> {
  const { success, stdout } = await new Deno.Command("sh", { args: ["-c", `${line} -sS`] })
    .output();
  assert.ok(success, line);
  return new TextDecoder().decode(stdout);
}

Deno.test("the demo's curl lines work, and Ctrl-C stops it", async () => {
  const { process, lines } = await startDemo();
  const [page = "", user = "", messages = ""] = lines.filter((line) => line.includes("curl "));
  const html = await curl(page);
  assert.match(html, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(html, /<h1>lobby<\/h1>/);
  assert.match(await curl(user), /^HTTP\/1\.1 200 OK\r\n/);
  assert.equal(await curl(messages), "");
  process.kill("SIGINT");
  assert.equal((await process.status).code, 0);
});

Deno.test("the demo says what to do when the port is in use", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", DEMO, `127.0.0.1:${listener.addr.port}`],
  }).output();
  assert.equal(code, 1);
  assert.match(new TextDecoder().decode(stderr), /the port is in use/);
});

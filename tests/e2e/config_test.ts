import assert from "node:assert/strict";
import { runMain } from "../harness/program.ts";

Deno.test("config show prints what would be in effect, the flags before the file, no secrets", async () => {
  const stdin = "natsUrl: [nats://ann:s3cret@a]\nrequestTimeout: 5s\nprefix: file\n";
  const flags = ["--config", "-", "--prefix", "flag", "--authorization-key", "s3cret"];
  const { code, stdout, stderr } = await runMain(["config", "show", ...flags], { stdin });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^natsUrl:\n {2}- nats:\/\/a\n/);
  assert.match(stdout, /^requestTimeout: 5s$/m);
  assert.match(stdout, /^prefix: flag$/m);
  assert.match(stdout, /^drainTimeout: 10s$/m);
  assert.ok(!stdout.includes("s3cret"));
});

Deno.test("config show refuses what would not run, exit 2", async () => {
  const { code, stdout, stderr } = await runMain(["config", "show", "--auth", "jwt"]);
  assert.deepEqual([code, stdout], [2, ""]);
  assert.match(stderr, /^h8s: Cannot use --auth "jwt": .*\n$/);
});

Deno.test("config check says where a file is wrong, or that it is right", async () => {
  const right = await runMain(["config", "check", "-"], { stdin: "prefix: a\n" });
  assert.deepEqual([right.code, right.stdout], [0, "ok\n"]);
  const wrong = await runMain(["config", "check", "-"], { stdin: "prefix: a\nroutes: 5\n" });
  assert.deepEqual([wrong.code, wrong.stdout], [2, ""]);
  assert.match(wrong.stderr, /^h8s: standard input:2:9: routes: .*\n$/);
  const missing = await runMain(["config", "check", "/nowhere/h8s.yaml"]);
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /--allow-read=\/nowhere\/h8s\.yaml/);
});

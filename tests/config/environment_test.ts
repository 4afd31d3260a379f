import assert from "node:assert/strict";
import { parseFlags, UsageError } from "../../lib/config/flags.ts";

const VARIABLES: Record<string, string> = {
  H8S_NATS_URL: "nats://a, nats://b",
  H8S_REQUEST_TIMEOUT: "5s",
  H8S_SHARE_PORT: "true",
  H8S_RATE: "",
  // What Kubernetes sets for a service with this name.
  H8S_PORT: "tcp://10.0.0.1:80",
};

Deno.test("parseFlags() takes from the environment what no flag says", () => {
  const command = parseFlags(["--request-timeout", "7s"], (name) => VARIABLES[name]);
  assert.ok(command.kind === "run");
  assert.deepEqual(command.flags, {
    natsUrl: ["nats://a", "nats://b"],
    sharePort: true,
    requestTimeout: "7s",
  });
});

Deno.test("parseFlags() lets a repeatable flag replace the variable, not add to it", () => {
  const command = parseFlags(["--nats-url", "nats://c"], (name) => VARIABLES[name]);
  assert.ok(command.kind === "run");
  assert.deepEqual(command.flags["natsUrl"], ["nats://c"]);
});

Deno.test("parseFlags() finds the configuration's place in the environment", () => {
  const command = parseFlags([], (name) => name === "H8S_CONFIG" ? "/etc/h8s/h8s.yaml" : undefined);
  assert.ok(command.kind === "run");
  assert.deepEqual(command.configSource, { kind: "file", path: "/etc/h8s/h8s.yaml" });
});

Deno.test("parseFlags() names every variable that cannot be used", () => {
  const variables: Record<string, string> = {
    ...{ H8S_RATE: "fast", H8S_SHARE_PORT: "maybe" },
    // As nothing, it is not set.
    ...{ H8S_ROUTES: "[]", H8S_JWT: "" },
  };
  assert.throws(() => parseFlags([], (name) => variables[name]), (error) => {
    assert.ok(error instanceof UsageError);
    const lines = error.message.split("\n").sort();
    assert.equal(lines.length, 3);
    const alone = "Cannot use H8S_ROUTES: routes stands in the file of --config alone";
    assert.equal(lines[0], alone);
    assert.match(lines[1]!, /^H8S_RATE: Cannot use --rate "fast": expected /);
    assert.match(lines[2]!, /^H8S_SHARE_PORT: Cannot use --share-port=maybe: it is a switch/);
    return true;
  });
});

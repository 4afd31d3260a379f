import assert from "node:assert/strict";
import { type Block, readGuides } from "./blocks.ts";
import { makeFolder } from "./outside.ts";

/** What fragments take for granted; one that declares a name itself shadows it. */
const GIVEN = `import type { NatsConnection } from "@nats-io/nats-core";
import * as workload from "@h8s/gateway/workload";
import * as clients from "@h8s/gateway/client";
import type { Gateway } from "@h8s/gateway";
declare global {
  var nc: NatsConnection;
  var connection: NatsConnection;
  var service: workload.Service;
  var router: workload.Router<Uint8Array>;
  var gateway: Gateway;
  var serve: typeof workload.serve;
  var createRegistry: typeof workload.createRegistry;
  var connect: typeof clients.connect;
  var client: ReturnType<typeof clients.connect>;
  var show: (text: string) => void;
  var app: { fetch(request: Request): Response | Promise<Response> };
}
`;

/** Planted among them, to see that the compiler looks. */
const WRONG: Block = {
  at: "wrong.md:1",
  line: 1,
  language: "ts",
  mark: "fragment",
  file: undefined,
  text: 'serve(nc, { hosts: "example.com" }, () => new Response());\n',
};

Deno.test("every program and every fragment in the documents passes the compiler", async () => {
  const blocks = readGuides().flatMap(({ blocks }) => blocks)
    .filter(({ language }) => language === "ts" || language === "js");
  const complaints = (await check([...blocks, WRONG])).split(/^(?=(?:error: )?TS\d+ )/m)
    .filter((text) => /TS\d+ /.test(text));
  const [ours, others] = [true, false].map((isOurs) =>
    complaints.filter((text) => text.includes("wrong_md_1") === isOurs)
  );
  assert.match(ours!.join(), /hosts/);
  assert.deepEqual(others, []);
});

/** What the compiler says of blocks, each a module of its own. */
async function check(blocks: readonly Block[]): Promise<string> {
  const folder = await makeFolder();
  await Deno.writeTextFile(`${folder}/given.ts`, GIVEN);
  const names = await Promise.all(blocks.map(async ({ at, mark, language, text }) => {
    const name = `${at.replaceAll(/[/.:]/g, "_")}.${language}`;
    const needs = mark === "fragment" && language === "ts" ? 'import "./given.ts"; ' : "";
    await Deno.writeTextFile(`${folder}/${name}`, `${needs}export {}; ${text}`);
    return name;
  }));
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", "--no-lock", ...names],
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  await Deno.remove(folder, { recursive: true });
  return new TextDecoder().decode(stderr);
}

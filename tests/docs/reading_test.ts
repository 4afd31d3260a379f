import assert from "node:assert/strict";
import { type Document, readGuides, toDocument } from "./blocks.ts";
import { Reader } from "./reader.ts";

for (const document of readGuides().filter(canBeFollowed)) {
  Deno.test(`${document.path} works from its first line to its last`, () => Reader.read(document));
}

const BROKEN: Readonly<Record<string, string>> = {
  "a command that fails": "```sh\nfalse\n```\n",
  "a gateway that refuses its options": "```sh\ndeno run --allow-net main.ts --nonsense\n```\n",
  "an answer that does not come": "```sh\ncurl http://localhost:8080/ # Hello\n```\n",
  "a library that stops at once":
    '```ts\nimport { startGateway } from "@h8s/gateway";\nawait using gateway = startGateway({\n' +
    '  listen: "127.0.0.1:8080",\n  natsUrl: ["nats://127.0.0.1:4222"],\n});\n' +
    "await gateway.connected;\n```\n",
};
for (const [what, text] of Object.entries(BROKEN)) {
  Deno.test(`${what} is found in a document`, async () => {
    await assert.rejects(
      Reader.read(toDocument("broken.md", text), { patienceMs: 5000 }),
      /broken\.md:1/,
    );
  });
}

function canBeFollowed({ blocks }: Document): boolean {
  return blocks.some(({ language, mark }) =>
    mark === undefined && ["sh", "ts", "js"].includes(language)
  );
}

import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { type Document, readDocuments, ROOT, toDocument } from "./blocks.ts";

Deno.test("every link inside the documents leads to something", () => {
  const documents = readDocuments();
  assert.deepEqual(documents.flatMap((document) => listBroken(document, documents)), []);
});

Deno.test("every page of docs/ can be reached from the front page", () => {
  const documents = readDocuments().filter(({ path }) => /^docs\/[\w-]+\.md$/.test(path));
  const linked = listTargets(documents.length > 0 ? readFrontPage() : toDocument("", ""));
  assert.deepEqual(documents.map(({ path }) => path).filter((path) => !linked.includes(path)), []);
});

Deno.test("a broken link and a broken anchor are found", () => {
  const page = toDocument("docs/a.md", "# One\n\n[x](#one) [x](#two) [x](b.md) [x](a.md#one)\n");
  assert.deepEqual(listBroken(page, [page]), ["docs/a.md: #two", "docs/a.md: b.md"]);
});

function readFrontPage(): Document {
  return toDocument("README.md", Deno.readTextFileSync(`${ROOT}README.md`));
}

function listTargets({ path, prose }: Document): string[] {
  return listLinks(prose).map((link) => join(dirname(path), link.split("#")[0]!));
}

function listLinks(prose: string): string[] {
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link)
    .filter((link) => !/^[a-z]+:/.test(link));
}

function listBroken(document: Document, all: readonly Document[]): string[] {
  return listLinks(document.prose).filter((link) => {
    const [file = "", anchor] = link.split("#");
    const path = file === "" ? document.path : join(dirname(document.path), file);
    const target = all.find((other) => other.path === path);
    if (target === undefined) return anchor !== undefined || !isThere(path);
    return anchor !== undefined && !listAnchors(target).includes(anchor);
  }).map((link) => `${document.path}: ${link}`);
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(ROOT + path);
    return true;
  } catch {
    return false;
  }
}

/** As GitHub makes them: a name that comes again gets a number. */
function listAnchors({ prose }: Document): string[] {
  const counts = new Map<string, number>();
  const headings = [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => {
    const name = heading.toLowerCase().replaceAll(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-");
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return count === 0 ? name : `${name}-${count}`;
  });
  return [...headings, ...[...prose.matchAll(/<a id="([^"]+)"/g)].map(([, id = ""]) => id)];
}

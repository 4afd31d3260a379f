import assert from "node:assert/strict";
import { ROOT } from "./blocks.ts";

const SITE = `${ROOT}dist/docs`;

/** Pages by their path on the site; whatever else is there has no text. */
type Site = ReadonlyMap<string, string>;

Deno.test("the site of the documents is built, and each of its links and anchors leads somewhere", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "docs"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  assert.equal(code, 0, decoder.decode(stdout) + decoder.decode(stderr));
  const site = readSite("");
  for (const path of ["/index.html", "/docs/tutorial.html", "/source/compose.yaml.txt"]) {
    assert.ok(site.has(path), path);
  }
  assert.match(site.get("/index.html")!, /<img [^>]*alt="[^"]*gateway/);
  assert.deepEqual(listBroken(site), []);
});

Deno.test("a broken link and a broken anchor of a site are found", () => {
  const site = new Map([
    ["/index.html", '<h1 id="a"><a href="./b/">b</a><a href="/c.html#x">c</a><a href="#b">b</a>'],
    ["/b/index.html", '<a href="../index.html#a">a</a><img src="d.png"><a href="https://a.b/#c">'],
    ["/c.html", ""],
  ]);
  assert.deepEqual(listBroken(site), [
    "/index.html: /c.html#x",
    "/index.html: #b",
    "/b/index.html: d.png",
  ]);
});

function readSite(folder: string): Map<string, string> {
  const site = new Map<string, string>();
  for (const { name, isDirectory } of Deno.readDirSync(SITE + folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) { for (const [inner, text] of readSite(path)) site.set(inner, text); }
    else site.set(path, path.endsWith(".html") ? Deno.readTextFileSync(SITE + path) : "");
  }
  return site;
}

function listBroken(site: Site): string[] {
  return [...site].flatMap(([page, html]) =>
    [...html.matchAll(/<[^>]* (?:href|src)="([^"]*)"/g)].map(([, link = ""]) => link)
      .filter((link) => !isThere(link, page, site))
      .map((link) => `${page}: ${link}`)
  );
}

function isThere(link: string, page: string, site: Site): boolean {
  const base = `site:${page}`;
  const { protocol, pathname, hash } = new URL(link.replaceAll("&amp;", "&"), base);
  if (protocol !== "site:") return true;
  const target = site.get(pathname.replace(/\/$/, "/index.html"));
  const id = decodeURIComponent(hash.slice(1));
  return target !== undefined && (id === "" || target.includes(` id="${id}"`));
}

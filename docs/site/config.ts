/**
 * How the README and docs/ become a site; `build.ts` puts this file and them where VitePress looks for them.
 *
 * @module
 */
import { cpSync, readFileSync } from "node:fs";
import { join, posix, resolve } from "node:path";
import { defineConfig, type MarkdownRenderer } from "vitepress";

type Parsed = Parameters<MarkdownRenderer["core"]["process"]>[0];

const ROOT = resolve(import.meta.dirname!, "../../..");
/** What pages lead to that is no page; it is put beside them, as text. */
const sources = new Set<string>();

export default defineConfig({
  title: "h8s",
  description: "HTTP and WebSocket clients in, NATS messages out",
  lang: "en",
  srcDir: "pages",
  outDir: "../docs",
  rewrites: toSitePath,
  head: [["link", { rel: "icon", href: "data:," }]],
  ignoreDeadLinks: "localhostLinks",
  markdown: {
    anchor: { slugify: toAnchor },
    config: (md) => void md.core.ruler.push("site", adapt),
    languageAlias: { conf: "nginx" },
  },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    sidebar: readSidebar(),
  },
  buildEnd({ outDir }) {
    for (const path of sources) {
      cpSync(join(ROOT, path), `${outDir}/source/${path}.txt`);
    }
  },
});

/** The table of the front page that leads to all others: a row in bold before each group. */
function readSidebar() {
  const [, table = ""] = readFileSync(`${ROOT}/README.md`, "utf8").split("## Read on\n");
  const groups: { text: string; items: { text: string; link: string }[] }[] = [];
  for (const row of table.split("\n").filter((line) => line.startsWith("| "))) {
    const links = [...row.matchAll(/\]\(([^)]+\.md)\)/g)].map(([, path]) => path!);
    const [, title = ""] = row.split("|");
    if (links.length === 0 && /\w/.test(title)) groups.push({ text: toTitle(title), items: [] });
    const items = links.map((path) => ({ text: readTitle(path), link: `/${toSitePath(path)}` }));
    groups.at(-1)?.items.push(...items);
  }
  return groups.filter(({ items }) => items.length > 0);
}

function toTitle(cell: string): string {
  const text = cell.replaceAll("*", "").trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function readTitle(path: string): string {
  return /^# (.*)$/m.exec(readFileSync(join(ROOT, path), "utf8"))![1]!;
}

function toSitePath(path: string): string {
  return path.replace(/(^|\/)README\.md\b/, "$1index.md");
}

/** As GitHub does, so that links work there and here. */
function toAnchor(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-");
}

/** Links lead to where a page or a file is on the site; diagrams in Mermaid are for where they are drawn. */
function adapt({ tokens, env }: Parsed): void {
  tokens.splice(0, tokens.length, ...tokens.filter(({ info }) => info !== "mermaid"));
  const page: string = env.relativePath ?? "";
  for (const link of tokens.flatMap(({ children }) => children ?? [])) {
    const href = link.type === "link_open" ? link.attrGet("href")! : "#";
    if (!/^([a-z]+:|#)/.test(href)) link.attrSet("href", toSiteLink(page, href));
  }
}

function toSiteLink(page: string, href: string): string {
  if (/\.md(#|$)/.test(href)) return toSitePath(href);
  const path = posix.join(posix.dirname(page), href);
  sources.add(path);
  return `/source/${path}.txt`;
}

/**
 * What stands in the documents: code blocks, headings, links.
 *
 * The first word behind the backticks is the language. A second one marks what is not run as it stands:
 * `fragment`, a part of a program, whose types are checked; `by-hand`, commands that need what a test has not
 * (docker, a registry, the NATS CLI, an hour), whose syntax is checked. A block that begins with a comment that is
 * a file's name (`// hello.ts`, `# h8s.yaml`) is that file for the commands below it.
 *
 * @module
 */

/** The repository's root, with a slash at its end. */
export const ROOT: string = new URL("../../", import.meta.url).pathname;

/** One code block. */
export interface Block {
  /** E.g. `"docs/install.md:12"`. */
  readonly at: string;
  readonly line: number;
  readonly language: string;
  readonly mark: string | undefined;
  /** The file that it is, if it says so. */
  readonly file: string | undefined;
  readonly text: string;
}

/** A document. */
export interface Document {
  /** From the root, e.g. `"docs/install.md"`. */
  readonly path: string;
  readonly blocks: readonly Block[];
  /** Its text without its code blocks. */
  readonly prose: string;
}

/** All documents of the repository. */
export function readDocuments(): Document[] {
  return listFiles("").sort().map((path) => toDocument(path, Deno.readTextFileSync(ROOT + path)));
}

/** Those whose blocks are for users to copy. */
export function readGuides(): Document[] {
  return readDocuments().filter(({ path }) => /^(README|docs\/[\w-]+)\.md$/.test(path));
}

function listFiles(folder: string): string[] {
  return [...Deno.readDirSync(ROOT + folder)].flatMap(({ name, isDirectory }) => {
    if (isDirectory) {
      return /^(\.|node_modules|dist)/.test(name) ? [] : listFiles(`${folder}${name}/`);
    }
    return name.endsWith(".md") ? [folder + name] : [];
  });
}

/**
 * Splits a document.
 *
 * @param path What to call it.
 */
export function toDocument(path: string, text: string): Document {
  const blocks: Block[] = [];
  const prose = text.replaceAll(
    /^( *)```(.*)\n([^]*?)^ *```$/gm,
    (_, indent: string, info: string, inner: string, offset: number) => {
      const line = text.slice(0, offset).split("\n").length;
      const [language = "", mark] = info.trim().split(/\s+/);
      const unindented = inner.replaceAll(new RegExp(`^${indent}`, "gm"), "");
      const file = /^(?:\/\/|#) ([\w.-]+\.\w+)\n/.exec(unindented)?.[1];
      blocks.push({ at: `${path}:${line}`, line, language, mark, file, text: unindented });
      return "";
    },
  );
  return { path, blocks, prose };
}

/**
 * A registry that speaks JSR's protocol on loopback: takes what `deno publish` sends, and serves it.
 *
 * What other packages of JSR the published one wants stands here for the npm package of the same name, so
 * that this needs no JSR. https://jsr.io/docs/api
 *
 * @module
 */
import { createHash } from "node:crypto";

/** Files by their path, which begins with a slash. */
type Files = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

interface Package {
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly files: Files;
}

/** Runs until it is disposed of. */
export class Registry implements AsyncDisposable {
  readonly #packages = new Map<string, Package>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** @param imports An import map's: whose `jsr:` entries are stood in for. */
  constructor(imports: Readonly<Record<string, string>>) {
    for (const [name, specifier] of Object.entries(imports)) this.#standIn(name, specifier);
    const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#server = Deno.serve(options, (request) => this.#answer(request));
  }

  /** What to set `JSR_URL` to. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  /** The paths of what was published. */
  filesOf(name: string): string[] {
    return [...this.#packages.get(name)?.files.keys() ?? []];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  #standIn(alias: string, specifier: string): void {
    const parts = /^jsr:(?<name>@[^/]+\/[^@]+)@\^(?<version>[\d.]+)(?<path>\/.*)?$/.exec(specifier);
    if (parts === null) return;
    const { name, version, path = "" } = parts.groups as Record<string, string>;
    const file = `${path || "/mod"}.ts`;
    const before = this.#packages.get(name!);
    const base = alias.slice(0, alias.length - path.length);
    const code = new TextEncoder().encode(`export * from "npm:${base}@^${version}${path}";\n`);
    this.#packages.set(name!, {
      version: version!,
      exports: { ...before?.exports, [`.${path}`]: `.${file}` },
      files: new Map([...before?.files ?? [], [file, code]]),
    });
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const [, scope, name, version] =
      /^\/api\/scopes\/([^/]+)\/packages\/([^/]+)(?:\/versions\/([^/]+))?$/.exec(pathname) ?? [];
    if (request.method === "POST" && version !== undefined) {
      await this.#publish(`@${scope}/${name}`, version, request);
      return Response.json({ id: "1", status: "success", error: null });
    }
    const isPackage = name !== undefined && version === undefined;
    if (isPackage) return Response.json({ scope, name, latestVersion: null });
    return this.#serve(pathname) ?? new Response("Not found", { status: 404 });
  }

  async #publish(name: string, version: string, request: Request): Promise<void> {
    const files = await untar(request.body!);
    const { exports } = JSON.parse(new TextDecoder().decode(files.get("/deno.json")));
    this.#packages.set(name, { version, exports, files });
  }

  #serve(pathname: string): Response | undefined {
    const [, name = "", rest = ""] = /^\/(@[^/]+\/[^/]+)\/(.+)$/.exec(pathname) ?? [];
    const found = this.#packages.get(name);
    if (found === undefined) return undefined;
    const { version, exports, files } = found;
    if (rest === "meta.json") {
      const [scope, short] = name.slice(1).split("/");
      return Response.json({ scope, name: short, latest: version, versions: { [version]: {} } });
    }
    if (rest === `${version}_meta.json`) {
      const manifest = Object.fromEntries([...files].map(([path, bytes]) => [path, {
        size: bytes.length,
        checksum: `sha256-${createHash("sha256").update(bytes).digest("hex")}`,
      }]));
      return Response.json({ manifest, exports });
    }
    const bytes = files.get(rest.slice(version.length));
    const headers = {
      "content-type": rest.endsWith(".json") ? "application/json" : "text/typescript",
    };
    return bytes === undefined ? undefined : new Response(bytes, { headers });
  }
}

async function untar(body: ReadableStream<Uint8Array>): Promise<Files> {
  const folder = await Deno.makeTempDir({ prefix: "h8s-published-" });
  try {
    await Deno.writeFile(`${folder}.tgz`, body);
    await new Deno.Command("tar", { args: ["-xzf", `${folder}.tgz`, "-C", folder] }).output();
    const files = new Map<string, Uint8Array<ArrayBuffer>>();
    await collect(folder, "", files);
    return files;
  } finally {
    await Deno.remove(folder, { recursive: true });
    await Deno.remove(`${folder}.tgz`);
  }
}

async function collect(
  folder: string,
  path: string,
  files: Map<string, Uint8Array<ArrayBuffer>>,
): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder + path)) {
    if (isDirectory) await collect(folder, `${path}/${name}`, files);
    else files.set(`${path}/${name}`, await Deno.readFile(`${folder}${path}/${name}`));
  }
}

/**
 * A tab that answers requests, with all that it needs: `deno run -A examples/tab/start.ts`.
 *
 * @module
 */
import { startGateway } from "../../lib/mod.ts";
import { announceNats, startNats } from "../../tests/harness/nats_server.ts";

const HERE = new URL(".", import.meta.url).pathname;

/**
 * Bundles the page and serves it.
 *
 * @param port 0 for a free one.
 * @returns The server.
 */
export async function servePage(port: number): Promise<Deno.HttpServer<Deno.NetAddr>> {
  const folder = await Deno.makeTempDir({ prefix: "h8s-tab-" });
  // What opens sockets is in a file of its own then, which a page does not load.
  const how = ["--platform", "browser", "--code-splitting", "--minify", "--outdir", folder];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", ...how, "tab.ts"],
    cwd: HERE,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  await Deno.copyFile(`${HERE}tab.html`, `${folder}/tab.html`);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port, onListen: () => {} },
    async (request) => {
      const [, name = ""] = /^\/([\w.-]+)$/.exec(new URL(request.url).pathname) ?? [];
      try {
        const type = name.endsWith(".js") ? "text/javascript" : "text/html; charset=utf-8";
        const body = await Deno.readFile(`${folder}/${name}`);
        return new Response(body, { headers: { "content-type": type } });
      } catch {
        return new Response("Not here\n", { status: 404 });
      }
    },
  );
  void server.finished.then(() => Deno.remove(folder, { recursive: true }));
  return server;
}

if (import.meta.main) {
  await announceNats();
  await using _nats = await startNats({
    jetstream: false,
    port: 4222,
    config: `websocket { listen: "127.0.0.1:9222", no_tls: true }`,
  });
  await using gateway = startGateway({ listen: "127.0.0.1:8080", logLevel: "warn" });
  await gateway.connected;
  await using page = await servePage(8000);
  console.log("Open http://127.0.0.1:8000/tab.html, then: curl -i http://localhost:8080/anything");
  await page.finished;
}

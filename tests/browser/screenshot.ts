/**
 * Takes the picture of the admin page that the documents show: `deno task screenshot`.
 *
 * @module
 */
import { AdminWorld } from "./admin_world.ts";
import { launch } from "./chromium.ts";
import { natsHeaders } from "../harness/setup.ts";
import { pause } from "../../lib/time/within.ts";

const PICTURE = new URL("../../docs/images/page.png", import.meta.url).pathname;
/** As many requests a tenth of a second, for a minute. */
const MOST_AT_ONCE = 8;
const LENGTH_MS = 60_000;

await using browser = await launch();
await using world = await AdminWorld.open(browser, { requestTimeout: "1s" }, {
  viewport: { width: 1280, height: 860 },
});
const { nc, page } = world;
const headers = natsHeaders(["Content-Length", "2"]);
nc.subscribe("h8s.http.GET.127.0.0.1.products.>", {
  callback: (_, message) => {
    const luck = Math.random();
    const ms = luck < 0.9 ? 12 * luck : luck < 0.99 ? 300 * (luck - 0.85) : 700;
    setTimeout(() => message.respond("ok", { headers }), ms);
  },
});
for (const room of ["lobby", "kitchen", "garden"]) await world.connect(`/rooms/${room}`);
const paths = ["/cart/7", "/products/3", "/products/12", "/products/8"];
for (let at = 0; at < LENGTH_MS; at += 100) {
  const count = Math.round(MOST_AT_ONCE * (0.6 + 0.4 * Math.sin(at / 6000)));
  for (let index = 0; index < count; index++) void world.ask(paths[index % paths.length]!);
  if (at % 2500 === 0) void world.ask("/nobody");
  if (at % 4000 === 0) void world.ask("/cart/7", { authorization: "Bearer wrong" });
  await pause(100);
}
await page.goto(world.url);
await page.locator("#now-p50").filter({ hasText: "ms" }).waitFor();
await Deno.mkdir(new URL(".", `file://${PICTURE}`), { recursive: true });
await page.screenshot({ path: PICTURE });
console.log(PICTURE);

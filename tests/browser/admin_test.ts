/// <reference lib="dom" />
import assert from "node:assert/strict";
import type { Browser, Locator, Page } from "playwright-core";
import { browserTests, launch } from "./chromium.ts";
import { AdminWorld, KEY } from "./admin_world.ts";

/** What a hostile client sends: markup wherever there is a place for text. */
const MARKUP = "<img src=x onerror=document.title='hurt'>";

/** Waits for a text that is there at some time. */
async function has(where: Locator, text: string | RegExp): Promise<void> {
  await where.filter({ hasText: text }).first().waitFor();
}

async function goTo(page: Page, view: string): Promise<void> {
  await page.getByRole("link", { name: view }).click();
  await page.getByRole("heading", { level: 2, name: view }).waitFor();
}

/** Nothing is wider than the screen, and all has a name. */
async function fitsPhone(browser: Browser, colorScheme: "light" | "dark"): Promise<void> {
  await using world = await AdminWorld.open(browser, {}, {
    viewport: { width: 390, height: 844 },
    colorScheme,
  });
  const { page } = world;
  await world.connect("/rooms/lobby");
  for (const view of ["overview", "routes", "cluster", "connections", "explorer"]) {
    await page.goto(`${world.url}/#${view}`);
    await has(page.locator("#live"), "Live");
    const { scrollWidth, clientWidth } = await page.evaluate(() => ({
      scrollWidth: document.documentElement.scrollWidth,
      clientWidth: document.documentElement.clientWidth,
    }));
    assert.ok(scrollWidth <= clientWidth, `${view}: ${scrollWidth} > ${clientWidth}`);
    const unnamed = await page.locator("button, input, select, a").evaluateAll((all) =>
      all.filter((element) => {
        const labels = "labels" in element ? [...element.labels as NodeListOf<Element>] : [];
        const text = [element, ...labels].map(({ textContent }) => textContent).join("").trim();
        return text === "" && !element.hasAttribute("aria-label");
      }).length
    );
    assert.equal(unnamed, 0, view);
  }
  assert.deepEqual(world.complaints, []);
}

browserTests("the admin page", launch, {
  "who has the key logs in, stays logged in, and logs out": async (browser) => {
    await using world = await AdminWorld.open(browser, { adminKey: KEY });
    const { page } = world;
    await page.goto(world.url);
    await page.getByLabel("Admin key").fill("not the key at all");
    await page.getByRole("button", { name: "Log in" }).click();
    await has(page.getByRole("alert"), "That is not the key");
    await page.getByLabel("Admin key").fill(KEY);
    await page.keyboard.press("Enter");
    await has(page.locator("#live"), "Live");
    await page.reload();
    await has(page.locator("#live"), "Live");
    assert.deepEqual(await page.evaluate(() => document.cookie), "");
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Admin key").waitFor();
  },
  "the overview shows rates, latency, and what failed with its last example": async (browser) => {
    await using world = await AdminWorld.open(browser);
    const { page } = world;
    await page.goto(world.url);
    await has(page.locator("#ready"), "Ready");
    await world.ask("/cart/7");
    await world.ask("/nobody");
    const failed = page.locator("#errors li").filter({ hasText: "no_responders" });
    await failed.waitFor();
    await failed.locator("summary").click();
    await has(failed.locator(".facts"), "h8s.http.GET.127.0.0.1.nobody");
    await has(page.locator("#now-p50"), /ms/);
    // Something is drawn, in each of them.
    for (const chart of await page.locator(".chart canvas").all()) {
      const drawn = await chart.evaluate((canvas) => {
        const { width, height } = canvas as HTMLCanvasElement;
        const context = (canvas as HTMLCanvasElement).getContext("2d")!;
        return context.getImageData(0, 0, width, height).data.some((value) => value !== 0);
      });
      assert.ok(drawn);
    }
    await page.getByLabel("1 min").check();
    await page.getByRole("button", { name: "Pause" }).click();
    await has(page.locator("#live"), "Paused");
  },
  "the heat map has a cell for each bucket that was hit": async (browser) => {
    await using world = await AdminWorld.open(browser);
    const { page } = world;
    await page.goto(world.url);
    await has(page.locator("#live"), "Live");
    const count = () =>
      page.locator("#chart-latency canvas").evaluate((element) => {
        const canvas = element as HTMLCanvasElement;
        const probe = document.createElement("span");
        document.body.append(probe);
        probe.style.color = "var(--heat-6)";
        const [red, green, blue] = getComputedStyle(probe).color.match(/\d+/g)!.map(Number);
        probe.remove();
        const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
        let pixels = 0;
        for (let index = 0; index < data.length; index += 4) {
          const isCell = data[index] === red && data[index + 1] === green &&
            data[index + 2] === blue;
          if (isCell) pixels++;
        }
        return pixels;
      });
    assert.equal(await count(), 0);
    await world.ask("/cart/7");
    await has(page.locator("#now-p50"), /ms/);
    assert.ok(await count() > 4);
  },
  "routes, gateways and workloads have their traffic": async (browser) => {
    await using world = await AdminWorld.open(browser);
    const { page } = world;
    await page.goto(world.url);
    await world.ask("/cart/7");
    await goTo(page, "Routes");
    const route = page.getByRole("row").filter({ hasText: "127.0.0.1/cart/:id" });
    await has(route.locator(".requests"), "1");
    await has(route, "asks: key");
    await goTo(page, "Cluster");
    await has(page.locator("#gateway-rows tr"), "this one");
    const workload = page.locator("#workload-rows tr").filter({ hasText: "127.0.0.1" });
    await has(workload.locator(".registered"), "GET /cart and below");
    await has(workload.locator(".answered"), "1");
  },
  "a connection is found by its path, and closed with a code, by keyboard alone": async (
    browser,
  ) => {
    await using world = await AdminWorld.open(browser);
    const { page } = world;
    const [lobby, other] = [await world.connect("/rooms/lobby"), await world.connect("/other")];
    await page.goto(`${world.url}/#connections`);
    await has(page.locator("#found"), "2 connections");
    await page.getByLabel("Path begins with").fill("/rooms");
    await page.keyboard.press("Enter");
    await has(page.locator("#found"), "1 connection");
    await page.getByRole("button", { name: /^Close the connection of/ }).press("Enter");
    await page.getByLabel("Code").selectOption("4000");
    await page.getByLabel(/^Reason/).fill("bye");
    await page.keyboard.press("Enter");
    const { code, reason } = await lobby.closed;
    assert.deepEqual([code, reason], [4000, "bye"]);
    assert.equal(other.socket.readyState, WebSocket.OPEN);
    await has(page.locator("#found"), "was told to close with 4000");
  },
  "the explorer tells the subject of a URL, its route, its checks, and who listens": async (
    browser,
  ) => {
    await using world = await AdminWorld.open(browser);
    const { page } = world;
    await page.goto(`${world.url}/#explorer`);
    await page.getByLabel("URL").fill("http://127.0.0.1/cart/7.html");
    await has(page.locator("#verdict"), "Goes to h8s.http.GET.127.0.0.1.cart.7%2Ehtml");
    assert.deepEqual(
      await page.locator(".token").evaluateAll((all) =>
        all.map(({ firstChild }) => firstChild?.textContent)
      ),
      ["h8s", "http", "GET", "127", "0", "0", "1", "cart", "7%2Ehtml"],
    );
    await has(page.locator("#route"), ":id = 7%2Ehtml");
    await has(page.locator("#checks li.asks"), "a key");
    await has(page.locator("#listeners"), "GET 127.0.0.1/cart and below");
    // Its address is a link to the same question.
    await page.reload();
    await has(page.locator("#verdict"), "Goes to h8s.http.GET.127.0.0.1.cart.7%2Ehtml");
    await page.getByLabel("URL").fill("http://else.example/");
    await has(page.locator("#verdict"), "Refused with 403");
  },
  "the tap shows heads without secrets, while it is watched": async (browser) => {
    await using world = await AdminWorld.open(browser, { adminTap: true });
    const { page } = world;
    await page.goto(`${world.url}/#explorer?url=http%3A%2F%2F127.0.0.1%2Fcart%2F7`);
    await page.getByRole("button", { name: "Watch" }).click();
    await has(page.locator("#tap-note"), "Watching h8s.http.GET.127.0.0.1.cart.7");
    await world.ask("/cart/7", { "x-api-key": "s3cret", "x-kind": MARKUP });
    const head = page.locator("#tap li").first();
    await head.locator("summary").click();
    await has(head.locator(".facts"), MARKUP);
    assert.doesNotMatch(await head.textContent() ?? "", /s3cret/);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("button", { name: "Watch" }).waitFor();
  },
  "what clients send is text, wherever it is shown": async (browser) => {
    await using world = await AdminWorld.open(browser);
    const { page } = world;
    await page.goto(world.url);
    await world.ask(`/${MARKUP.replaceAll(" ", "+")}`, { "user-agent": MARKUP });
    await page.locator("#errors summary").first().click();
    await has(page.locator("#errors .facts"), MARKUP);
    await world.connect(`/rooms/x?name=${encodeURIComponent(MARKUP)}`);
    await goTo(page, "Connections");
    await has(page.locator("#connection-rows"), "name=");
    await page.goto(
      `${world.url}/#explorer?url=${
        encodeURIComponent(`http://127.0.0.1/${MARKUP.replaceAll(" ", "%20")}`)
      }`,
    );
    await has(page.locator("#verdict"), "Goes to");
    assert.equal(await page.locator("main img").count(), 0);
    assert.match(await page.title(), /^h8s gateway/);
    assert.deepEqual(world.complaints, []);
  },
  "on a phone nothing is wider than the screen, all has a name, light": (browser) =>
    fitsPhone(browser, "light"),
  "on a phone nothing is wider than the screen, all has a name, dark": (browser) =>
    fitsPhone(browser, "dark"),
});

/**
 * A Hono app like any other: it knows nothing of NATS.
 *
 * @module
 */
import { Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { streamSSE, streamText } from "hono/streaming";

const ONE_PIXEL = Uint8Array.from([71, 73, 70, 56, 57, 97, 1, 0, 1, 0, 0, 255, 0, 44, 0, 59]);

/** Ten routes of different kinds. */
export const app: Hono = new Hono();

app.get("/", (c) => c.html("<h1>Hono over NATS</h1>"));
app.get("/json", (c) => c.json({ ok: true, query: c.req.query() }));
app.get("/users/:name", (c) => c.text(`Hello, ${c.req.param("name")}!`));
app.get("/pixel.gif", (c) => c.body(ONE_PIXEL, 200, { "content-type": "image/gif" }));
app.get("/old", (c) => c.redirect("/", 301));
app.get("/headers", (c) => c.json(c.req.header("x-question") ?? null, 200, { "x-answer": "42" }));
app.post("/echo", async (c) => c.body(await c.req.arrayBuffer()));
app.put("/form", async (c) => c.json(await c.req.parseBody()));
app.get("/cookies", (c) => {
  setCookie(c, "visits", String(Number(getCookie(c, "visits") ?? 0) + 1), { path: "/" });
  setCookie(c, "theme", "dark", { httpOnly: true, maxAge: 60 });
  deleteCookie(c, "old");
  return c.text("set");
});
app.get("/stream", (c) =>
  streamText(c, async (stream) => {
    for (let line = 1; line <= 5; line++) await stream.writeln(`line ${line}`);
  }));
app.get("/events", (c) =>
  streamSSE(c, async (stream) => {
    for (let id = 1; id <= 3; id++) await stream.writeSSE({ id: String(id), data: `event ${id}` });
  }));
app.delete("/gone", (c) => c.body(null, 204));

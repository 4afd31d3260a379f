import assert from "node:assert/strict";
import { createPages, type PagesParts } from "../../examples/rooms/pages.ts";

Deno.test("GET /users of the rooms is answered OK", async () => {
  const pages = createPages({} as PagesParts);
  const response = await pages(new Request("http://127.0.0.1/users"));
  assert.equal(response.status, 200);
  assert.equal(await response.text(), "OK");
  assert.equal((await pages(new Request("http://127.0.0.1/users/ann"))).status, 404);
});

import assert from "node:assert/strict";
import { connect } from "@nats-io/transport";
import { serve } from "../../lib/workload/mod.ts";
import { readOpenRights } from "../harness/rights.ts";
import { answer, listen, natsHeaders, setUp } from "../harness/setup.ts";

const COUNT = 250;
const WORKLOADS = 25;
const LARGE = new Uint8Array(1_000_000);

Deno.test("250 replies of 1 MB at once: all whole, and nobody else waits for who does not read", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  await using service = serve(nc, { host: "*" }, ({ url }) => {
    return new Response(url.endsWith("/large") ? LARGE : "small");
  });
  await service.ready;
  const large = await Promise.all(
    Array.from({ length: COUNT }, () => fetch(`${gateway.url}/large`)),
  );
  assert.ok(large.every(({ headers }) => headers.get("content-length") === `${LARGE.length}`));
  for (let count = 0; count < 20; count++) {
    assert.equal(await (await fetch(`${gateway.url}/small`)).text(), "small");
  }
  for (const response of large) {
    assert.equal((await response.arrayBuffer()).byteLength, LARGE.length);
  }
  assert.deepEqual(gateway.lines.filter(({ message }) => message === "nats disconnected"), []);
});

Deno.test("the same of workloads that know nothing of credit", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const headers = natsHeaders(["Content-Length", `${LARGE.length}`]);
  await answer(nc, "h8s.http.GET.127.0.0.1.large", () => ({ data: LARGE, headers }));
  await answer(nc, "h8s.http.GET.127.0.0.1.small", () => ({ data: "small" }));
  const large = Array.from({ length: COUNT }, async () => {
    const response = await fetch(`${gateway.url}/large`);
    return (await response.arrayBuffer()).byteLength;
  });
  for (let count = 0; count < 20; count++) {
    assert.equal(await (await fetch(`${gateway.url}/small`)).text(), "small");
  }
  assert.deepEqual(new Set(await Promise.all(large)), new Set([LARGE.length]));
  assert.deepEqual(gateway.lines.filter(({ message }) => message === "nats disconnected"), []);
});

Deno.test("the same on as many subjects, of many workloads, where NATS lets less wait", async () => {
  // Of one connection nats-server itself slows down what a third does not read fast enough.
  const config = `${readOpenRights()}\nmax_pending: 16MiB`;
  await using setup = await setUp(["--reply-total", "4MiB"], { config });
  const { nats, nc, gateway } = setup;
  const headers = natsHeaders(["Content-Length", `${LARGE.length}`]);
  await using workloads = new AsyncDisposableStack();
  for (let count = 0; count < WORKLOADS; count++) {
    const own = workloads.adopt(await connect({ servers: nats.url }), (own) => own.close());
    own.subscribe("h8s.http.GET.127.0.0.1.large.*", {
      queue: "workloads",
      callback: (_error, message) => void message.respond(LARGE, { headers }),
    });
    await own.flush();
  }
  await answer(nc, "h8s.http.GET.127.0.0.1.small.*", () => ({ data: "small" }));
  const getSmall = async (name: string) => {
    assert.equal(await (await fetch(`${gateway.url}/small/${name}`)).text(), "small");
  };
  for (let count = 0; count < 100; count++) await getSmall(`before-${count}`);
  const large = Array.from({ length: COUNT }, async (_, index) => {
    const response = await fetch(`${gateway.url}/large/${index}`);
    return (await response.arrayBuffer()).byteLength;
  });
  for (let count = 0; count < 20; count++) await getSmall(`among-${count}`);
  assert.deepEqual(new Set(await Promise.all(large)), new Set([LARGE.length]));
  assert.deepEqual(gateway.lines.filter(({ message }) => message === "nats disconnected"), []);
  assert.ok(await gateway.metric("h8s_http_requests_held_total") > 0);
});

Deno.test("replies that come together reach each client as they were sent", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const requests = await listen(nc, "h8s.http.GET.>");
  const bodies = Array.from({ length: 90 }, (_, index) => {
    const length = [10, 20_000, 40_000][index % 3]!;
    return String.fromCharCode(32 + index).repeat(length);
  });
  const texts = bodies.map((_, index) => fetch(`${gateway.url}/${index}`).then((it) => it.text()));
  const waiting = await Promise.all(bodies.map(() => requests.next()));
  const streams: [reply: string, body: string][] = [];
  for (const { reply, subject } of waiting) {
    const index = Number(subject.split(".").at(-1));
    const body = bodies[index]!;
    if (index % 2 === 0) {
      nc.publish(reply!, body, { headers: natsHeaders(["Content-Length", `${body.length}`]) });
    } else {
      nc.publish(reply!, body.slice(0, 7), { headers: natsHeaders(["Status", "200"]) });
      streams.push([reply!, body.slice(7)]);
    }
  }
  for (const [reply, rest] of streams) {
    for (let at = 0; at < rest.length; at += 700) nc.publish(reply, rest.slice(at, at + 700));
    nc.publish(reply, "");
  }
  assert.deepEqual(await Promise.all(texts), bodies);
});

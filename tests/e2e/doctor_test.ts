import assert from "node:assert/strict";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport";
import type { Finding } from "../../lib/commands/doctor/finding.ts";
import { Certificate } from "../harness/certificate.ts";
import { startNats } from "../harness/nats_server.ts";
import { runMain } from "../harness/program.ts";
import { asGateway, readRights } from "../harness/rights.ts";
import { answer, natsHeaders, setUp } from "../harness/setup.ts";

async function examine(...args: string[]): Promise<{ code: number; findings: Finding[] }> {
  const all = ["doctor", "--json", "--wait", "300ms", "--request-timeout", "300ms", ...args];
  const { code, stdout } = await runMain(all, { permissions: ["-A"] });
  const findings = stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as Finding);
  return { code, findings };
}

function wrong(findings: readonly Finding[]): string[] {
  return findings.filter(({ verdict }) => verdict === "wrong")
    .map(({ check, text }) => `${check}: ${text}`);
}

Deno.test("the doctor finds nothing wrong with what runs, with the gateway's own rights", async () => {
  await using setup = await setUp([], { jetstream: true });
  const { nats, nc, gateway } = setup;
  await answer(nc, "h8s.http.GET.example.shop.>", () => ({ data: "hello" }));
  const { code, findings } = await examine("--nats-url", asGateway(nats.url), "shop.example/cart");
  assert.deepEqual(wrong(findings), []);
  assert.equal(code, 0);
  const ok = findings.filter(({ verdict }) => verdict === "ok").map(({ check }) => check);
  for (const check of ["nats", "rights", "jetstream", "in the way", "gateways", "round trip"]) {
    assert.ok(ok.includes(check), check);
  }
  // What was tried has done nothing.
  assert.equal((await gateway.admin("/readyz")).status, 200);
  const { streams } = await jetstreamManager(nc);
  assert.equal((await streams.info("KV_h8s-connections")).state.messages, 0);
});

Deno.test("the doctor names what is wrong, and what mends it", async (t) => {
  await t.step("NATS is away, or refuses the login", async () => {
    const away = await examine("--nats-url", "nats://127.0.0.1:1");
    assert.equal(away.code, 1);
    assert.match(wrong(away.findings).join(), /^nats: Cannot reach NATS at /);
    await using nats = await startNats({ jetstream: false, config: readRights() });
    const refused = await examine("--nats-url", nats.url.replace("//", "//h8s:no@"));
    assert.match(wrong(refused.findings).join(), /^login: NATS at .* refuses the login/);
  });

  await t.step("rights that are missing", async () => {
    const config = readRights().replace('"h8s.http.>"', "").replace(
      '"h8s.control.ws.conn.list"',
      "",
    );
    await using nats = await startNats({ config });
    const { code, findings } = await examine("--nats-url", asGateway(nats.url));
    assert.equal(code, 1);
    assert.deepEqual(wrong(findings), [
      "rights: NATS does not permit to publish h8s.http.>",
      "rights: NATS does not permit to subscribe h8s.control.ws.conn.list",
    ]);
    const { mend } = findings.find(({ verdict }) => verdict === "wrong")!;
    assert.match(mend!, /allow the user to publish "h8s\.http\.>"/);
  });

  await t.step("a stream in the way, with the gateway's rights and with all", async () => {
    await using nats = await startNats({ config: `no_auth_user: workload\n${readRights()}` });
    const nc = await connect({ servers: nats.url });
    const { streams } = await jetstreamManager(nc);
    await streams.add({ name: "AUDIT", subjects: ["h8s.http.>"] });
    for (const url of [nats.url, asGateway(nats.url)]) {
      const { findings } = await examine("--nats-url", url);
      assert.match(wrong(findings).join(), /^in the way: the stream AUDIT captures h8s\.http\.>/);
    }
    assert.equal((await streams.info("AUDIT")).state.messages, 0);
    const asked = await examine("--nats-url", nats.url, "shop.example/");
    assert.match(wrong(asked.findings).join(), /round trip: the stream AUDIT answers on h8s\.http/);
    await nc.close();
  });

  await t.step("no JetStream, a stream that is otherwise", async () => {
    await using off = await startNats({ jetstream: false });
    const { findings } = await examine("--nats-url", off.url, "--persist", "said");
    assert.match(wrong(findings).join(), /jetstream: off/);
    await using on = await startNats();
    const nc = await connect({ servers: on.url });
    const { streams } = await jetstreamManager(nc);
    await streams.add({ name: "said", subjects: ["said"] });
    const other = await examine("--nats-url", on.url, "--persist", "said");
    assert.match(wrong(other.findings).join(), /stream: .*subjects lack "h8s\.ws\.ws\.>"/);
    await nc.close();
  });

  await t.step("a workload on another prefix, one that is not there, one that fails", async () => {
    await using nats = await startNats({ jetstream: false });
    const nc = await connect({ servers: nats.url });
    const timer = setInterval(() =>
      nc.publish(
        "acme.control.interest.register.example.shop",
        '{"host":"shop.example","path":"/","method":"GET"}',
      ), 50);
    const off = ["--connection-records", "off"];
    const { findings } = await examine("--nats-url", nats.url, "shop.example/", ...off);
    clearInterval(timer);
    assert.deepEqual(wrong(findings), [
      "workloads: a workload for shop.example registers under acme",
      "round trip: 503: nobody subscribes to h8s.http.GET.example.shop",
    ]);
    const fails = natsHeaders(["Status-Code", "502"], ["Content-Length", "0"]);
    await answer(nc, "h8s.http.GET.example.shop", () => ({ headers: fails }));
    const down = await examine("--nats-url", nats.url, "shop.example/", ...off);
    assert.match(wrong(down.findings).join(), /^round trip: 502 in \d+ ms/);
    await nc.close();
  });

  await t.step("a server whose messages are too small, and too few descriptors", async () => {
    await using nats = await startNats({ jetstream: false, config: "max_payload: 16384" });
    const { findings } = await examine("--nats-url", nats.url, "--max-connections", "999999999");
    assert.match(wrong(findings).join(), /max_payload: 16384 bytes/);
    assert.match(
      wrong(findings).join(),
      /descriptors: \d+, fewer than --max-connections 999999999/,
    );
    const { mend } = findings.find(({ check }) => check === "descriptors")!;
    assert.equal(mend, "ulimit -n 1000000063");
  });

  await t.step("a workload that hears and does not answer", async () => {
    await using nats = await startNats({ jetstream: false });
    const nc = await connect({ servers: nats.url });
    nc.subscribe("h8s.http.GET.example.shop");
    await nc.flush();
    const { code, findings } = await examine("--nats-url", nats.url, "shop.example/");
    assert.equal(code, 1);
    assert.match(
      wrong(findings).join(),
      /round trip: 504: no answer on h8s\.http\.GET\.example\.shop in \d+ ms/,
    );
    await nc.close();
  });

  await t.step("a gateway of another version, whose clock is another", async () => {
    await using nats = await startNats({ jetstream: false });
    const nc = await connect({ servers: nats.url });
    const subscription = nc.subscribe("h8s.control.ws.conn.list");
    const answered = (async () => {
      for await (const message of subscription) {
        const about = {
          ...{ version: "0.0.1", listen: "10.0.0.7:8080", connections: 0 },
          ...{ since: new Date(0).toISOString(), now: new Date(Date.now() - 60_000).toISOString() },
        };
        message.respond(JSON.stringify({ gateway: "G7", connections: [], about }));
      }
    })();
    await nc.flush();
    const { code, findings } = await examine("--nats-url", nats.url);
    assert.equal(code, 1);
    const version = findings.find(({ check }) => check === "gateways")!;
    assert.deepEqual([version.verdict, version.text.split(", ")[0]], ["note", "G7 runs 0.0.1"]);
    assert.match(wrong(findings).join(), /clock: this clock is (59|60|61) s ahead of G7/);
    await nc.close();
    await answered;
  });

  await t.step("TLS: a certificate that nobody vouches for, and one that is named", async () => {
    await using certificate = await Certificate.create();
    const { certFile, keyFile } = certificate;
    const config = `tls { cert_file: "${certFile}", key_file: "${keyFile}" }`;
    await using nats = await startNats({ jetstream: false, config });
    const url = nats.url.replace("nats://", "tls://");
    const unknown = await examine("--nats-url", url);
    assert.equal(unknown.code, 1);
    assert.match(wrong(unknown.findings).join(), /^tls: NATS at .* and TLS: /);
    const known = await examine("--nats-url", url, "--nats-ca", certFile);
    const { verdict, text } = known.findings.find(({ check }) => check === "tls")!;
    assert.deepEqual([verdict, text], ["ok", "encrypted"]);
  });
});

import assert from "node:assert/strict";
import { Kvm } from "@nats-io/kv";
import { nkeyAuthenticator, nkeys } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport";
import { stringify } from "yaml";
import { Certificate } from "../harness/certificate.ts";
import { GatewayProcess } from "../harness/gateway.ts";
import { createNatsAccount, toSeed } from "../harness/nats_account.ts";
import { startNats } from "../harness/nats_server.ts";
import { Program, runMain } from "../harness/program.ts";

Deno.test("the gateway takes its credentials from standard input, with the net permission alone", async () => {
  const { config, creds } = createNatsAccount();
  await using nats = await startNats({ jetstream: false, config });
  const flags = ["--nats-url", nats.url, "--nats-creds", "-"];
  await using gateway = await GatewayProcess.start(flags, { stdin: creds });
  assert.equal((await gateway.admin("/readyz")).status, 200);
});

Deno.test("the gateway takes credentials and certificates that stand in its YAML", async () => {
  await using certificate = await Certificate.create();
  const { config, creds } = createNatsAccount();
  const { certFile, keyFile, ca } = certificate;
  const tls = `tls { cert_file: "${certFile}", key_file: "${keyFile}" }`;
  await using nats = await startNats({ jetstream: false, config: `${config}\n${tls}` });
  const natsUrl = [`tls://127.0.0.1:${nats.port}`];
  const stdin = stringify({ natsUrl, natsCreds: creds, natsCa: ca });
  await using gateway = await GatewayProcess.start(["--config", "-"], { stdin });
  assert.equal((await gateway.admin("/readyz")).status, 200);
});

Deno.test("a watched configuration and the gateway log in with the same standard input", async () => {
  const user = nkeys.createUser();
  const config = `authorization { users: [{ nkey: ${user.getPublicKey()} }] }`;
  await using nats = await startNats({ config });
  const authenticator = nkeyAuthenticator(user.getSeed());
  const nc = await connect({ servers: nats.url, authenticator });
  await (await new Kvm(nc).create("edge")).put("h8s.yaml", "prefix: watched\n");
  await nc.close();
  const flags = ["--nats-url", nats.url, "--config", "nats-kv://edge/h8s.yaml"];
  await using gateway = await GatewayProcess.start([...flags, "--nats-nkey", "-"], {
    stdin: toSeed(user),
  });
  assert.equal((await gateway.admin("/readyz")).status, 200);
});

Deno.test("the reverse daemon logs in as the gateway does", async () => {
  const { config, creds } = createNatsAccount();
  await using nats = await startNats({ jetstream: false, config });
  const flags = ["--hostname", "a.b", "--backend-url", "http://127.0.0.1:9"];
  const login = ["--nats-url", nats.url, "--nats-creds", "-"];
  await using daemon = new Program(["reverse", ...flags, ...login], creds);
  await daemon.logged("serving");
});

Deno.test("a file that may not be read is a line that says what to add, exit 2", async (t) => {
  const reverse = ["reverse", "--hostname", "a.b", "--backend-url", "http://127.0.0.1:9"];
  for (const command of [[], reverse]) {
    await t.step(command[0] ?? "run", async () => {
      const files = ["--nats-creds", "/a/user.creds", "--nats-ca", "/a/ca.pem"];
      const { code, stderr } = await runMain([...command, ...files]);
      assert.equal(code, 2);
      const line = (flag: string, file: string) =>
        `h8s: Cannot use ${flag} "${file}": cannot read ${file}: run with ` +
        `--allow-read=/a/user.creds,/a/ca.pem, or pipe it in: ${flag} - < ${file}`;
      assert.deepEqual(stderr.trimEnd().split("\n").toSorted(), [
        line("--nats-ca", "/a/ca.pem"),
        line("--nats-creds", "/a/user.creds"),
      ]);
    });
  }
});

Deno.test("a login that cannot be used says so and keeps its secret, exit 2", async () => {
  const { code, stderr } = await runMain(["--nats-creds", "-"], { stdin: "s3cret" });
  assert.equal(code, 2);
  assert.match(
    stderr,
    /^h8s: Cannot use --nats-creds "-": cannot use standard input: expected PEM.*\n$/,
  );
  const twice = await runMain(["--nats-token", "s3cret", "--nats-user", "ann"]);
  assert.equal(twice.code, 2);
  assert.match(twice.stderr, /^h8s: Cannot use --nats-token "\*\*\*": .* natsUser, too\n$/);
});

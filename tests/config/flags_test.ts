import assert from "node:assert/strict";
import { parseFlags, renderHelp, UsageError } from "../../lib/config/flags.ts";
import { configSchema } from "../../lib/config/schema.ts";

interface Row {
  readonly option: string;
  readonly flag: string;
  readonly placeholder: string;
  /** One that can be used, and one that cannot. */
  readonly values: readonly [right: string, wrong: string];
  /** Part of the complaint about the wrong one. */
  readonly expected: string;
  /** As it stands in the help; empty for none. */
  readonly byDefault: string;
}

/** Every flag with a value; a new option asks for a row. */
const VALUED: readonly Row[] = [
  row("natsUrl", "--nats-url URL", ["nats://a:1", "http://a:1"], "nats://127.0.0.1:4222"),
  row("natsUser", "--nats-user NAME", ["ann", ""], ""),
  row("natsPassword", "--nats-password TEXT", ["p", ""], ""),
  row("natsToken", "--nats-token TEXT", ["t", ""], ""),
  row("natsNkey", "--nats-nkey FILE", ["-", ""], ""),
  row("natsCreds", "--nats-creds FILE", ["user.creds", ""], ""),
  row("natsCa", "--nats-ca FILE", ["ca.pem", ""], ""),
  row("natsCert", "--nats-cert FILE", ["cert.pem", ""], ""),
  row("natsKey", "--nats-key FILE", ["key.pem", ""], ""),
  row("tlsCert", "--tls-cert FILE", ["cert.pem", ""], ""),
  row("tlsKey", "--tls-key FILE", ["key.pem", ""], ""),
  row("listen", "--listen HOST:PORT", ["127.0.0.1:9000", "nowhere"], "0.0.0.0:8080"),
  row("prefix", "--prefix TOKENS", ["acme.edge", "a.*"], "h8s"),
  row("requestTimeout", "--request-timeout DURATION", ["5s", "soon"], "30s"),
  row("maxBodySize", "--max-body-size SIZE", ["64KiB", "2097152"], "2MiB"),
  row("bodyTimeout", "--body-timeout DURATION", ["5s", "soon"], "30s"),
  row("sendTimeout", "--send-timeout DURATION", ["5s", "soon"], "30s"),
  row("responseBuffer", "--response-buffer SIZE", ["64KiB", "2XB"], "8MiB"),
  row("idleTimeout", "--idle-timeout DURATION", ["5m", "5"], ""),
  row("bareReplies", "--bare-replies KIND", ["stream", "both"], "whole"),
  row("responseTotal", "--response-total SIZE", ["32MiB", "2XB"], "64MiB"),
  row("replyTotal", "--reply-total SIZE", ["64MiB", "2XB"], "32MiB"),
  row("wsSendTimeout", "--ws-send-timeout DURATION", ["5s", "soon"], "10s"),
  row("wsSendLimit", "--ws-send-limit SIZE", ["64KiB", "2XB"], "16MiB"),
  row("wsSendTotal", "--ws-send-total SIZE", ["64MiB", "2XB"], "256MiB"),
  row("wsReceiveBuffer", "--ws-receive-buffer SIZE", ["64KiB", "2XB"], "1MiB"),
  row("wsReceiveTotal", "--ws-receive-total SIZE", ["64MiB", "2XB"], "256MiB"),
  row("persist", "--persist STREAM", ["said", "a.b"], ""),
  row("persistStorage", "--persist-storage KIND", ["memory", "tape"], "file"),
  row("persistReplicas", "--persist-replicas N", ["3", "6"], "1"),
  row("persistMaxBytes", "--persist-max-bytes SIZE", ["1GiB", "2XB"], "0B"),
  row("persistMaxAge", "--persist-max-age DURATION", ["24h", "1"], "0s"),
  row("persistDupeWindow", "--persist-dupe-window DURATION", ["5m", "5"], "2m"),
  row("events", "--events STREAM", ["who", "a.b"], ""),
  row("eventsMaxAge", "--events-max-age DURATION", ["48h", "5"], "24h"),
  row("wsIdleTimeout", "--ws-idle-timeout DURATION", ["0s", "0"], "30s"),
  row("controlSubjects", "--control-subjects FORM", ["flat", "all"], "both"),
  row("connectionRecords", "--connection-records BUCKET", ["sockets", "a.b"], "auto"),
  row("resume", "--resume DURATION", ["60s", "60"], "0s"),
  row("resumeMaxBytes", "--resume-max-bytes SIZE", ["1GiB", "2XB"], "256MiB"),
  row("resumeMaxWaiting", "--resume-max-waiting SIZE", ["16MiB", "2XB"], "4MiB"),
  row("startGrace", "--start-grace DURATION", ["5s", "-1s"], "0s"),
  row("natsGrace", "--nats-grace DURATION", ["1m", "-1s"], "15s"),
  row("drainTimeout", "--drain-timeout DURATION", ["500ms", "5"], "10s"),
  row("drainDelay", "--drain-delay DURATION", ["10s", "5"], "0s"),
  row("admin", "--admin HOST:PORT", [":9090", "9090"], ""),
  row("adminKey", "--admin-key KEY", ["correct-horse-battery", "too-short"], ""),
  row("hostFilters", "--host-filters HOSTS", ["a.b,*.c", "a b"], ""),
  row("allowedOrigins", "--allowed-origins ORIGINS", ["https://a.b", "https://a.b/"], ""),
  row("cors", "--cors WHO", ["workload", "both"], "gateway"),
  row("corsMaxAge", "--cors-max-age DURATION", ["1h", "5"], "10m"),
  row("corsExposedHeaders", "--cors-exposed-headers NAMES", ["ETag,Link", "a b"], ""),
  row("trustedProxies", "--trusted-proxies NETWORKS", ["10.0.0.0/8,::1", "10.0.0.0/33"], ""),
  row("proxyHeaders", "--proxy-headers HEADERS", ["X-Forwarded-For,Cf-*", "X-User"], ""),
  row("rate", "--rate RATE", ["100/s,burst=200", "fast"], ""),
  row("maxConnections", "--max-connections N", ["1000", "-1"], "0"),
  row("maxConnectionsPerAddress", "--max-connections-per-address N", ["10", "1.5"], "0"),
  row("maxInFlight", "--max-in-flight N", ["1000", "all"], "0"),
  row("maxUrlLength", "--max-url-length N", ["100", "1k"], "8192"),
  row("maxHeaderBytes", "--max-header-bytes SIZE", ["8KiB", "2XB"], "32KiB"),
  row("maxHeaders", "--max-headers N", ["50", ""], "100"),
  row("auth", "--auth KIND", ["none", "password"], ""),
  row("authorizationKey", "--authorization-key KEY", ["k3y", "k y"], ""),
  row("authorizationKeyFile", "--authorization-key-file FILE", ["-", ""], ""),
  row("authorizeTimeout", "--authorize-timeout DURATION", ["1s", "1"], "5s"),
  row("logFormat", "--log-format FORMAT", ["json", "xml"], "text"),
  row("logLevel", "--log-level LEVEL", ["warn", "loud"], "info"),
  row("accessLog", "--access-log FORMAT", ["json", "xml"], "off"),
  row("otlpEndpoint", "--otlp-endpoint URL", ["http://127.0.0.1:4318", "127.0.0.1:4318"], ""),
  row("otlpHeaders", "--otlp-headers NAME=VALUE", ["X-Key=1", ""], ""),
  row("traceSample", "--trace-sample SHARE", ["0.5", "50%"], "0.01"),
];
const SWITCHES: readonly [option: string, flag: string][] = [
  ["publishOnly", "--publish-only"],
  ["accessLogQuery", "--access-log-query"],
  ["otlpMetrics", "--otlp-metrics"],
  ["trackInterest", "--track-interest"],
  ["fastLane", "--fast-lane"],
  ["sharePort", "--share-port"],
  ["adminTap", "--admin-tap"],
  ["forwardCredentials", "--forward-credentials"],
];
const REPEATABLE = [
  "natsUrl",
  "hostFilters",
  "allowedOrigins",
  "corsExposedHeaders",
  "trustedProxies",
  "proxyHeaders",
  "authorizationKey",
  "otlpHeaders",
];
const FILE_ONLY = ["session", "routes", "jwt"];

Deno.test("every option has its flag here, or is for files only", () => {
  const options = [...VALUED.map(({ option }) => option), ...SWITCHES.map(([option]) => option)];
  const expected = Object.keys(configSchema.shape);
  assert.deepEqual([...options, ...FILE_ONLY].toSorted(), expected.toSorted());
});

Deno.test("parseFlags() reads every flag, its value behind a space or an equals sign", async (t) => {
  for (const { option, flag, values: [right] } of VALUED) {
    const expected = { [option]: REPEATABLE.includes(option) ? [right] : right };
    for (const args of [[flag, right], [`${flag}=${right}`]]) {
      await t.step(args.join(" "), () => assert.deepEqual(parseOptions(args), expected));
    }
  }
});

Deno.test("parseFlags() reads all flags together and adds no defaults of its own", () => {
  assert.deepEqual(parseOptions([]), {});
  const args = VALUED.flatMap(({ flag, values: [right] }) => [flag, right]);
  const options = parseOptions([...args, ...SWITCHES.map(([, flag]) => flag)]);
  assert.equal(Object.keys(options).length, VALUED.length + SWITCHES.length);
});

Deno.test("parseFlags() takes a switch as it stands, or with true or false", async (t) => {
  for (const [option, flag] of SWITCHES) {
    const table: [arg: string, value: boolean][] = [
      [flag, true],
      [`${flag}=true`, true],
      [`${flag}=false`, false],
    ];
    for (const [arg, value] of table) {
      await t.step(arg, () => assert.deepEqual(parseOptions([arg]), { [option]: value }));
    }
    for (const arg of [`${flag}=yes`, `${flag}=1`, `${flag}=`]) {
      await t.step(arg, () => assertUsage([arg], flag, "it is a switch, expected no value"));
    }
  }
});

Deno.test("parseFlags() collects what may be repeated, in order", () => {
  const urls = ["--nats-url", "nats://a:1", "--nats-url=b:2", "--prefix", "x", "--nats-url", "c"];
  assert.deepEqual(parseOptions(urls), { natsUrl: ["nats://a:1", "b:2", "c"], prefix: "x" });
  const hosts = ["--host-filters", "a.b,c.d", "--host-filters", "*.e"];
  assert.deepEqual(parseOptions(hosts), { hostFilters: ["a.b,c.d", "*.e"] });
});

Deno.test("parseFlags() says where more options come from", async (t) => {
  const file = { kind: "file", path: "h8s.yaml" };
  const table: [args: string[], configSource: unknown][] = [
    [[], undefined],
    [["--config", "h8s.yaml"], file],
    [["--config=h8s.yaml"], file],
    [["--config", "-"], { kind: "stdin" }],
    [["--config", "nats-kv://edge/h8s"], { kind: "nats-kv", bucket: "edge", key: "h8s" }],
  ];
  for (const [args, configSource] of table) {
    await t.step(args.join(" "), () => {
      assert.deepEqual(parseFlags(args), {
        kind: "run",
        program: "gateway",
        flags: {},
        configSource,
      });
    });
  }
});

Deno.test("parseFlags() refuses a wrong value: the flag, the value, what would be right", async (t) => {
  for (const { option, flag, values: [, wrong], expected } of VALUED) {
    if (option === "authorizationKey" || option === "adminKey") continue;
    await t.step(`${flag} ${wrong}`, () => {
      assertUsage([`${flag}=${wrong}`], flag, JSON.stringify(wrong), expected);
    });
  }
  await t.step("a key is not told", () => {
    assertUsage(["--authorization-key", "k y"], `--authorization-key "***":`, "no comma");
  });
  await t.step("a value of several lines", () => {
    assertUsage(["--listen", "a\nb"], "--listen", String.raw`"a\nb"`, "HOST:PORT");
  });
});

Deno.test("parseFlags() misses a value at the end of the line", async (t) => {
  for (const { flag, placeholder } of [...VALUED, { flag: "--config", placeholder: "FILE" }]) {
    await t.step(flag, () => assertUsage(["--prefix", "x", flag], flag, `expected ${placeholder}`));
  }
});

Deno.test("parseFlags() misses a value where the next flag begins", async (t) => {
  const table: [args: string[], flag: string, placeholder: string][] = [
    [["--request-timeout", "--listen", ":80"], "--request-timeout", "DURATION"],
    [["--prefix", "--publish-only"], "--prefix", "TOKENS"],
    [["--prefix", "--listen=:80"], "--prefix", "TOKENS"],
    [["--prefix", "-h"], "--prefix", "TOKENS"],
    [["--config", "--publish-only"], "--config", "FILE"],
  ];
  for (const [args, flag, placeholder] of table) {
    await t.step(args.join(" "), () => assertUsage(args, flag, placeholder));
  }
});

Deno.test("parseFlags() refuses an unknown flag, and guesses what was meant", async (t) => {
  const table: [arg: string, hint: string][] = [
    ["--listn", "did you mean --listen?"],
    ["--Listen", "did you mean --listen?"],
    ["-listen", "Unknown flag"],
    ["--requestTimeout", "did you mean --request-timeout?"],
    ["--request_timeout", "did you mean --request-timeout?"],
    ["--nats", "did you mean --nats-url?"],
    ["--no-publish-only", "did you mean --publish-only?"],
    ["--hlep", "did you mean --help?"],
    ["--versoin", "did you mean --version?"],
    ["--ws-send-buffer=1MiB", "it is now --ws-send-limit and --ws-send-timeout"],
    ["--frobnicate", "see --help"],
    ["--routes", "see --help"],
    ["--__proto__", "see --help"],
    ["--constructor=1", "see --help"],
    ["-x", "see --help"],
  ];
  for (const [arg, hint] of table) {
    await t.step(arg, () => assertUsage([arg], arg.replace(/=.*/, "").slice(0, 2), hint));
  }
});

Deno.test("parseFlags() refuses what is no flag", async (t) => {
  for (const args of [["--", "extra"], ["--publish-only", "extra"], [""], ["-"]]) {
    await t.step(JSON.stringify(args), () => {
      assertUsage(args, JSON.stringify(args.at(-1)), "expected flags only", "--help");
    });
  }
});

Deno.test("parseFlags() suggests a command for a word that is none", async (t) => {
  const table: [word: string, hint: string][] = [
    ["revers", "did you mean reverse?"],
    ["conections", "did you mean connections?"],
    ["Config", "did you mean config?"],
    ["help", "see --help"],
  ];
  for (const [word, hint] of table) {
    await t.step(word, () => assertUsage([word, "--listen", ":80"], `"${word}"`, hint));
  }
});

Deno.test("parseFlags() knows when help or the version is asked for", async (t) => {
  const table: [args: string[], expected: unknown][] = [
    [["--help"], { kind: "help", program: "gateway" }],
    [["-h"], { kind: "help", program: "gateway" }],
    [["--listen", ":80", "--help"], { kind: "help", program: "gateway" }],
    [["--listen", "nowhere", "--help"], { kind: "help", program: "gateway" }],
    [["--version"], { kind: "version" }],
    [["reverse", "--help"], { kind: "help", program: "reverse" }],
    [["reverse", "--version"], { kind: "version" }],
  ];
  for (const [args, expected] of table) {
    await t.step(args.join(" "), () => assert.deepEqual(parseFlags(args), expected));
  }
});

Deno.test("parseFlags() reads the reverse daemon's flags", async (t) => {
  const needed = ["reverse", "--hostname", "a.b", "--backend-url", "http://localhost:3000"];
  assert.deepEqual(parseFlags([...needed, "--hostname", "c.d", "--queue-group", "g"]), {
    kind: "run",
    program: "reverse",
    flags: { hostname: ["a.b", "c.d"], backendUrl: "http://localhost:3000", queueGroup: "g" },
    configSource: undefined,
  });
  const table: [args: string[], ...parts: string[]][] = [
    [[...needed, "--hostname", "a b"], "--hostname", '"a b"', "a host name"],
    [[...needed, "--queue-group", "a.b"], "--queue-group", '"a.b"', "one literal subject token"],
    [["reverse", "--backend-url", "ftp://ann:s3cret@a"], '--backend-url "ftp://a":', "an HTTP URL"],
    [[...needed, "--listen", ":80"], "Unknown flag --listen"],
    [[...needed, "--queue-grup", "g"], "did you mean --queue-group?"],
    [["reverse", "--config", "nats-kv://a/b"], "expected FILE or -"],
  ];
  for (const [args, ...parts] of table) {
    await t.step(args.join(" "), () => assertUsage(args, ...parts));
  }
});

Deno.test("parseFlags() tells of all flags that cannot be used, and of none that need others", () => {
  assert.throws(() => parseFlags(["--listen", "x", "--rate", "fast", "--auth", "jwt"]), {
    name: "UsageError",
    message: /^Cannot use --listen "x": .*\nCannot use --rate "fast": .*$/,
  });
  assert.equal(parseFlags(["--auth", "jwt"]).kind, "run");
});

Deno.test("parseFlags() reads what is to be done with a configuration", async (t) => {
  for (const program of ["gateway", "reverse"] as const) {
    const before = program === "reverse" ? ["reverse", "config"] : ["config"];
    const file = { kind: "file", path: "f" };
    const flags = { prefix: "x" };
    const table: [args: string[], expected: unknown][] = [
      [["schema"], { kind: "config-schema", program }],
      [["check", "f"], { kind: "config-check", program, flags: {}, configSource: file }],
      [["check", "-"], {
        kind: "config-check",
        program,
        flags: {},
        configSource: { kind: "stdin" },
      }],
      [["check", "f", "--prefix", "x"], {
        kind: "config-check",
        program,
        flags,
        configSource: file,
      }],
      [["check", "--prefix", "x", "--config", "f"], {
        kind: "config-check",
        program,
        flags,
        configSource: file,
      }],
      [["check", "--prefix=x"], { kind: "config-check", program, flags, configSource: undefined }],
      [["show", "--config", "f", "--prefix", "x"], {
        kind: "config-show",
        program,
        flags,
        configSource: file,
      }],
    ];
    for (const [args, expected] of table) {
      await t.step([...before, ...args].join(" "), () => {
        assert.deepEqual(parseFlags([...before, ...args]), expected);
      });
    }
    for (const args of [[], ["chek", "x"], ["schema", "x"]]) {
      assertUsage([...before, ...args], "expected config check FILE|- [FLAGS], config show");
    }
    assertUsage([...before, "check", "a", "b"], '"b"', "expected flags only");
    assertUsage([...before, "check", "--x"], "Unknown flag --x");
    assert.throws(() => parseFlags([...before, "check", "https://a/b"]), /curl/);
  }
  assertUsage(["config", "check", "nats-kv://a/b"], "config show");
});

Deno.test("renderHelp() lists every flag once, with its default", async (t) => {
  const lines = renderHelp("h8s").split("\n");
  for (const { flag, placeholder, byDefault } of VALUED) {
    await t.step(flag, () => {
      const described = lines.filter((line) => line.startsWith(`  ${flag} ${placeholder} `));
      assert.equal(described.length, 1);
      const brackets = /\[([^\]]*)\]$/.exec(described[0] ?? "")?.[1] ?? "";
      assert.equal(brackets, byDefault);
    });
  }
  const others = ["--config FILE", "--help", "--version", ...SWITCHES.map(([, flag]) => flag)];
  for (const flag of others) {
    await t.step(flag, () => {
      assert.equal(lines.filter((line) => line.startsWith(`  ${flag} `)).length, 1);
    });
  }
  await t.step("and none without its options", () => {
    for (const [index, line] of lines.entries()) {
      if (/^\w.*:$/.test(line)) assert.ok(lines[index + 1]?.startsWith("  --"), line);
    }
    assert.ok(lines.includes("In the file alone: jwt, session, routes."));
  });
  await t.step("and no others", () => {
    const listed = lines.filter((line) => line.startsWith("  --"));
    assert.equal(listed.length, VALUED.length + others.length);
    for (const option of FILE_ONLY) assert.ok(!listed.join("\n").includes(`--${option}`));
  });
});

Deno.test("renderHelp() fits a terminal, and begins with how to call the program", () => {
  for (const  of of["gateway", "reverse"] as const) {
    const help = renderHelp("deno run --allow-net main.ts", of);
    assert.match(help, /^h8s.*\n\nUsage: deno run --allow-net main\.ts /);
    const longest = Math.max(...help.split("\n").map((line) => line.length));
    assert.ok(longest <= 100, `${longest} columns`);
  }
});

function row(
  option: string,
  usage: string,
  values: readonly [right: string, wrong: string],
  byDefault: string,
): Row {
  const [flag = "", placeholder = ""] = usage.split(" ");
  return { option, flag, placeholder, values, expected: ": expected ", byDefault };
}

function parseOptions(args: readonly string[]): Record<string, unknown> {
  const command = parseFlags(args);
  assert.ok(command.kind === "run");
  return { ...command.flags };
}

/** One line, all parts in it, no full stop at its end. */
function assertUsage(args: readonly string[], ...parts: string[]): void {
  assert.throws(() => parseFlags(args), (error) => {
    assert.ok(error instanceof UsageError, String(error));
    assert.equal(error.name, "UsageError");
    assert.match(error.message, /^[^\n\r]*[^\n\r.]$/);
    for (const part of parts) assert.ok(error.message.includes(part), `${error.message} | ${part}`);
    return true;
  });
}

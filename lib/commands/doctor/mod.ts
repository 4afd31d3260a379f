/**
 * `h8s doctor`: tries all that the gateway needs.
 *
 * @module
 */
import type { Question } from "../../config/questions.ts";
import { listRouteWarnings } from "../../config/route_warnings.ts";
import type { GatewayConfig } from "../../config/schema.ts";
import { OWN_DESCRIPTORS, readDescriptorLimit } from "../../edge/limits/descriptors.ts";
import { parseInterest, toInterestPattern } from "../../mapping/interest.ts";
import { toVisible } from "../../mapping/masking.ts";
import { toOwnSubject } from "../../mapping/names.ts";
import { askConnections } from "../../nats/asking/connections.ts";
import type { Login } from "../../nats/client/login.ts";
import { VERSION } from "../../version.ts";
import { hearInterests } from "../interest.ts";
import { AskError, type OpenNats, openNats } from "../nats.ts";
import { settle } from "../rights.ts";
import { toRequest } from "../subject.ts";
import type { Terminal } from "../terminal.ts";
import { listNeeds } from "./needs.ts";
import { compareClocks, type Finding } from "./finding.ts";
import { tryRights } from "./probe.ts";
import { tryRoundTrip } from "./round_trip.ts";
import { examineJetStream, findStreamsInTheWay } from "./streams.ts";

interface Patient {
  readonly config: GatewayConfig;
  readonly login: Login;
}

/**
 * Examines.
 *
 * @param patient The configuration, and where NATS is.
 * @param terminal Where the findings go, each as soon as it is known.
 * @returns 1 where something is wrong.
 */
export async function examine(
  { operands: [url], options: { wait, json } }: Extract<Question, { name: "doctor" }>,
  patient: Patient,
  terminal: Terminal,
): Promise<number> {
  let isWrong = false;
  const request = url === undefined ? undefined : toRequest(url);
  for await (const finding of new Doctor(patient, wait).examine(request)) {
    isWrong ||= finding.verdict === "wrong";
    if (json) terminal.json(finding);
    else render(finding, terminal);
  }
  return isWrong ? 1 : 0;
}

function render({ check, verdict, text, mend }: Finding, terminal: Terminal): void {
  const { paint } = terminal;
  const sign = { ok: paint.green, note: paint.yellow, wrong: paint.red }[verdict];
  terminal.line(`${sign(verdict.padEnd(5))} ${paint.bold(check.padEnd(12))} ${toVisible(text)}`);
  if (mend !== undefined) terminal.line(`${" ".repeat(19)}→ ${toVisible(mend)}`);
}

class Doctor {
  readonly #config: GatewayConfig;
  readonly #login: Login;
  readonly #waitMs: number;

  constructor({ config, login }: Patient, waitMs: number) {
    this.#config = config;
    this.#login = login;
    this.#waitMs = waitMs;
  }

  async *examine(request: ReturnType<typeof toRequest> | undefined): AsyncGenerator<Finding> {
    for (const text of listRouteWarnings(this.#config)) {
      yield { check: "routes", verdict: "note", text };
    }
    yield this.#descriptors();
    let nats: OpenNats;
    try {
      nats = await openNats(this.#login);
    } catch (error) {
      if (!(error instanceof AskError)) throw error;
      yield { check: error.kind, verdict: "wrong", text: error.message, mend: error.mend };
      return;
    }
    await using _closed = nats;
    yield* this.#server(nats);
    const rights = await tryRights(listNeeds(this.#config), nats);
    if (rights.missing.length === 0) {
      yield { check: "rights", verdict: "ok", text: "all that is needed is permitted" };
    }
    for (const { verb, right, for: why, isExtra = false } of rights.missing) {
      const what = why === undefined ? "" : ` (${why})`;
      yield {
        ...{ check: "rights", verdict: isExtra ? "note" : "wrong" },
        text: `NATS does not permit to ${verb} ${right}${what}`,
        mend: `allow the user to ${verb} "${right}": docs/nats-permissions.md`,
      };
    }
    yield* examineJetStream(nats, this.#config);
    yield* findStreamsInTheWay(nats, { config: this.#config, captured: rights.captured });
    yield* this.#gateways(nats);
    yield* this.#workloads(nats);
    if (request !== undefined) {
      yield await tryRoundTrip(nats, { request, config: this.#config });
    }
  }

  #descriptors(): Finding {
    const most = readDescriptorLimit();
    const { maxConnections } = this.#config;
    const check = "descriptors";
    if (most === undefined) {
      const text = "Deno tells them with -A alone; `ulimit -n` says it";
      return { check, verdict: "note", text };
    }
    if (maxConnections + OWN_DESCRIPTORS <= most) {
      return { check, verdict: "ok", text: String(most) };
    }
    return {
      ...{
        check,
        verdict: "wrong",
        text: `${most}, fewer than --max-connections ${maxConnections}`,
      },
      mend: `ulimit -n ${maxConnections + OWN_DESCRIPTORS}`,
    };
  }

  *#server({ session }: OpenNats): Generator<Finding> {
    const { connection } = session;
    const { info } = connection!;
    const where = connection!.getServer();
    const cluster = info?.cluster === undefined ? "" : `, cluster ${info.cluster}`;
    yield {
      ...{ check: "nats", verdict: "ok" },
      text: `${where}, nats-server ${info?.version}${cluster}`,
    };
    const isEncrypted = info?.tls_required === true || this.#login.tls !== undefined ||
      this.#login.servers.some((url) => /^wss:/i.test(url));
    const isNear = /^(localhost|127\.|\[?::1)/.test(where);
    yield isEncrypted || isNear
      ? { check: "tls", verdict: "ok", text: isEncrypted ? "encrypted" : "off, on this machine" }
      : {
        ...{ check: "tls", verdict: "note", text: "what goes to NATS is not encrypted" },
        mend: "--nats-url tls://… or --nats-ca FILE, where the server offers it",
      };
    const { maxPayload } = session;
    const { maxHeaderBytes, maxBodySize } = this.#config;
    const texts = `${maxPayload} bytes in a message`;
    if (maxHeaderBytes > maxPayload / 2) {
      yield {
        ...{ check: "max_payload", verdict: "wrong" },
        text: `${texts}, and --max-header-bytes is ${maxHeaderBytes}`,
        mend: `nats-server: max_payload: ${maxHeaderBytes * 8}, or a smaller --max-header-bytes`,
      };
    } else {
      const larger = maxBodySize > maxPayload ? "; larger bodies need a workload that streams" : "";
      yield { check: "max_payload", verdict: "ok", text: texts + larger };
    }
    yield {
      ...{ check: "max_pending", verdict: "note" },
      text: "a client cannot ask for it; http://NATS:8222/varz says it, 64 MiB by default",
    };
  }

  async *#gateways({ session }: OpenNats): AsyncGenerator<Finding> {
    const { prefix } = this.#config;
    const { gateways } = await askConnections(session, { prefix, limit: 0 });
    if (gateways.length === 0) {
      yield { check: "gateways", verdict: "note", text: `none runs under the prefix ${prefix}` };
    }
    for (const { gateway, about } of gateways) {
      const version = about?.version ?? "older";
      yield version === VERSION
        ? { check: "gateways", verdict: "ok", text: `${gateway} runs ${version}` }
        : {
          ...{ check: "gateways", verdict: "note" },
          text: `${gateway} runs ${version}, this is ${VERSION}`,
        };
      if (about !== undefined) yield compareClocks(gateway, about.now);
    }
  }

  async *#workloads({ session, errors }: OpenNats): AsyncGenerator<Finding> {
    const { prefix, trackInterest } = this.#config;
    const before = (await settle(session, errors)).length;
    const others = new Map<string, string>();
    const subscriptions = ["*", "*.*"].map((tokens) =>
      session.subscribe(toInterestPattern("register", tokens), ({ subject, data }) => {
        const own = subject.slice(0, subject.indexOf(toOwnSubject("", "interest")));
        if (own !== prefix) others.set(own, toHost(data));
      })
    );
    const mayHear = (await settle(session, errors)).length === before;
    const interests = await hearInterests(session, { prefix, waitMs: this.#waitMs });
    for (const subscription of subscriptions) subscription.unsubscribe();
    const check = "workloads";
    const hosts = [...new Set(interests.map(({ host }) => host))].join(", ");
    if (interests.length > 0) {
      yield { check, verdict: "ok", text: `${interests.length} registrations: ${hosts}` };
    } else {
      const text = `nobody registered under the prefix ${prefix}`;
      yield { check, verdict: trackInterest ? "wrong" : "note", text };
    }
    for (const [other, host] of others) {
      yield {
        ...{ check, verdict: "wrong", text: `a workload for ${host} registers under ${other}` },
        mend: `--prefix ${other} for the gateway, or the prefix ${prefix} for the workload`,
      };
    }
    if (mayHear) return;
    const text = "this user may not hear other prefixes; one who may subscribe to *.control.> can";
    yield { check, verdict: "note", text };
  }
}

function toHost(data: Uint8Array): string {
  try {
    return parseInterest(data).host;
  } catch {
    return "some host";
  }
}

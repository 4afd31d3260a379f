/**
 * The doctor on JetStream.
 *
 * @module
 */
import type { GatewayConfig } from "../../config/schema.ts";
import { toResumeSubjects } from "../../mapping/resume.ts";
import { toPersistStream } from "../../nats/jetstream/persistence.ts";
import { toRecordsBucket } from "../../nats/jetstream/records.ts";
import { checkStream, StreamError } from "../../nats/jetstream/stream.ts";
import type { OpenNats } from "../nats.ts";
import { compareClocks, type Finding } from "./finding.ts";
import { askJetStream } from "./probe.ts";

/** Looks for JetStream, and for the streams and buckets that are asked for. */
export async function* examineJetStream(
  { session }: OpenNats,
  gateway: GatewayConfig,
): AsyncGenerator<Finding> {
  const { persist, events, resume, prefix, connectionRecords } = gateway;
  const bucket = toRecordsBucket(gateway);
  if (persist === undefined && events === undefined && bucket === undefined) {
    yield { check: "jetstream", verdict: "ok", text: "not needed" };
    return;
  }
  const info = await askJetStream(session, "INFO");
  if (info === undefined || info["error"] !== undefined) {
    const isOptional = persist === undefined && events === undefined && resume === 0 &&
      connectionRecords === "auto";
    yield {
      ...{ check: "jetstream", verdict: isOptional ? "note" : "wrong" },
      text: isOptional
        ? "off: the WebSockets of a gateway that dies are told as closed by nobody"
        : "off, or it may not be asked ($JS.API.INFO)",
      mend: "nats-server -js; or --connection-records off, without --persist, --events, --resume",
    };
    return;
  }
  yield { check: "jetstream", verdict: "ok", text: "on" };
  const wanted = [
    ...(persist === undefined ? [] : [toPersistStream(persist, gateway)]),
    ...(events === undefined ? [] : [{ name: events }]),
    ...(bucket === undefined ? [] : [{ name: `KV_${bucket}` }]),
    ...(resume === 0 ? [] : [{ name: toResumeSubjects(prefix).stream }]),
  ];
  for (const stream of wanted) {
    const answer = await askJetStream(session, `STREAM.INFO.${stream.name}`);
    if (typeof answer?.["ts"] === "string") yield compareClocks("nats-server", answer["ts"]);
    yield toStreamFinding(stream, answer);
  }
}

function toStreamFinding(
  wanted: ReturnType<typeof toPersistStream>,
  answer: Record<string, unknown> = {},
): Finding {
  const check = "stream";
  const config = answer["config"] as Parameters<typeof checkStream>[0] | undefined;
  if (config === undefined) {
    return { check, verdict: "ok", text: `${wanted.name} is not there; a gateway makes it` };
  }
  try {
    checkStream(config, wanted);
    return { check, verdict: "ok", text: wanted.name };
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    const mend = `nats stream edit ${wanted.name}, or ask for what it is`;
    return { check, verdict: "wrong", text: error.message, mend };
  }
}

/** Looks for streams that answer for workloads. */
export async function* findStreamsInTheWay(
  { session }: OpenNats,
  { config: gateway, captured }: { config: GatewayConfig; captured: ReadonlyMap<string, string> },
): AsyncGenerator<Finding> {
  const { prefix, persist } = gateway;
  const found = new Map<string, string>();
  const patterns = ["http", "upload", "ws.ws", "control"].map((kind) => `${prefix}.${kind}.>`);
  // All at once: a user who may not ask waits for no answer each time.
  const answers = await Promise.all(
    patterns.map((subject) => askJetStream(session, "STREAM.NAMES", JSON.stringify({ subject }))),
  );
  for (const [index, pattern] of patterns.entries()) {
    const streams = answers[index]?.["streams"];
    for (const name of Array.isArray(streams) ? streams : []) found.set(String(name), pattern);
    for (const [subject, name] of captured) {
      if (subject.startsWith(pattern.slice(0, -1))) found.set(name, pattern);
    }
  }
  if (persist !== undefined) found.delete(persist);
  if (found.size === 0) {
    yield { check: "in the way", verdict: "ok", text: "no stream answers for workloads" };
  }
  for (const [name, pattern] of found) {
    yield {
      ...{ check: "in the way", verdict: "wrong" },
      text: `the stream ${name} captures ${pattern} and answers for workloads`,
      mend: `nats stream edit ${name} --subjects … without it; or a route with mode: publish`,
    };
  }
}

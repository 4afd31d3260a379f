/**
 * The doctor on a workload.
 *
 * @module
 */
import type { GatewayConfig } from "../../config/schema.ts";
import { explain } from "../../edge/explain.ts";
import { RequestIds } from "../../edge/request_ids.ts";
import { GatewayError } from "../../errors.ts";
import { toHeaderBlock } from "../../mapping/headers.ts";
import { parseReply } from "../../mapping/reply.ts";
import { type Provenance, toRequestHeaders, toTarget } from "../../mapping/request.ts";
import { toAckedStream } from "../../mapping/stream_ack.ts";
import { VERSION } from "../../version.ts";
import type { OpenNats } from "../nats.ts";
import type { toRequest } from "../subject.ts";
import type { Finding } from "./finding.ts";
import { askOnce } from "./probe.ts";

/** The longest that an answer of a workload is waited for. */
const MOST_WAIT_MS = 10_000;

/** Asks a workload as a gateway would. */
export async function tryRoundTrip(
  { session }: OpenNats,
  { request: { url, kind = "http" }, config: gateway }: {
    request: ReturnType<typeof toRequest>;
    config: GatewayConfig;
  },
): Promise<Finding> {
  const check = "round trip";
  const { subject, checks } = explain({ url, kind }, { config: gateway });
  if (subject === undefined || kind !== "http") {
    const { text, status } = checks.at(-1)!;
    const reason = kind === "http" ? `${status}: ${text}` : "a WebSocket has no reply";
    return { check, verdict: kind === "http" ? "wrong" : "note", text: reason };
  }
  const target = toTarget(
    { method: "GET", url, headers: [["host", new URL(url).host]] },
    { prefix: gateway.prefix, kind, host: /:\/\/([^/?#]*)/.exec(url)?.[1] },
  );
  const provenance: Provenance = {
    ...{ isProxied: false, requestId: "h8s-doctor", scheme: "http", forwardedFor: "127.0.0.1" },
    ...{ traceparent: new RequestIds().nextTraceparent(), tracestate: undefined },
    sessionId: undefined,
  };
  const lines = toRequestHeaders([["user-agent", `h8s-doctor/${VERSION}`]], {
    ...{ target, subject, kind, provenance },
  });
  const begun = performance.now();
  const timeoutMs = Math.min(gateway.requestTimeout, MOST_WAIT_MS);
  const answer = await askOnce(session, { subject, headers: toHeaderBlock(lines), timeoutMs });
  const ms = Math.round(performance.now() - begun);
  if (answer === undefined) {
    const mend = "look into the workload's log: it hears the request and does not answer";
    return { check, verdict: "wrong", text: `504: no answer on ${subject} in ${ms} ms`, mend };
  }
  const stream = toAckedStream(answer.headers, answer.data);
  if (stream !== undefined) {
    const mend = `nats stream edit ${stream} --subjects … without ${subject}`;
    return { check, verdict: "wrong", text: `the stream ${stream} answers on ${subject}`, mend };
  }
  try {
    const reply = parseReply(answer.headers, answer.data.length);
    if (reply.kind === "no_responders") {
      const mend = `start the workload; \`nats reply '${subject}' hello\` would do`;
      return { check, verdict: "wrong", text: `503: nobody subscribes to ${subject}`, mend };
    }
    const text = `${reply.status} in ${ms} ms on ${subject}`;
    const isFine = reply.status < 500;
    if (isFine) return { check, verdict: "ok", text };
    const mend = "the workload is there and fails, or its backend is down: look into its log";
    return { check, verdict: "wrong", text, mend };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { check, verdict: "wrong", text: `502: ${error.message}` };
  }
}

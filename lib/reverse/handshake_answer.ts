/**
 * What a gateway is told that asked about a handshake.
 *
 * @module
 */
import { PROBLEM_TYPE } from "../mapping/problem.ts";
import { joinLines, NO_LINES, toHeaderBlock, toHeaderLine } from "../mapping/headers.ts";
import { HEADER } from "../mapping/names.ts";
import { toReplyLines } from "../mapping/outgoing.ts";
import { encodeLatin1 } from "../mapping/latin1.ts";
import type { BackendAnswer } from "./backend_handshake.ts";
import { BACKEND_UNAVAILABLE } from "./http_proxy.ts";

const EMPTY = new Uint8Array();

/** A message's payload and header block. */
export interface AnswerMessage {
  readonly data: Uint8Array;
  readonly headers: Uint8Array;
}

/**
 * Makes the message.
 *
 * @param options `replica`: who answers; `maxPayload`: a body that does not fit with its headers is left out.
 */
export function toAnswerMessage(
  answer: BackendAnswer,
  { replica, maxPayload }: { replica: string; maxPayload: number },
): AnswerMessage {
  const own = toHeaderLine(HEADER.handshake, replica);
  if (answer.kind === "accepted") {
    const { protocol, headers } = answer;
    const lines = joinLines(
      toReplyLines({ status: 101, headers }),
      own,
      protocol === undefined ? NO_LINES : toHeaderLine("Sec-WebSocket-Protocol", protocol),
    );
    return { data: EMPTY, headers: encodeLatin1(toHeaderBlock(lines)) };
  }
  const { body, ...head } = toRefusal(answer);
  const toHeaders = (contentLength: number) =>
    encodeLatin1(toHeaderBlock(joinLines(toReplyLines({ ...head, contentLength }), own)));
  const headers = toHeaders(body.length);
  if (headers.length + body.length <= maxPayload) return { data: body, headers };
  return { data: EMPTY, headers: toHeaders(0) };
}

type Refused = Extract<BackendAnswer, { kind: "refused" }>;

/** A 2xx would accept the handshake; a backend that answers so has not. */
function toRefusal(answer: Exclude<BackendAnswer, { kind: "accepted" }>): Omit<Refused, "kind"> {
  if (answer.kind === "refused" && answer.status >= 300) {
    const { status, headers, body } = answer;
    return { status, headers, body };
  }
  const headers = [["content-type", PROBLEM_TYPE]] as const;
  const body = new TextEncoder().encode(JSON.stringify(BACKEND_UNAVAILABLE));
  return { status: 502, headers, body };
}

/**
 * Asking the workload before a client gets its 101, where the workload wants that.
 *
 * @module
 */
import { GatewayError } from "../../errors.ts";
import { parseHandshakeAnswer, toAuthorizeSubject } from "../../mapping/authorize.ts";
import {
  findHeader,
  isNoResponders,
  joinLines,
  parseHeaderBlock,
  toHeaderLine,
} from "../../mapping/headers.ts";
import { HEADER } from "../../mapping/names.ts";
import { isOwn, listPickable } from "../../mapping/subprotocol.ts";
import type { BusMessage } from "../../nats/bus.ts";
import type { Admitted } from "../admission.ts";
import { askInTime, type AskParts, Refusal } from "../admission/authorize.ts";
import type { EdgeParts } from "../parts.ts";

/**
 * Asks. The question names the connection, by which it differs from an authorizer's.
 *
 * @returns The same with what the workload picked.
 * @throws {Refusal} with the workload's own answer.
 * @throws {GatewayError} when nobody answers.
 */
export async function askWorkload(
  admitted: Admitted,
  parts: AskParts & Pick<EdgeParts, "gatewayId">,
): Promise<Admitted> {
  const { target: { hostTokens }, connectionId = "", headerLines, isAuthorized } = admitted;
  const { headers, data } = await askInTime({
    subject: toAuthorizeSubject("websocket", { prefix: parts.config().prefix, hostTokens }),
    lines: joinLines(
      headerLines,
      toHeaderLine(HEADER.connectionId, connectionId),
      toHeaderLine(HEADER.gatewayId, parts.gatewayId),
    ),
    // An authorizer of the same host has let the client in already; it is not the one to say this.
    ...(isAuthorized ? { isAnswer: isByWorkload } : {}),
  }, parts);
  const answer = parseHandshakeAnswer(headers, data.length);
  switch (answer.kind) {
    case "no_responders":
      throw new GatewayError("no_responders", "The workload that decides is not there any more");
    case "refused":
      throw new Refusal(answer.status, { headers: answer.headers, body: data });
    case "accepted": {
      const { token, headers: answerHeaders } = answer;
      return {
        ...admitted,
        protocol: toProtocol(admitted, answer.protocol),
        answerHeaders,
        headerLines: token === undefined
          ? headerLines
          : joinLines(headerLines, toHeaderLine(HEADER.handshake, token)),
      };
    }
  }
}

/** Or by NATS itself: there is none. */
function isByWorkload({ headers, data }: BusMessage): boolean {
  return isNoResponders(headers, data.length) ||
    findHeader(parseHeaderBlock(headers), HEADER.handshake) !== undefined;
}

/** What the gateway itself speaks with the client is none of the workload's business. */
function toProtocol({ offer, protocol }: Admitted, picked: string | undefined) {
  if (protocol !== undefined && isOwn(protocol)) return protocol;
  if (picked === undefined || listPickable(offer?.names ?? []).includes(picked)) return picked;
  const detail = "The workload picks a subprotocol that was not offered, or a credential";
  throw new GatewayError("malformed_reply", detail);
}

/**
 * The HTTP side of the edge: the body is read, then the request is published, or asked.
 *
 * @module
 */
import type { Admitted } from "../admission.ts";
import { NOTHING, readBody, toStream } from "./body.ts";
import type { DeliveryOptions } from "./delivery.ts";
import { Exchange } from "./exchange.ts";
import { Patience } from "./patience.ts";
import { publishOnly } from "./publish.ts";

/** What the gateway adds to a request's headers besides its lines: inbox, close subject, window. */
const REPLY_HEADERS_ROOM = 512;

/**
 * Publishes a request and waits for its reply.
 *
 * @throws {GatewayError} with what the client is to be told.
 */
export async function serveHttp(admitted: Admitted, options: DeliveryOptions): Promise<Response> {
  const { parts } = options;
  const room = () => parts.bus.maxPayload - admitted.headerLines.length - REPLY_HEADERS_ROOM;
  const { maxBodySize: limit, bodyTimeout } = parts.config();
  const read = admitted.isBodyless ? NOTHING : await readBody(admitted.request, {
    room: room(),
    limit,
    patience: new Patience(bodyTimeout, parts.deadlines),
    contentLength: admitted.contentLength,
  });
  // The server may have come back with a smaller limit while the body came.
  const body = read.kind === "whole" && read.bytes.length > room() ? toStream(read.bytes) : read;
  if (body.kind === "whole") admitted.visit.onBody("in", body.bytes.length);
  const response = admitted.mode === "publish"
    ? await publishOnly(admitted, { body, parts })
    : await new Exchange(admitted, { ...options, body }).run();
  for (const setCookie of admitted.setCookies) response.headers.append("set-cookie", setCookie);
  return response;
}

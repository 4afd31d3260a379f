/**
 * The HTTP side of the edge: the body is read, then the request is published, or asked.
 *
 * @module
 */
import type { Admitted } from "../admission.ts";
import { type ClientBody, NOTHING, readBody, toStream } from "./body.ts";
import type { HttpParts } from "./delivery.ts";
import { Exchange } from "./exchange.ts";
import { Patience } from "./patience.ts";
import { publishOnly } from "./publish.ts";
import type { ReadSizes } from "./read_sizes.ts";
import type { Spares } from "./spares.ts";

/** What the gateway adds to a request's headers besides its lines: inbox, close subject, window. */
const REPLY_HEADERS_ROOM = 512;

/** What all requests are served with. */
export interface ServingOptions {
  readonly parts: HttpParts;
  /** Of all connections. */
  readonly readSizes: ReadSizes;
  readonly spares: Spares;
}

/**
 * Publishes a request and waits for its reply.
 *
 * @throws {GatewayError} with what the client is to be told.
 */
export function serveHttp(admitted: Admitted, options: ServingOptions): Promise<Response> {
  const { parts } = options;
  if (admitted.isBodyless) return answer(admitted, { body: NOTHING, parts });
  return readFitting(admitted, options).then((body) => answer(admitted, { body, parts }));
}

async function readFitting(
  admitted: Admitted,
  { parts, readSizes, spares }: ServingOptions,
): Promise<ClientBody> {
  const room = () => parts.bus.maxPayload - admitted.headerLines.length - REPLY_HEADERS_ROOM;
  const { maxBodySize: limit, bodyTimeout } = parts.config();
  const read = await readBody(admitted.request, {
    room: room(),
    limit,
    patience: new Patience(bodyTimeout, parts.deadlines),
    spares,
    contentLength: admitted.contentLength,
    toReadBytes: (announced) => readSizes.grow(admitted.visit.connection, announced),
  });
  // The server may have come back with a smaller limit while the body came.
  return read.kind === "whole" && read.bytes.length > room() ? toStream(read.bytes) : read;
}

function answer(
  admitted: Admitted,
  options: { body: ClientBody; parts: HttpParts },
): Promise<Response> {
  const { mode, visit, setCookies } = admitted;
  const { body } = options;
  if (body.kind === "whole") visit.onBody("in", body.bytes.length);
  const response = mode === "publish"
    ? publishOnly(admitted, options)
    : new Exchange(admitted, options).run();
  return setCookies.length === 0 ? response : response.then((response) => {
    for (const setCookie of setCookies) response.headers.append("set-cookie", setCookie);
    return response;
  });
}

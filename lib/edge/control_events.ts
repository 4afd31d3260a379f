/**
 * Telling workloads of a connection.
 *
 * @module
 */
import type { ConnectionRecord } from "../mapping/connection_record.ts";
import { type ConnectionEvent, toEventHeaders, toEventMessages } from "../mapping/control.ts";
import { toHeaderBlock } from "../mapping/headers.ts";
import { encodeLatin1 } from "../nats/wire.ts";
import type { EdgeParts } from "./parts.ts";

const EMPTY = new Uint8Array();

/**
 * Publishes an event in the forms that are configured; held while NATS is away.
 *
 * @param event What happened.
 * @param record To which connection; of this gateway or of one that is no more.
 * @param parts Of the edge.
 */
export function tell(
  event: ConnectionEvent,
  { inbox, subject, hostTokens, lines }: ConnectionRecord,
  { config: { prefix, controlSubjects: forms }, outbox }: Pick<EdgeParts, "config" | "outbox">,
): void {
  const common = lines + toEventHeaders(event);
  for (const message of toEventMessages(event.type, { prefix, hostTokens, subject, forms })) {
    const headers = encodeLatin1(toHeaderBlock(common + message.lines));
    outbox.publish(message.subject, EMPTY, { reply: inbox, headers });
  }
}

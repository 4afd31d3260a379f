/**
 * Telling workloads of a connection.
 *
 * @module
 */
import { type ConnectionRecord, toRecordedId } from "../../mapping/connection_record.ts";
import {
  type ConnectionEvent,
  toEventHeaders,
  toEventId,
  toEventLines,
  toEventSubjects,
  toKeptSubject,
} from "../../mapping/control.ts";
import {
  type HeaderLines,
  joinLines,
  NO_LINES,
  toHeaderBlock,
  toHeaderLine,
  toHeaderLines,
} from "../../mapping/headers.ts";
import { toPersistLines } from "../../mapping/jetstream.ts";
import { encodeLatin1 } from "../../mapping/latin1.ts";
import { HEADER, OWN_HEADERS } from "../../mapping/names.ts";
import type { EdgeParts } from "../parts.ts";

const EMPTY = new Uint8Array();
/** What the gateway says of a connection, and no client made as long as it liked. */
const ESSENTIAL = new RegExp(`^(${OWN_HEADERS}(?!original-|claims:)|host:)`, "i");

/** What it takes to tell. */
export type EventParts = Pick<EdgeParts, "config" | "outbox" | "events">;

/**
 * Publishes an event in the forms that are configured; held while NATS is away, and once more where it may
 * have been lost with the connection. Then it comes with the same `X-H8s-Event-Id`.
 *
 * @param record To which connection; of this gateway or of one that is no more.
 */
export function tell(
  event: ConnectionEvent,
  record: ConnectionRecord,
  { config, outbox, events }: EventParts,
): void {
  const { prefix, controlSubjects: forms } = config();
  const { inbox, subject, hostTokens, lines } = record;
  const id = toEventId(event, toRecordedId(record));
  const common = joinLines(lines, toEventHeaders(event), toHeaderLine(HEADER.eventId, id));
  if (events !== undefined) {
    const hasInbox = lines.includes(`${HEADER.replySubject}: `);
    const kept = joinLines(
      common,
      toPersistLines({ stream: events.name, messageId: id }),
      hasInbox ? NO_LINES : toHeaderLine(HEADER.replySubject, inbox),
    );
    const headers = encodeLatin1(toHeaderBlock(kept));
    events.keep(toKeptSubject(event.type, { prefix, hostTokens }), headers);
  }
  const own = toEventLines(subject);
  const headers = toHeaderBlock(joinLines(common, own));
  for (const to of toEventSubjects(event.type, { prefix, hostTokens, forms })) {
    outbox.tell(to, EMPTY, {
      reply: inbox,
      headers,
      // A server that came back with a smaller limit may not take the client's own headers any more.
      onRefused: () => {
        const headers = toHeaderBlock(joinLines(toEssentialLines(common), own));
        outbox.tell(to, EMPTY, { reply: inbox, headers });
      },
    });
  }
}

/** Which connection it was. */
function toEssentialLines(lines: HeaderLines): HeaderLines {
  const all = lines.split(/(?<=\r\n)/);
  return toHeaderLines(all.filter((line) => ESSENTIAL.test(line)).join(""));
}

/**
 * Telling workloads of a connection.
 *
 * @module
 */
import type { ConnectionRecord } from "../mapping/connection_record.ts";
import { type ConnectionEvent, toEventHeaders, toEventMessages } from "../mapping/control.ts";
import { toHeaderBlock } from "../mapping/headers.ts";
import type { Bus } from "../nats/bus.ts";
import { pause } from "../nats/within.ts";
import type { EdgeParts } from "./parts.ts";

const EMPTY = new Uint8Array();
/** A nats-server that hung reads on where it stopped: by then it has done what it had been asked. */
const RETRY_MS = 2000;

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
    const publish = (lines: string, onRefused?: () => void) =>
      outbox.publish(message.subject, EMPTY, {
        reply: inbox,
        headers: toHeaderBlock(lines + message.lines),
        ...(onRefused === undefined ? {} : { onRefused }),
      });
    // A server that came back with a smaller limit may not take the client's own headers any more.
    publish(common, () => publish(toEssentialLines(common)));
  }
}

function toEssentialLines(lines: string): string {
  return lines.split(/(?<=\r\n)/).filter((line) => /^(x-h8s-|host:)/i.test(line)).join("");
}

/**
 * Tells a connection's end and takes its record, which says already that it is over. Both go to NATS in one
 * write: who dies has done neither, and another gateway finds the record, or both.
 *
 * @param bus Where they go.
 * @param options `tell`: publishes; `take`: takes the record, and says whether it was there; without an answer
 * it is asked again, until `isGivenUp`. Where the connection was lost meanwhile, a record that is still there
 * means that nothing was told.
 */
export async function tellAndTake(bus: Pick<Bus, "onState">, { tell, take, isGivenUp, onError }: {
  tell: () => void;
  take: () => Promise<boolean>;
  isGivenUp: () => boolean;
  onError: (error: unknown) => void;
}): Promise<void> {
  let isInDoubt = false;
  const endState = bus.onState((state) => isInDoubt ||= state !== "connected");
  try {
    tell();
    for (let taken = take();; taken = take()) {
      try {
        if (await taken && isInDoubt) tell();
        return;
      } catch (error) {
        onError(error);
      }
      await pause(RETRY_MS);
      if (isGivenUp()) return;
    }
  } finally {
    endState();
  }
}

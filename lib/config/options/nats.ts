/**
 * Options: NATS, and the subjects there.
 *
 * @module
 */
import { z } from "zod";
import { isSubjectPrefix } from "../../mapping/subject.ts";
import { duration, parsed } from "../fields.ts";
import { natsLoginFields, type NatsLoginOptions } from "./nats_login.ts";

const PREFIX = `literal subject tokens joined by dots, at most 128 characters, e.g. "h8s"`;

/** How NATS is reached, and the subjects there. */
export interface NatsOptions extends NatsLoginOptions {
  /**
   * The first tokens of every subject.
   *
   * @default "h8s"
   */
  readonly prefix?: string;
  /**
   * How long those who come first wait for NATS after the start, instead of being refused at once: for where a
   * request is what starts an instance.
   *
   * @default "0s"
   */
  readonly startGrace?: string;
  /**
   * How long WebSockets stay open while NATS is away.
   *
   * @default "15s"
   */
  readonly natsGrace?: string;
  /**
   * Whether messages pass by the NATS client library on its own socket, which costs less; off, every one
   * goes through it.
   *
   * @default true
   */
  readonly fastLane?: boolean;
}

/** The same, to be checked. */
export const natsFields = {
  ...natsLoginFields,
  prefix: parsed(PREFIX, (text) => isSubjectPrefix(text) ? text : undefined).prefault("h8s")
    .meta({ placeholder: "TOKENS", description: "First tokens of every subject" }),
  startGrace: duration("0s", "How long those who come first wait for NATS after the start"),
  natsGrace: duration("15s", "How long WebSockets stay open while NATS is away"),
  fastLane: z.boolean().default(true)
    .meta({ description: "Pass by the NATS client library; costs less" }),
};

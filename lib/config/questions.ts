/**
 * The questions that the command line answers: how each is asked, and with which flags besides those of
 * the gateway.
 *
 * @module
 */
import { z } from "zod";
import { count, duration, listOf, matching, wholeNumber } from "./fields.ts";

const json = z.boolean().default(false).meta({ description: "Print JSON, for scripts" });
const wait = duration("6s", "How long to listen; workloads register every 5 s");
const text = (placeholder: string, description: string) =>
  matching(/./, placeholder).optional().meta({ placeholder, description });

/** All of them. */
export const QUESTIONS = {
  subject: {
    usage: "subject URL",
    operands: [1, 1],
    text: "What becomes of a request: its subject, the route that takes it, what is asked of it.",
    exits: "0: it may come in; 1: it is refused",
    fields: z.strictObject({
      method: matching(/./, "a method").default("GET")
        .meta({ placeholder: "METHOD", description: "The request's method" }),
      upgrade: z.boolean().default(false).meta({ description: "It is a WebSocket's handshake" }),
      origin: text("ORIGIN", "The page that it comes from"),
      workloads: z.boolean().default(false)
        .meta({ description: "Ask NATS who has registered for it" }),
      ...{ wait, json },
    }),
  },
  doctor: {
    usage: "doctor [URL]",
    operands: [0, 1],
    text: "Tries all that the gateway needs, and with URL a workload that answers it.",
    exits: "0: nothing is wrong; 1: something is",
    fields: z.strictObject({ wait, json }),
  },
  gateways: {
    usage: "gateways",
    operands: [0, 0],
    text: "The gateways that live.",
    exits: "0: there is one; 1: there is none",
    fields: z.strictObject({ json }),
  },
  workloads: {
    usage: "workloads",
    operands: [0, 0],
    text: "What workloads have registered for.",
    exits: "0: there is one; 1: there is none",
    fields: z.strictObject({ wait, json }),
  },
  connections: {
    usage: "connections [--close CODE REASON]",
    operands: [0, 100],
    text: "The WebSockets of all gateways; --close ends those that are listed.",
    exits: "0: there is one; 1: there is none",
    fields: z.strictObject({
      host: text("HOST", "Only those of this host"),
      path: text("PATH", "Only those whose path begins so"),
      session: text("ID", "Only those of this session"),
      remote: text("ADDRESS", "Only those of clients whose address begins so"),
      limit: count(1000, "The most that are listed"),
      close: wholeNumber(1000, 4999).optional()
        .meta({ placeholder: "CODE", description: "Close them; what follows is the reason" }),
      json,
    }),
  },
  tap: {
    usage: "tap [PATTERN]",
    operands: [0, 1],
    text:
      "Heads of what passes, live, secrets masked. PATTERN: 'GET shop.example/*', 'ws */chat/*'.",
    exits: "0: it has seen something; 1: nothing came, or no gateway shows it; 130: Ctrl-C",
    fields: z.strictObject({
      subject: listOf(matching(/^[^\s]+$/, "a subject"), "a list of subjects").default([])
        .meta({ placeholder: "SUBJECT", description: "What a route publishes on" }),
      count: count(0, "End after so many; 0 for any number"),
      seconds: count(0, "End after so long; 0 for never"),
      headers: z.boolean().default(false).meta({ description: "Show their headers, too" }),
      json,
    }),
  },
} as const;

/** The name of a question. */
export type QuestionName = keyof typeof QUESTIONS;

/** A question as it was asked. */
export type Question = {
  readonly [Name in QuestionName]: {
    readonly name: Name;
    /** What stands beside the flags. */
    readonly operands: readonly string[];
    readonly options: z.output<(typeof QUESTIONS)[Name]["fields"]>;
  };
}[QuestionName];

/** Says whether a word is the name of a question. */
export function isQuestion(word: string | undefined): word is QuestionName {
  return word !== undefined && Object.hasOwn(QUESTIONS, word);
}

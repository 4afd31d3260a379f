/**
 * Answers to the questions of the command line.
 *
 * @module
 */
import type { Question } from "../config/questions.ts";
import type { GatewayConfig } from "../config/schema.ts";
import type { Login } from "../nats/client/login.ts";
import { examine } from "./doctor/mod.ts";
import { hearInterests } from "./interest.ts";
import { listConnections, listGateways, listWorkloads } from "./lists.ts";
import { AskError, openNats } from "./nats.ts";
import { checkRights } from "./rights.ts";
import { tellSubject } from "./subject.ts";
import { tap } from "./tap.ts";
import { type AnswerOutput, Terminal } from "./terminal.ts";

/** What is known of the gateway that is asked about. */
export interface Asked {
  readonly config: GatewayConfig;
  readonly login: Login;
  readonly output: AnswerOutput;
}

/**
 * Answers a question.
 *
 * @param asked What it is about, and where the answer goes.
 * @returns The exit code.
 */
export async function ask(
  question: Question,
  { config, login, output }: Asked,
): Promise<number> {
  const terminal = new Terminal(output);
  try {
    if (question.name === "subject" && !question.options.workloads) {
      return tellSubject(question, { config, interests: undefined, terminal });
    }
    if (question.name === "doctor") return await examine(question, { config, login }, terminal);
    await using nats = await openNats(login);
    const asking = { session: nats.session, prefix: config.prefix, terminal };
    const code = await answer(question, { config, ...asking, errors: nats.errors });
    await checkRights(nats.session, nats.errors);
    return code;
  } catch (error) {
    if (!(error instanceof AskError)) throw error;
    terminal.note(`h8s: ${error.message}`);
    terminal.note(`h8s: ${error.mend}`);
    return 1;
  }
}

type Answering = Parameters<typeof tap>[1] & { readonly config: GatewayConfig };

async function answer(
  question: Exclude<Question, { readonly name: "doctor" }>,
  asking: Answering,
): Promise<number> {
  switch (question.name) {
    case "subject": {
      const { session, prefix, terminal, config } = asking;
      const { wait } = question.options;
      terminal.patience(`listening for ${wait / 1000} s …`);
      const interests = await hearInterests(session, { prefix, waitMs: wait });
      return tellSubject(question, { config, interests, terminal });
    }
    case "gateways":
      return await listGateways(question, asking);
    case "workloads":
      return await listWorkloads(question, asking);
    case "connections":
      return await listConnections(question, asking);
    case "tap":
      return await tap(question, asking);
  }
}

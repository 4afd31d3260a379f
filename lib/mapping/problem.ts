/**
 * Errors as clients get them: RFC 9457.
 *
 * @module
 */

/** The media type. */
export const PROBLEM_TYPE = "application/problem+json";

/** What a client is told: never a stack, or a subject that it did not know already. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** What the client can quote when it asks for help; empty, or left out, where it is unknown. */
  readonly requestId?: string;
}

/** A problem as a response, with the headers that its status asks for. */
export function toProblemResponse(problem: Problem, headers: HeadersInit = {}): Response {
  const all = new Headers(headers);
  all.set("content-type", PROBLEM_TYPE);
  return new Response(JSON.stringify(problem), { status: problem.status, headers: all });
}

/**
 * What the answers to questions look like: tables and colours for people, JSON for scripts.
 *
 * @module
 */
import { Ansis } from "ansis";
import Table from "cli-table3";

/** Where answers go. */
export interface AnswerOutput {
  /** Whether a person looks at it. */
  readonly isTerminal: boolean;
  /** Standard output. */
  write(line: string): void;
  /** Standard error: what is no answer. */
  note(line: string): void;
}

/** Where answers go, in the form that was asked for. */
export class Terminal {
  readonly #output: AnswerOutput;
  /** Its methods colour text, where that is of use. */
  readonly paint: Ansis;

  constructor(output: AnswerOutput) {
    this.#output = output;
    this.paint = new Ansis(output.isTerminal ? 1 : 0);
  }

  /** Writes one line. */
  line(text: string): void {
    this.#output.write(text);
  }

  /**
   * Writes a value for scripts.
   *
   * @param value As JSON has it; on one line.
   */
  json(value: unknown): void {
    this.#output.write(JSON.stringify(value));
  }

  /** Writes a table. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): void {
    const none = ["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left"];
    const table = new Table({
      chars: Object.fromEntries(
        [
          ...[...none, "bottom-right", "left", "left-mid", "mid", "mid-mid", "right", "right-mid"],
          "middle",
        ].map((name) => [name, name === "middle" ? "  " : ""]),
      ),
      style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
    });
    table.push(head.map((name) => this.paint.bold(name)), ...rows.map((row) => [...row]));
    for (const line of table.toString().split("\n")) this.#output.write(line.trimEnd());
  }

  /** Says what is no answer, e.g. that one waits. */
  note(text: string): void {
    this.#output.note(text);
  }

  /** Says to a person that it takes a while. */
  patience(text: string): void {
    if (this.#output.isTerminal) this.#output.note(this.paint.dim(text));
  }
}

/**
 * Somebody who goes through one document and does what it says, from top to bottom, in an empty folder.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { pause } from "../../lib/time/within.ts";
import { freePort } from "../harness/free_port.ts";
import { findNats } from "../harness/nats_server.ts";
import { type Block, type Document, ROOT } from "./blocks.ts";
import { makeFolder } from "./outside.ts";

/** Of the documents, each of which gets a free one. */
const PORTS = [4222, 8080, 9090, 9222, 3000] as const;
const ENDING = /main\.ts (reverse )?(config|subject|doctor|gateways|workloads|connections|--\w+$)/;

/** A program that goes on while one reads. */
interface Running {
  readonly line: string;
  readonly process: Deno.ChildProcess;
  readonly output: Promise<string>;
  code: number | undefined;
}

/** Has nats-server and a gateway running, like the documents' readers, until told to start others. */
export class Reader implements AsyncDisposable {
  readonly #folder: string;
  readonly #path: string;
  readonly #patienceMs: number;
  readonly #ports = new Map(PORTS.map((port) => [port, freePort()]));
  readonly #running: Running[] = [];

  private constructor(folder: string, path: string, patienceMs: number) {
    this.#folder = folder;
    this.#path = path;
    this.#patienceMs = patienceMs;
  }

  /** Does all that a document says; whatever cannot be done is an error that says where. */
  static async read({ blocks }: Document, { patienceMs = 20_000 } = {}): Promise<void> {
    const { path } = await findNats();
    const folders = [dirname(Deno.execPath()), dirname(path), Deno.env.get("PATH")];
    await using reader = new Reader(await makeFolder(), folders.join(":"), patienceMs);
    await reader.#do("nats-server -js");
    await reader.#do("deno run --allow-net main.ts");
    for (const [index, block] of blocks.entries()) {
      try {
        await reader.#follow(block, blocks.slice(index + 1));
      } catch (error) {
        throw new Error(`${block.at}: ${error instanceof Error ? error.message : error}`);
      }
    }
  }

  async #follow(block: Block, rest: readonly Block[]): Promise<void> {
    const { language, mark, file, line, text } = block;
    if (mark !== undefined) return;
    if (language === "sh") {
      for (const [command, answer] of toCommands(text)) await this.#do(command, answer);
      return;
    }
    const isProgram = language === "ts" || language === "js";
    const name = file ?? `block_${line}.${language}`;
    if (file !== undefined || isProgram) {
      await Deno.writeTextFile(`${this.#folder}/${name}`, this.#localize(text));
    }
    const isRunBelow = rest.some((block) =>
      block.language === "sh" && block.mark === undefined && block.text.includes(name)
    );
    if (isProgram && !isRunBelow) await this.#try(name, text);
  }

  /** A program serves, or is a gateway, or comes to its end. */
  async #try(name: string, text: string): Promise<void> {
    const host = /\bserve\([^]*?host: "([^"]+)"/.exec(text)?.[1];
    const isGateway = text.includes("startGateway(");
    if (isGateway) await this.#stop(/main\.ts/);
    const line = `deno run --allow-net ${name}`;
    if (host === undefined && !isGateway) return await this.#finish(line);
    this.#start(line);
    const url = `http://127.0.0.1:${this.#ports.get(8080)}/`;
    const question = `curl -s -w ' %{http_code}' -H 'Host: ${host}' ${url}`;
    // A gateway that nobody answers says so; one that is about to stop says something else.
    const answer = isGateway ? /no_responders.* 503$/s : / 200$/;
    await this.#until(async () => answer.test((await this.#output(question)).stdout), url);
  }

  async #do(written: string, answer?: string): Promise<void> {
    const line = written.replaceAll("jsr:@h8s/gateway/main", "main.ts");
    const command = this.#localize(line);
    if (line.startsWith("curl ")) {
      const silent = command.replace("curl", "curl -sS");
      if (answer === undefined) return await this.#finish(`${silent} --fail --retry 5`);
      const pattern = new RegExp(RegExp.escape(answer).replaceAll("…", "[^]*"));
      return await this.#until(
        async () => pattern.test((await this.#output(silent)).stdout),
        answer,
      );
    }
    if (!/^(deno run|nats-server|node|bun) /.test(line) || ENDING.test(line)) {
      return await this.#finish(command);
    }
    if (line.startsWith("nats-server")) {
      await this.#stop(/^nats-server/);
      this.#start(
        line,
        `${command} -a 127.0.0.1 -p ${this.#ports.get(4222)} ${await this.#store()}`,
      );
      return await this.#untilOpen(4222);
    }
    const isGateway = / main\.ts/.test(line) && !line.includes("main.ts reverse");
    if (isGateway) await this.#stop(/ main\.ts(?! reverse)/);
    this.#start(line, command);
    if (isGateway) await this.#untilOpen(8080);
  }

  /** With a WebSocket port, which needs a file, and with what was kept before. */
  async #store(): Promise<string> {
    const port = this.#ports.get(9222);
    const text = `websocket { listen: "127.0.0.1:${port}", no_tls: true }\n`;
    await Deno.writeTextFile(`${this.#folder}/.nats.conf`, text);
    return `-c ${this.#folder}/.nats.conf -sd ${this.#folder}/.store`;
  }

  /** The clone instead of the package, free ports instead of the usual ones. */
  #localize(text: string): string {
    const local = text.replaceAll("jsr:@h8s/gateway/main", "main.ts").replaceAll(
      / +main\.ts/g,
      ` ${ROOT}main.ts`,
    )
      .replaceAll(/ (?=examples\/)/g, ` ${ROOT}`)
      .replaceAll(/(\w:\/\/localhost|127\.0\.0\.1|0\.0\.0\.0):(\d+)/g, (all, host, port) => {
        const mapped = this.#ports.get(Number(port) as typeof PORTS[number]);
        return mapped === undefined ? all : `${host}:${mapped}`;
      })
      .replaceAll(/\bconnect\(\)/g, `connect({ servers: "127.0.0.1:${this.#ports.get(4222)}" })`);
    if (!/^deno run .*main\.ts/.test(local)) return local;
    const flags = [
      ...(/--nats-url|config (check|schema)|--help|--version/.test(local)
        ? []
        : [`--nats-url nats://127.0.0.1:${this.#ports.get(4222)}`]),
      ...(/--listen|main\.ts [a-z]/.test(local)
        ? []
        : [`--listen 127.0.0.1:${this.#ports.get(8080)}`]),
    ];
    return `${local} ${flags.join(" ")}`;
  }

  #command(line: string): Deno.Command {
    return new Deno.Command("bash", {
      args: ["-c", line],
      cwd: this.#folder,
      env: { PATH: this.#path, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  async #output(line: string): Promise<{ code: number; stdout: string; stderr: string }> {
    const { code, stdout, stderr } = await this.#command(`timeout 20 ${line}`).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  async #finish(line: string): Promise<void> {
    const { code, stdout, stderr } = await this.#output(line);
    assert.equal(code, 0, `${line}\n${stdout}${stderr}`);
  }

  #start(line: string, command = this.#localize(line)): void {
    const process = this.#command(`exec ${command}`).spawn();
    const texts = Promise.all([
      new Response(process.stdout).text(),
      new Response(process.stderr).text(),
    ]);
    const ended = process.status.then(({ code }) => {
      running.code = code;
    });
    // Its pipes may be closed before it has ended.
    const output = ended.then(() => texts).then((texts) => texts.join(""));
    const running: Running = { line, process, output, code: undefined };
    this.#running.push(running);
  }

  async #untilOpen(port: typeof PORTS[number]): Promise<void> {
    const open = async () => {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port: this.#ports.get(port)! })).close();
        return true;
      } catch {
        return false;
      }
    };
    await this.#until(open, `port ${port}`);
  }

  async #until(isSo: () => Promise<boolean>, what: string): Promise<void> {
    const begun = performance.now();
    while (!await isSo()) {
      const failed = this.#running.find(({ code }) => code !== undefined);
      if (failed === undefined && performance.now() - begun < this.#patienceMs) {
        await pause(100);
        continue;
      }
      if (failed !== undefined) throw new Error(`Ended: ${failed.line}\n${await failed.output}`);
      throw new Error(`Waited in vain for ${what}`);
    }
  }

  async #stop(line: RegExp): Promise<void> {
    for (const running of this.#running.filter((running) => line.test(running.line))) {
      this.#running.splice(this.#running.indexOf(running), 1);
      if (running.code === undefined) running.process.kill("SIGTERM");
      await running.output;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process, code } of this.#running) if (code === undefined) process.kill("SIGKILL");
    await Promise.all(this.#running.map(({ output }) => output));
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** Commands, each with the comment behind or below it, which is the answer to a `curl`. */
function toCommands(text: string): [command: string, comment: string | undefined][] {
  const commands: [string, string | undefined][] = [];
  for (const line of text.replaceAll("\\\n", " ").split("\n")) {
    const [, command = "", comment] = /^(.*?)(?:(?:^| )\s*# (.*))?$/.exec(line) ?? [];
    const last = commands.at(-1);
    if (command.trim() !== "") commands.push([command.trim(), comment]);
    else if (last !== undefined && comment !== undefined) last[1] ??= comment;
  }
  return commands;
}

/**
 * The runtimes that the package is for, as the npm registry has them.
 *
 * @module
 */

const ROOT = new URL("../../.tools/runtimes/", import.meta.url).pathname;

/** A program that runs JavaScript. */
export interface Runtime {
  readonly name: string;
  readonly command: string;
  /** What stands before the path of a script. */
  readonly args: readonly string[];
}

/**
 * Finds the runtimes, or installs them.
 *
 * @returns Two of Node, Bun and the Deno that runs this.
 */
export async function findRuntimes(): Promise<readonly Runtime[]> {
  return [
    await install("node@22", "node/bin/node"),
    await install("node@24", "node/bin/node"),
    await install("bun@1.4", ".bin/bun"),
    { name: "Deno", command: Deno.execPath(), args: ["run", "-A"] },
  ];
}

/**
 * Finds the Deno that Deno Deploy says it has, or installs it.
 *
 * @returns The path of the program itself, which takes signals, unlike npm's wrapper.
 */
export async function findDeployedDeno(): Promise<string> {
  const { command } = await install("deno@2.5.0", ".bin/deno");
  // The wrapper puts it in its place when it is first called.
  await run(command, { args: ["--version"] });
  return command.replace(".bin/deno", "deno/deno");
}

async function install(name: string, path: string): Promise<Runtime> {
  const folder = `${ROOT}${name}`;
  const command = `${folder}/node_modules/${path}`;
  if (!await isThere(command)) {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(`${folder}/package.json`, `{ "private": true }\n`);
    await npm(folder, ["install", name]);
  }
  return { name, command, args: [] };
}

async function isThere(command: string): Promise<boolean> {
  try {
    await run(command, { args: ["--version"] });
    return true;
  } catch {
    return false;
  }
}

/**
 * Runs npm.
 *
 * @param cwd Where.
 * @param args What.
 * @returns What it prints.
 */
export function npm(cwd: string, args: readonly string[]): Promise<string> {
  return run("npm", { cwd, args: [...args, "--silent", "--no-audit", "--no-fund"] });
}

/**
 * Runs a program to its end.
 *
 * @param command The program.
 * @param options Its arguments and where.
 * @returns What it prints.
 * @throws {Error} with all of it, when it fails.
 */
export async function run(
  command: string,
  { args, cwd }: { args: readonly string[]; cwd?: string },
): Promise<string> {
  const options = { args: [...args], ...(cwd === undefined ? {} : { cwd }) };
  const { success, stdout, stderr } = await new Deno.Command(command, options).output();
  const [printed, complained] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!success) throw new Error(`${command} ${args.join(" ")} failed:\n${printed}${complained}`);
  return printed!;
}

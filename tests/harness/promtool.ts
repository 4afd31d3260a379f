/**
 * Prometheus's own check of rules and metrics: found, or installed as Debian's package.
 *
 * @module
 */
let found: Promise<void> | undefined;

/** Makes sure that it is there, and so is the server that comes with it. */
export async function withPrometheus(): Promise<void> {
  await (found ??= find());
}

/**
 * Runs it.
 *
 * @param args What to check.
 * @param input On its standard input.
 * @throws {Error} with what it complains about.
 */
export async function promtool(args: readonly string[], input = ""): Promise<void> {
  await (found ??= find());
  const { success, output } = await run("promtool", args, input);
  if (!success) throw new Error(`promtool ${args.join(" ")}:\n${output}`);
}

async function find(): Promise<void> {
  if ((await run("promtool", ["--version"])).success) return;
  await run("apt-get", ["update", "-qq"]);
  const { success, output } = await run("apt-get", ["install", "-y", "-qq", "prometheus"]);
  if (!success) {
    throw new Error(`Cannot find promtool: install Prometheus, or put it into PATH\n${output}`);
  }
}

async function run(
  command: string,
  args: readonly string[],
  input = "",
): Promise<{ success: boolean; output: string }> {
  try {
    const process = new Deno.Command(command, {
      args: [...args],
      env: { DEBIAN_FRONTEND: "noninteractive" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    await new Response(input).body?.pipeTo(process.stdin).catch(() => {});
    const { success, stdout, stderr } = await process.output();
    return { success, output: [stdout, stderr].map((b) => new TextDecoder().decode(b)).join("") };
  } catch (error) {
    return { success: false, output: String(error) };
  }
}

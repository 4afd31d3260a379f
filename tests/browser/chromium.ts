/**
 * Finds Debian's Chromium, or installs it.
 *
 * @module
 */
import { type Browser, chromium } from "playwright-core";

/** A name for 127.0.0.1 that the browser knows. */
export const HOST = "rooms.test";

const PATH = "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // As from another machine: what browsers only allow on https: and localhost is not there.
  `--host-resolver-rules=MAP ${HOST} 127.0.0.1`,
];

const unavailable = await findChromium();
if (unavailable !== undefined) {
  console.warn(`\nSKIPPED: all tests in a browser. ${unavailable}\n`);
}

/**
 * A test that needs a browser; ignored, and the reason printed, where there is none.
 *
 * @param name The behaviour.
 * @param fn The test.
 */
export function browserTest(name: string, fn: (t: Deno.TestContext) => Promise<void>): void {
  Deno.test({ name, ignore: unavailable !== undefined, fn });
}

/** What some tests have together. */
interface Shared extends AsyncDisposable {
  /** Called after each of them. */
  tidy?(): Promise<void>;
}

/** What they share goes on meanwhile; the test around them looks for what is left open. */
const GOES_ON = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };

/**
 * Steps that share a browser and more, since to start those takes longer than what is done with them.
 *
 * @param name What they are about.
 * @param start Starts what they share.
 * @param tests By the behaviour.
 */
export function browserTests<What extends Shared>(
  name: string,
  start: () => Promise<What>,
  tests: Readonly<Record<string, (shared: What) => Promise<void>>>,
): void {
  browserTest(name, async (t) => {
    await using shared = await start();
    for (const [name, test] of Object.entries(tests)) {
      await t.step({ name, fn: () => test(shared), ...GOES_ON });
      await shared.tidy?.();
    }
  });
}

/**
 * Starts the browser, without a window.
 *
 * @returns The browser; whoever started it closes or disposes of it.
 */
export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: PATH, args: FLAGS });
}

/** Undefined when it is there, else why it is not. */
async function findChromium(): Promise<string | undefined> {
  if (await isThere()) return undefined;
  const isDebian = await succeeds("dpkg", ["--version"]);
  if (!isDebian || Deno.uid() !== 0) {
    return `There is no ${PATH}; as root on Debian it would be installed, else: apt-get install chromium`;
  }
  console.warn(`No ${PATH}: installing Debian's package …`);
  await succeeds("apt-get", ["update", "-qq"]);
  await succeeds("apt-get", ["install", "-y", "-qq", "chromium"]);
  return await isThere() ? undefined : "apt-get install chromium did not work; try it by hand";
}

function isThere(): Promise<boolean> {
  return succeeds(PATH, ["--no-sandbox", "--version"]);
}

async function succeeds(command: string, args: string[]): Promise<boolean> {
  try {
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    const options = { args, env, stdout: "null", stderr: "null" } as const;
    return (await new Deno.Command(command, options).output()).success;
  } catch {
    return false;
  }
}

/**
 * Checks the documentation of what is public: `deno doc --lint`, which takes a type of another package for a
 * private one of ours. Those are public over there.
 *
 * @module
 */
const { success, stderr } = await new Deno.Command(Deno.execPath(), {
  args: ["doc", "--lint", ...Deno.args],
  env: { NO_COLOR: "1" },
}).output();
const errors = new TextDecoder().decode(stderr).split(/^(?=error\[)/m).filter((text) =>
  text.startsWith("error[")
);
const ours = errors.filter((text) => !isOfAnotherPackage(text));
if (ours.length > 0 || (!success && errors.length === 0)) {
  console.error(ours.join("") || new TextDecoder().decode(stderr));
  Deno.exit(1);
}

function isOfAnotherPackage(error: string): boolean {
  const name = /references private type '(\w+)'/.exec(error)?.[1];
  const path = /--> (.+?):\d+:\d+/.exec(error)?.[1];
  if (name === undefined || path === undefined) return false;
  const imports = Deno.readTextFileSync(path).matchAll(/^import\s([^;]*?)\sfrom "([^"]+)"/gm);
  return [...imports].some(([, names = "", from = ""]) =>
    !from.startsWith(".") && new RegExp(`\\b${name}\\b`).test(names)
  );
}

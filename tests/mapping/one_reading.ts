/**
 * Pairs of requests that come to the same subject, spelled differently and under different hosts, and what
 * made-up routes decide about them.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { RequestKind } from "../../lib/mapping/headers.ts";
import { type HostPattern, isHostMatch, toHostPattern } from "../../lib/mapping/host_pattern.ts";
import { matchPath } from "./match_path.ts";
import { toTarget } from "../../lib/mapping/request.ts";
import { type Auth, parseRoute, type Route, type RouteOptions } from "../../lib/mapping/route.ts";
import { type Decision, RouteTable } from "../../lib/mapping/route_table.ts";
import type { Random } from "../harness/random.ts";

/** Few, so that routes and requests meet. */
const NAMES = ["a", "b", "admin", "x"];
const SEGMENTS = [...NAMES, "*", "%E9", "a%2Fb", "A", "v1.2"];
const STEPS = [...NAMES, ...NAMES, ":one", ":two", "A", "v1.2", "caf%e9"];
const TAILS = ["", "", "/*", "/*", "{/:more}?", "/:id(a|b)", "/:rest+", "/x-*"];
const AUTHS: readonly (Auth | undefined)[] = [undefined, undefined, "none", "key", "jwt"];
const PAIRS_PER_TABLE = 50;

/** Some routes, and what they were made of. */
interface World {
  readonly options: readonly RouteOptions[];
  readonly routes: readonly Route[];
  readonly auth: Auth;
  readonly hosts: readonly HostPattern[];
  readonly table: RouteTable;
}

/** A request, and what was decided about it. */
interface Decided {
  readonly url: string;
  /** Of host and path. */
  readonly tokens: readonly string[];
  /** How many of them are the host's. */
  readonly border: number;
  readonly decision: Decision;
}

/**
 * Tries pairs.
 *
 * @param random Decides.
 * @param count How many.
 * @throws {AssertionError} with both requests and the routes, when one of them is decided otherwise than the
 * other, or than it should be.
 */
export function checkPairs(random: Random, count: number): void {
  for (let pair = 0, world = toWorld(random); pair < count; pair++) {
    if (pair % PAIRS_PER_TABLE === 0) world = toWorld(random);
    checkPair(world, random);
  }
}

function checkPair(world: World, random: Random): void {
  const kind: RequestKind = random.chance(0.5) ? "http" : "websocket";
  const method = kind === "websocket" ? "GET" : random.pick(["GET", "POST"]);
  const names = [random.pick(NAMES), ...random.several(2, () => random.pick(NAMES))];
  const segments = [...names, ...random.several(3, () => random.pick(SEGMENTS))];
  const border = () => random.chance(0.3) ? names.length : 1 + random.below(names.length);
  const request = { method, kind };
  const decide = (border: number) => toDecided({ segments, border }, { ...request, world, random });
  const [one, other] = [decide(border()), decide(border())];
  try {
    judge(world, { ...request, pair: [one, other] });
  } catch (cause) {
    const { options, auth, hosts } = world;
    const setting = JSON.stringify({ options, auth, hosts });
    throw new Error(`${method} ${kind} ${one.url} and ${other.url}: ${setting}`, { cause });
  }
}

function judge(
  world: World,
  { method, kind, pair }: { method: string; kind: RequestKind; pair: readonly [Decided, Decided] },
): void {
  const [one, other] = pair;
  assert.deepEqual(one.tokens, other.tokens);
  if (!pair.every((decided) => isServed(world, decided))) return;
  // Whatever host the client names, each owner of the subject is asked.
  const owners = pair.flatMap((decided) => findOwn(world, { method, kind, ...decided }));
  for (const decided of pair) {
    const { match, demands } = decided.decision;
    const route = findSlowly(world, { method, kind, ...decided });
    assert.equal(match?.route, route);
    const own = toDemands(route?.auth ?? world.auth);
    for (const demand of [...own, ...owners]) assert.ok(demands.includes(demand), demand);
  }
  if (one.border === other.border) assert.deepEqual(one.decision, other.decision);
  if (areAllNamed(world)) assert.equal(one.decision.match?.route, other.decision.match?.route);
  if (areAlike(world)) assert.deepEqual(one.decision.demands, other.decision.demands);
}

/** Without a route that takes requests by the path that was asked for, the subject alone decides. */
function areAllNamed({ options }: World): boolean {
  return options.every(({ match }) => match.host !== undefined);
}

/** A route for any host that opens what is closed by default opens it for the hosts that were asked for. */
function areAlike({ options, auth }: World): boolean {
  const opens = ({ match, auth: own = auth }: RouteOptions) =>
    match.host === undefined && own !== auth;
  return auth === "none" || !options.some(opens);
}

/** The others are a 403. */
function isServed(
  { hosts }: World,
  { tokens, border }: Pick<Decided, "tokens" | "border">,
): boolean {
  return hosts.length === 0 || hosts.some((host) => isHostMatch(host, tokens, border));
}

interface Question {
  readonly method: string;
  readonly kind: RequestKind;
  readonly tokens: readonly string[];
  readonly border: number;
}

/** The contract, word for word and route by route. */
function findSlowly(world: World, question: Question): Route | undefined {
  const { routes } = world;
  const { tokens, border } = question;
  const isHost = (length: number) =>
    tokens.slice(0, length).every((token) => /^[a-z0-9_-]+$/.test(token));
  const found = tokens.flatMap((_, index) => {
    const at = index + 1;
    const isOwn = at === border;
    if (!isOwn && !isHost(at)) return [];
    const first = routes.findIndex((route) =>
      (route.host !== undefined || isOwn || isServed(world, { tokens, border: at })) &&
      isTaken(route, { ...question, border: at })
    );
    return isOwn || routes[first]?.host !== undefined ? [first] : [];
  }).filter((order) => order !== -1);
  return found.length === 0 ? undefined : routes[Math.min(...found)];
}

/** What the first route asks for that takes it under the host that it names. */
function findOwn({ routes, auth }: World, question: Question): readonly Demand[] {
  const route = routes.find((route) => isTaken(route, question));
  return route === undefined ? [] : toDemands(route.auth ?? auth);
}

function isTaken(
  { host, path, methods, sides }: Route,
  { method, kind, tokens, border }: Question,
): boolean {
  return sides[kind] !== undefined && (methods?.includes(method) ?? true) &&
    (host === undefined || isHostMatch(host, tokens, border)) &&
    matchPath(path, tokens.slice(border)) !== undefined;
}

type Demand = Exclude<Auth, "none">;

function toDemands(auth: Auth): readonly Demand[] {
  return auth === "none" ? [] : [auth];
}

function toDecided(
  { segments, border }: { segments: readonly string[]; border: number },
  { method, kind, world, random }: {
    method: string;
    kind: RequestKind;
    world: World;
    random: Random;
  },
): Decided {
  const host = spellHost(segments.slice(0, border), random);
  const url = `http://${host}${spellPath(segments.slice(border), random)}`;
  const headers = [["host", host]] as const;
  const target = toTarget({ method, url, headers }, { prefix: "h8s", kind });
  const { hostTokens, pathTokens } = target;
  const decision = world.table.decide({ hostTokens, pathTokens, method, kind });
  const tokens = target.subject.split(".").slice(3);
  return { url, tokens, border, decision };
}

/** Another way to write a host, its labels as its tokens are. */
export function spellHost(labels: readonly string[], random: Random): string {
  const name = labels.toReversed().join(".");
  return (random.chance(0.3) ? name.toUpperCase() : name) + random.pick(["", "", ".", ":80"]);
}

/** Another way to write a path. */
export function spellPath(segments: readonly string[], random: Random): string {
  const slash = () => random.pick(["/", "/", "/", "//", "\\", "/./", "/%2e/", "/y/../"]);
  const path = segments.map((segment) => slash() + spellSegment(segment, random)).join("");
  return `${path.startsWith("/") ? "" : "/"}${path}${random.pick(["", "", "/", "//", "/."])}`;
}

function spellSegment(segment: string, random: Random): string {
  return segment.replace(/%..|[^]/g, (octet) => {
    if (octet.length > 1) return random.chance(0.5) ? octet : octet.toLowerCase();
    return random.chance(0.2) ? `%${octet.charCodeAt(0).toString(16)}` : octet;
  });
}

function toWorld(random: Random): World {
  const options = Array.from({ length: 1 + random.below(5) }, () => toOptions(random));
  const routes = options.map(parseRoute);
  const auth = random.pick<Auth>(["none", "none", "key"]);
  const hosts = random.chance(0.2) ? [toHostPattern("*.a"), toHostPattern("b")] : [];
  return { options, routes, auth, hosts, table: new RouteTable(routes, { auth, hosts }) };
}

function toOptions(random: Random): RouteOptions {
  const path = random.several(3, () => `/${random.pick(STEPS)}`).join("") + random.pick(TAILS);
  const labels = [random.pick(NAMES), ...random.several(2, () => random.pick(NAMES))].join(".");
  const isOnce = new Set(path.match(/:\w+/g)).size === (path.match(/:\w+/g)?.length ?? 0);
  return {
    match: {
      path: path.startsWith("/") && isOnce ? path : "*",
      host: random.pick([undefined, labels, labels, `*.${labels}`]),
      methods: random.chance(0.2) ? ["POST"] : undefined,
      upgrade: random.pick([undefined, undefined, undefined, "http", "websocket"]),
    },
    auth: random.pick(AUTHS),
  };
}

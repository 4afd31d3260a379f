/**
 * What a request passes before anything is done for it: its shape, the chain of checks, its session,
 * its route.
 *
 * @module
 */
import type { GatewayConfig } from "../config/schema.ts";
import { GatewayError } from "../errors.ts";
import { withoutCredentials, withoutParameter } from "../mapping/credentials.ts";
import { toPreflightMethod } from "../mapping/cors.ts";
import { toNumberScope } from "../mapping/message_id.ts";
import { listSpoken } from "../mapping/resume.ts";
import {
  type HeaderEntry,
  type HeaderLines,
  joinLines,
  type RequestKind,
  valueOf,
} from "../mapping/headers.ts";
import { toCrossing } from "../mapping/client_headers.ts";
import { type Target, toRequestHeaders } from "../mapping/request.ts";
import type { Decision } from "../mapping/route_table.ts";
import { toHostTokens } from "../mapping/subject.ts";
import { type Offer, pickSubprotocol } from "../mapping/subprotocol.ts";
import { type Checks, type Memory, toChain } from "./admission/chain.ts";
import { toCandidate } from "./admission/candidate.ts";
import type { Candidate } from "./admission/check.ts";
import { Identities, type IdentityParts } from "./admission/identities.ts";
import { ANYBODY, type Identity, toIdentityLines, toWho } from "./admission/identity.ts";
import { registeredInterest } from "./admission/interest.ts";
import { Load } from "./admission/load.ts";
import { checkOrigin } from "./admission/origin.ts";
import { RateTable, takeToken } from "./admission/rate.ts";
import { type Rules, toRules } from "./admission/rules.ts";
import { Cors } from "./cors.ts";
import { remembering } from "./remembering.ts";
import { type BodyFacts, toBodyFacts } from "./request_head.ts";
import type { EdgeParts } from "./parts.ts";
import { type Routed, type RoutingParts, toRouted } from "./admission/routing.ts";
import { type ClientSession, toClientSession } from "./admission/session_cookie.ts";
import type { Visit } from "./visit.ts";

/** A request that may go on. */
export interface Admitted extends Routed, BodyFacts {
  readonly request: Request;
  /** Told of what becomes of it. */
  readonly visit: Visit;
  readonly target: Target;
  /** Lines for the header block of its messages. */
  readonly headerLines: HeaderLines;
  /** Unique among all gateways; undefined for an HTTP request. */
  readonly connectionId: string | undefined;
  /** The same, and unique among all sockets that one connection has had. */
  readonly socketId: string | undefined;
  /** Of a handshake. */
  readonly offer: Offer | undefined;
  /** The subprotocol that is picked; undefined where none is offered. */
  readonly protocol: string | undefined;
  /** Whose numbers the messages have of a client that names itself to `h8s.ack.v1`; undefined for others. */
  readonly numberScope: string | undefined;
  /** The client's own name for what is to be stored once; undefined for what goes into no stream. */
  readonly idempotencyKey: string | undefined;
  readonly identity: Identity;
  /** Undefined where sessions are off. */
  readonly session: Pick<ClientSession, "id"> | undefined;
  /** `Set-Cookie` values for the response. */
  readonly setCookies: readonly string[];
  /** Headers that the workload wants on the 101, where it was asked. */
  readonly answerHeaders: readonly HeaderEntry[];
  /** Whether an authorizer has let it in: it hears the workload's question, too. */
  readonly isAuthorized: boolean;
  /** When the client's identity ends, in milliseconds since 1970; undefined for never. */
  readonly expiresAt: number | undefined;
  readonly remoteAddress: string;
  /** What the client can quote when something fails. */
  readonly requestId: string;
}

/** A request that has passed all checks that need not know who asks. */
export interface Entry {
  readonly candidate: Candidate;
  readonly visit: Visit;
  readonly decision: Decision;
}

const NONE: readonly string[] = [];
const NO_HEADERS: readonly HeaderEntry[] = [];

/** What it takes. */
export type AdmissionParts = IdentityParts & RoutingParts & Pick<EdgeParts, "interests">;

/** Lets requests in, or not. */
export class Admission {
  readonly #parts: AdmissionParts;
  readonly #memory: Memory = { load: new Load(), rates: new RateTable() };
  readonly #identities: Identities;
  readonly #hasInterest: ReturnType<typeof registeredInterest>;
  readonly #crossingOf = remembering(toCrossing);
  readonly #hostTokensOf = remembering(toHostTokens);
  #config: GatewayConfig | undefined;
  #chain: Checks = { early: [], late: [] };
  #rules: Rules | undefined;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
    this.#identities = new Identities(parts);
    this.#hasInterest = parts.config().trackInterest
      ? registeredInterest(parts.interests)
      : () => {};
  }

  /** What goes on at once; the requests are counted by whoever serves them. */
  get load(): Load {
    return this.#memory.load;
  }

  /**
   * Makes the checks that need not know who asks.
   *
   * @param options What kind it is, its header lines, and its visit, which is told what is found out.
   * @returns The request, which may not go on yet.
   * @throws {GatewayError} with what the client is to be told.
   */
  enter(
    request: Request,
    options: { kind: RequestKind; visit: Visit; headers: readonly HeaderEntry[] },
  ): Entry {
    const { kind, visit } = options;
    const config = this.#parts.config();
    if (config !== this.#config) this.#configure(config);
    const hostTokensOf = this.#hostTokensOf;
    const candidate = toCandidate(request, { ...options, config, hostTokensOf });
    visit.onTarget(candidate.target);
    for (const check of this.#chain.early) check(candidate);
    const { method } = request;
    const { target: { hostTokens, pathTokens } } = candidate;
    const { table } = this.#rules!;
    const decide = (method: string) => table.decide({ hostTokens, pathTokens, method, kind });
    const decision = decide(method);
    visit.route = decision.match?.route.pattern;
    const meant = toPreflightMethod(request);
    const { match } = meant === undefined ? decision : decide(meant);
    const cors = visit.cors = Cors.of(request, { config, route: match?.route });
    checkOrigin(candidate, cors?.origins);
    for (const check of this.#chain.late) check(candidate);
    // A browser shows no credential with it; so it gets no further than the workload that is to answer.
    const isOpen = meant !== undefined && cors?.kind === "workload" &&
      Cors.of(request, { config, route: decision.match?.route })?.kind === "workload";
    return { candidate, visit, decision: isOpen ? { ...decision, demands: [] } : decision };
  }

  /**
   * Finds out who asks, and works out what the request's messages look like.
   *
   * @returns The admitted request; at once where no one else has to be asked.
   * @throws {GatewayError} with what the client is to be told.
   * @throws {Refusal} with an authorizer's own answer.
   */
  admit({ candidate, visit, decision }: Entry): Admitted | Promise<Admitted> {
    const identity = this.#identities.identify(candidate, decision.demands);
    return identity instanceof Promise
      ? identity.then((identity) => this.#complete(candidate, { decision, visit, identity }))
      : this.#complete(candidate, { decision, visit, identity });
  }

  #configure(config: GatewayConfig): void {
    this.#config = config;
    this.#chain = toChain(config, this.#memory);
    this.#rules = toRules(config);
  }

  #complete(
    candidate: Candidate,
    { decision, visit, identity }: { decision: Decision; visit: Visit; identity: Identity },
  ): Admitted {
    this.#hasInterest(candidate);
    const { bus, ids, gatewayId } = this.#parts;
    if (bus.state !== "connected") {
      throw new GatewayError("nats_unavailable", "The gateway is not connected to NATS");
    }
    const { request, kind, offer, peer } = candidate;
    const isWebSocket = kind === "websocket";
    const { session, setCookies } = this.#toSession(candidate, identity);
    const connectionId = isWebSocket ? `${gatewayId}-${ids.nextNumber()}` : undefined;
    const { headers, target } = this.#withoutCredentials(candidate, identity);
    const routable = { method: request.method, kind, target, sessionId: session?.id, connectionId };
    const routed = toRouted(decision, {
      request: routable,
      rules: this.#rules!,
      parts: this.#parts,
    });
    const { subject } = routed;
    const traceparent = visit.onAdmitted(subject);
    const provenance = { ...peer, traceparent, sessionId: session?.id };
    const headerLines = joinLines(
      toRequestHeaders(headers, {
        ...{ target, subject, kind, provenance },
        crossingOf: this.#crossingOf,
      }),
      toIdentityLines(identity),
    );
    const { clientAddress: remoteAddress, requestId } = peer;
    const ackClient = offer?.asides.ackClient;
    const { contentLength, isBodyless } = toBodyFacts(request.method, candidate.headers);
    return {
      ...routed,
      request,
      visit,
      target,
      headerLines,
      connectionId,
      socketId: connectionId,
      offer,
      protocol: offer && toProtocol(offer, identity, routed),
      numberScope: ackClient &&
        toNumberScope({ ...target, ackClient, who: toWho(identity), subject }),
      idempotencyKey: routed.isPersistent
        ? valueOf(candidate.headers, "idempotency-key")
        : undefined,
      identity,
      session,
      setCookies,
      answerHeaders: NO_HEADERS,
      isAuthorized: decision.demands.includes("authorize"),
      expiresAt: identity.expiresAt,
      contentLength,
      isBodyless,
      remoteAddress,
      requestId,
    };
  }

  #toSession(
    { headers, peer }: Candidate,
    { sessionId, subject, setCookies = NONE }: Identity,
  ): { session: Admitted["session"]; setCookies: readonly string[] } {
    const { ids } = this.#parts;
    const { session: config, rate } = this.#parts.config();
    const limit = (key: string) => {
      if (rate !== undefined) takeToken(key, { rate, table: this.#memory.rates });
    };
    if (subject !== undefined) limit(`subject ${subject}`);
    if (sessionId !== undefined) {
      limit(`session ${sessionId}`);
      return { session: { id: sessionId }, setCookies };
    }
    if (config === undefined) return { session: undefined, setCookies };
    const isSecure = peer.scheme === "https";
    const newId = () => ids.nextRequestId();
    const session = toClientSession(headers, { config, isSecure, newId });
    // A new session has asked for nothing yet.
    if (!session.isNew) limit(`session ${session.id}`);
    const { setCookie } = session;
    return {
      session,
      setCookies: setCookie === undefined ? setCookies : [setCookie, ...setCookies],
    };
  }

  /** A workload needs to know who asks, not how that was proven. */
  #withoutCredentials(
    { headers, target }: Candidate,
    identity: Identity,
  ): Pick<Candidate, "headers" | "target"> {
    const { jwt, forwardCredentials } = this.#parts.config();
    const isProven = identity !== ANYBODY;
    if (forwardCredentials || (!isProven && jwt === undefined)) return { headers, target };
    const { cookie, query } = jwt ?? {};
    return {
      headers: withoutCredentials(headers, { authorization: isProven, cookie, query }),
      target: query === undefined
        ? target
        : { ...target, query: withoutParameter(target.query, query) },
    };
  }
}

function toProtocol(
  offer: Offer,
  { protocol }: Identity,
  routed: Routed,
): string | undefined {
  const names = protocol === undefined ? offer.names : [protocol];
  return names.length === 0 ? undefined : pickSubprotocol(names, listSpoken(routed));
}

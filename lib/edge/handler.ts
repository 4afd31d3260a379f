/**
 * The way of a request: drain, admission, then the WebSocket or the HTTP side.
 *
 * @module
 */
import type { Address } from "../config/units.ts";
import { GatewayError } from "../errors.ts";
import { isServerWide } from "../mapping/request.ts";
import { speaksResume } from "../mapping/resume.ts";
import { Admission, type Admitted, type Entry } from "./admission.ts";
import type { HeaderEntry } from "../mapping/headers.ts";
import { Refusal } from "./admission/authorize.ts";
import { isWebSocketUpgrade } from "./admission/handshake.ts";
import { Cors } from "./cors.ts";
import { askWorkload } from "./socket/handshake_question.ts";
import { Handshakes } from "./socket/handshakes.ts";
import { ReadSizes } from "./http/read_sizes.ts";
import { Spares } from "./http/spares.ts";
import { serveHttp, type ServingOptions } from "./http/serve.ts";
import { InFlight } from "./limits/in_flight.ts";
import { LostGateways } from "./connections/lost_gateways.ts";
import type { EdgeParts } from "./parts.ts";
import { Peers } from "./peer.ts";
import { toErrorResponse, toGatewayError } from "./problem.ts";
import { RequestHeads } from "./request_head.ts";
import { Connections } from "./connections/connections.ts";
import { ConnectionService } from "./connections/connection_service.ts";
import { checkSubjects } from "./subject_length.ts";
import { Connection, type Opening } from "./socket/websocket.ts";
import { Visit } from "./visit.ts";

/** What is known of a request as it comes. */
interface Arrival {
  readonly visit: Visit;
  readonly headers: readonly HeaderEntry[];
}

/** The clients' side of the gateway: a handler for `Deno.serve`. */
export class Edge implements Disposable {
  readonly #parts: EdgeParts;
  readonly #peers: Peers;
  readonly #admission: Admission;
  readonly #connections: Connections;
  readonly #lostGateways: LostGateways | undefined;
  readonly #service: ConnectionService;
  readonly #heads = new RequestHeads();
  readonly #serving: ServingOptions;
  readonly #inFlight = new InFlight();
  readonly #handshakes = new Handshakes();
  #isDraining = false;
  #isGivenUp = false;

  constructor(parts: EdgeParts) {
    this.#parts = parts;
    this.#serving = { parts, readSizes: new ReadSizes(), spares: new Spares() };
    this.#peers = new Peers(parts);
    this.#admission = new Admission(parts);
    this.#connections = new Connections(parts, this.#admission.load);
    const { records } = parts;
    // Listens before this gateway begins to beat: it has to hear itself.
    this.#lostGateways = records &&
      new LostGateways(records, {
        parts,
        own: this.#connections.records,
        resumables: this.#connections.resumables,
      });
    this.#service = new ConnectionService(this.#connections, parts);
  }

  /** True once {@link Edge.drain} was called. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /**
   * Answers a request. Never rejects: what goes wrong is a response.
   *
   * @param info Who sent it, and when its response has gone out.
   * @returns The response, or the 101 of an upgrade.
   */
  async fetch(request: Request, info: Deno.ServeHandlerInfo): Promise<Response> {
    const visit = this.#receive(request, info);
    let response: Response;
    try {
      response = await this.#serve(request, visit);
    } catch (thrown) {
      response = this.#toErrorResponse(thrown, { request, visit });
    }
    visit.onAnswered(response.status);
    // Who keeps the connection would ask on it again.
    if (this.#isDraining && visit.status !== 101) response.headers.set("connection", "close");
    return response;
  }

  /**
   * Takes no more requests, closes the WebSockets, and says so.
   *
   * @returns When the end of each connection has been told, and each response that was begun is out.
   */
  async drain(): Promise<void> {
    this.#isDraining = true;
    this.#service.drain();
    await Promise.all([this.#connections.drain(), this.#inFlight.idle()]);
  }

  /** Says that nothing more comes from here. */
  leave(): void {
    this.#service.leave();
  }

  /** Waits no more, neither for clients nor for NATS: leaves it to others to tell what has not been told. */
  giveUp(): void {
    this.#isGivenUp = true;
    this.#connections.giveUp();
  }

  /** Ends timers. */
  [Symbol.dispose](): void {
    this.#lostGateways?.[Symbol.dispose]();
    this.#service[Symbol.dispose]();
    this.#connections[Symbol.dispose]();
  }

  #receive(request: Request, info: Deno.ServeHandlerInfo): Visit {
    const { load } = this.#admission;
    this.#parts.metrics.requestBegun();
    load.requestBegun();
    // Who is turned away is no reason to stay.
    const isServed = !this.#isDraining;
    if (isServed) this.#inFlight.begin();
    const { hostname, port } = toAddress(info);
    const visit = new Visit(request, {
      parts: this.#parts,
      peer: this.#peers.identify(request, hostname),
      connection: `${hostname}:${port}`,
      onLeft: () => {
        load.requestEnded();
        if (isServed) this.#inFlight.end();
      },
    });
    info.completed.then(() => visit.onLeft(true), () => visit.onLeft(false));
    return visit;
  }

  /** No `async`: all that only the decision takes is garbage again when the wait for the reply begins. */
  #serve(request: Request, visit: Visit): Response | Promise<Response> {
    visit.cors = Cors.of(request, { config: this.#parts.config(), route: undefined });
    if (this.#isDraining) throw draining();
    if (isServerWide(request)) return new Response(null, { status: 204 });
    const headers = this.#heads.read(request);
    if (isWebSocketUpgrade(headers)) return this.#upgrade(request, { visit, headers });
    const entry = this.#admission.enter(request, { kind: "http", visit, headers });
    if (visit.cors?.isPreflight && visit.cors.kind === "gateway") {
      return visit.cors.toPreflightResponse();
    }
    const response = after(this.#admit(entry), this.#serveHttp);
    const { cors } = visit;
    return cors === undefined
      ? response
      : after(response, (response) => cors.apply(response, "workload"));
  }

  #toErrorResponse(
    thrown: unknown,
    { request, visit }: { request: Request; visit: Visit },
  ): Response {
    if (thrown instanceof Refusal) {
      visit.onRefused(thrown.status);
      const response = thrown.toResponse();
      return visit.cors?.apply(response, "workload") ?? response;
    }
    // A body that breaks off from here on was cut off by us, which is no fault of its client's.
    const error = this.#isGivenUp ? draining() : toGatewayError(thrown);
    // Where it got no further than here.
    visit.userAgent ??= request.headers.get("user-agent") ?? undefined;
    this.#parts.metrics.requestRefused(error.code);
    visit.onError(error);
    const response = toErrorResponse(error, visit.requestId);
    return visit.cors?.apply(response, "gateway") ?? response;
  }

  /** At once where no one else has to be asked. */
  #admit(entry: Entry): Admitted | Promise<Admitted> {
    return after(this.#admission.admit(entry), this.#checkSubjects);
  }

  readonly #checkSubjects = (admitted: Admitted): Admitted | Promise<Admitted> => {
    const checked = checkSubjects(admitted, this.#parts);
    return checked instanceof Promise ? checked.then(() => admitted) : admitted;
  };

  readonly #serveHttp = (admitted: Admitted): Promise<Response> =>
    serveHttp(admitted, this.#serving);

  async #upgrade(request: Request, arrival: Arrival): Promise<Response> {
    const { visit } = arrival;
    visit.kind = "websocket";
    const opening = this.#open(request, arrival);
    const opened = await this.#handshakes.whileClientWaits(opening, request.signal);
    if (opened === undefined) {
      this.#parts.metrics.handshakeAbandoned();
      return new Response(null, { status: 499 });
    }
    try {
      return Connection.upgrade(opened, this.#parts);
    } catch (error) {
      opened.place[Symbol.dispose]();
      throw error;
    }
  }

  /** At once where no one else has to be asked. */
  #open(request: Request, arrival: Arrival): Opening | Promise<Opening> {
    const entry = this.#admission.enter(request, { kind: "websocket", ...arrival });
    const asked = after(this.#admit(entry), (admitted) => this.#askWorkload(admitted));
    return after(asked, (admitted) => this.#letIn(admitted));
  }

  #letIn(admitted: Admitted): Opening | Promise<Opening> {
    const { resumables } = this.#connections;
    if (speaksResume(admitted.protocol) && resumables !== undefined) {
      return resumables.entrance.open(admitted);
    }
    const place = this.#admission.load.connect(admitted.remoteAddress, this.#parts.config());
    return { admitted, place, owner: this.#connections };
  }

  /** A client that goes on with its connection is known to the workload. */
  #askWorkload(admitted: Admitted): Admitted | Promise<Admitted> {
    const { interests } = this.#parts;
    const isComingBack = admitted.offer?.asides.resumeToken !== undefined;
    if (speaksResume(admitted.protocol) && isComingBack) return admitted;
    const { target: { hostTokens, pathTokens } } = admitted;
    return after(
      interests.settled,
      () =>
        interests.wantsHandshake({ hostTokens, pathTokens, method: "ws" })
          ? askWorkload(admitted, this.#parts)
          : admitted,
    );
  }
}

function after<T, U>(value: T | Promise<T>, next: (value: T) => U | Promise<U>): U | Promise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

function draining(): GatewayError {
  return new GatewayError("draining", "The gateway is about to stop");
}

function toAddress({ remoteAddr }: Deno.ServeHandlerInfo): Address {
  return "hostname" in remoteAddr ? remoteAddr : { hostname: "", port: 0 };
}

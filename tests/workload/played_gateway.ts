/**
 * A gateway that a test plays over NATS: connections, lists and heartbeats.
 *
 * @module
 */
import type { Msg, NatsConnection } from "@nats-io/nats-core";
import {
  type ListedConnection,
  type ListRequest,
  parseListRequest,
  renderListing,
  toListSubject,
} from "../../lib/mapping/listing.ts";
import { natsHeaders } from "../harness/setup.ts";

/** Answers lists in pages, and says what it is told to say. */
export class PlayedGateway {
  readonly #nc: NatsConnection;
  readonly id: string;
  /** What it lists. */
  readonly connections: ListedConnection[] = [];
  /** What it was asked. */
  readonly requests: ListRequest[] = [];

  /**
   * @param nc Its own connection to NATS.
   * @param id Its token.
   */
  constructor(nc: NatsConnection, id: string) {
    this.#nc = nc;
    this.id = id;
  }

  /**
   * Begins to answer lists.
   *
   * @param pageSize Connections in one reply.
   */
  async answerLists(pageSize = 1000): Promise<void> {
    for (const subject of [toListSubject("h8s"), toListSubject("h8s", this.id)]) {
      this.#nc.subscribe(subject, {
        callback: (_error, message) => this.#answer(message, pageSize),
      });
    }
    await this.#nc.flush();
  }

  /** A connection that it might hold. */
  connection(index: number, path = "/chat"): ListedConnection {
    return {
      id: `${this.id}-${index}`,
      inbox: `_INBOX.h8s.${this.id}.${index}`,
      subject: `h8s.ws.ws.com.example${path.replaceAll("/", ".")}`,
      host: "example.com",
      path,
      query: "",
      remote: "192.0.2.7",
      since: "2026-01-02T03:04:05.678Z",
      protocol: "",
    };
  }

  /** Holds a connection, and tells it. */
  establish(connection: ListedConnection): void {
    this.connections.push(connection);
    this.#tell("established", connection);
  }

  /** Holds a connection no more, and tells it. */
  close(connection: ListedConnection, code = 1000, reason = ""): void {
    this.forget(connection);
    this.#tell("closed", connection, [
      ["X-H8s-Close-Code", String(code)],
      ["X-H8s-Close-Reason", reason],
    ]);
  }

  /** Tells of a connection what may have been lost. */
  tellAgain(event: "established" | "closed", connection: ListedConnection): void {
    this.#tell(event, connection);
  }

  /** Holds a connection no more, and tells nobody. */
  forget({ id }: ListedConnection): void {
    const index = this.connections.findIndex((connection) => connection.id === id);
    this.connections.splice(index, 1);
  }

  /** Says that it lives, or leaves. */
  beat(event: "alive" | "gone" = "alive"): void {
    this.#nc.publish(`h8s.control.gateway.${this.id}.${event}`);
  }

  /** Waits until the server has what was published. */
  flush(): Promise<void> {
    return this.#nc.flush();
  }

  #tell(
    event: string,
    { id, inbox, subject, host, path, query, remote }: ListedConnection,
    more: [string, string][] = [],
  ): void {
    const headers = natsHeaders(
      ["Host", host],
      ["X-Forwarded-For", remote],
      ["X-H8s-PublishSubject", subject],
      ["X-H8s-Original-Path", path],
      ["X-H8s-Original-Query", query],
      ["X-H8s-Connection-Id", id],
      ["X-H8s-Gateway-Id", this.id],
      ["X-H8s-Event-Id", `${id}.${event}`],
      ...more,
    );
    const tokens = host.split(".").reverse().join(".");
    const flat = `h8s.control.ws.conn.${event}`;
    for (const to of [flat, `${flat}.${tokens}`]) {
      this.#nc.publish(to, "", { reply: inbox, headers });
    }
  }

  #answer(message: Msg, pageSize: number): void {
    const request = parseListRequest(message.data);
    this.requests.push(request);
    const start = Number(request.cursor ?? 0);
    const end = start + pageSize;
    message.respond(renderListing({
      gateway: this.id,
      connections: this.connections.slice(start, end),
      ...(end < this.connections.length ? { cursor: String(end) } : {}),
    }));
  }
}

import assert from "node:assert/strict";
import { closeWithHandshake } from "../../../lib/edge/socket/close_handshake.ts";

/** The newest Deno on which these parts were seen. */
const SEEN_ON = "2.9.6";
const HINT =
  `last seen on Deno ${SEEN_ON}, this is ${Deno.version.deno}: without it a client that is closed may ` +
  "not learn why, or a silent one may hold its connection; look at lib/edge/socket/close_handshake.ts";

Deno.test("Deno's server sockets have the inner parts that closing with a handshake needs", async () => {
  await withServerSocket((socket) => {
    const own = Object.getOwnPropertySymbols(socket);
    const role = find(own, "role");
    assert.equal(role && Reflect.get(socket, role), 0, `[[role]] of a server is not 0; ${HINT}`);
    for (const name of ["idleTimeout", "readyState"]) {
      assert.ok(find(own, name), `no [[${name}]]; ${HINT}`);
    }
    const watch = find(
      Object.getOwnPropertySymbols(WebSocket.prototype),
      "serverHandleIdleTimeout",
    );
    assert.ok(watch, `no [[serverHandleIdleTimeout]]; ${HINT}`);
    closeWithHandshake(socket, { code: 1000, reason: "" });
    assert.equal(Reflect.get(socket, role!), 1, `the role stays; ${HINT}`);
  });
});

Deno.test("closeWithHandshake() says 1005 by a close frame without a code", async () => {
  const end = await withServerSocket((socket) => {
    closeWithHandshake(socket, { code: 1005, reason: "" });
  });
  assert.deepEqual([end.code, end.reason], [1005, ""]);
});

Deno.test("closeWithHandshake() tells the client code and reason, whatever was under way", async () => {
  const end = await withServerSocket((socket) => {
    closeWithHandshake(socket, { code: 4000, reason: "enough" });
  }, 100);
  assert.deepEqual([end.code, end.reason], [4000, "enough"]);
});

/** How a client's socket ends whose server's does something as it opens. */
async function withServerSocket(
  onOpen: (socket: WebSocket) => void,
  messages = 0,
): Promise<CloseEvent> {
  const thrown = Promise.withResolvers<never>();
  thrown.promise.catch(() => {});
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onopen = () => {
      try {
        onOpen(socket);
      } catch (error) {
        thrown.reject(error);
        socket.close();
      }
    };
    return response;
  });
  const client = new WebSocket(`ws://127.0.0.1:${server.addr.port}/`);
  const closed = Promise.withResolvers<CloseEvent>();
  client.onclose = closed.resolve;
  client.onopen = () => {
    for (let count = 0; count < messages; count++) client.send("under way");
  };
  const end = await closed.promise;
  await Promise.race([thrown.promise, Promise.resolve()]);
  return end;
}

function find(symbols: readonly symbol[], name: string): symbol | undefined {
  return symbols.find(({ description }) => description === `[[${name}]]`);
}

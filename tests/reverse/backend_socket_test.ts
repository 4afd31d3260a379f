import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { decodeLatin1 } from "../../lib/mapping/latin1.ts";
import { BackendSocket } from "../../lib/reverse/backend_socket.ts";
import type { WsSocket } from "../../lib/reverse/libraries.ts";
import type { Link } from "../../lib/workload/link.ts";

/** Takes nothing: neither bytes nor their number tell how much waits, when messages are empty. */
class UnreadSocket extends EventEmitter implements WsSocket {
  bufferedAmount = 0;
  isTerminated = false;

  constructor(readonly readyState: 0 | 1) {
    super();
  }

  send(): void {}
  close(): void {}
  pause(): void {}
  resume(): void {}
  terminate(): void {
    this.isTerminated = true;
  }
}

Deno.test("messages that a backend does not take are counted, also those without a byte", async (t) => {
  for (const readyState of [0, 1] as const) {
    await t.step(readyState === 0 ? "before it has accepted" : "while it does not read", () => {
      const published: string[] = [];
      const link = {
        isConnected: true,
        maxPayload: 1e6,
        publish(_subject: string, _data: Uint8Array, { headers }: { headers: Uint8Array }) {
          published.push(decodeLatin1(headers));
          return true;
        },
      };
      const socket = new UnreadSocket(readyState);
      const backend = new BackendSocket({
        ...{ link: link as unknown as Link, socket },
        onEnd() {},
        onError() {},
      });
      backend.bind("inbox");
      for (let count = 0; count < 60_000; count++) backend.receive("");
      assert.deepEqual([published, socket.isTerminated], [[], false]);
      for (let count = 0; count < 60_000; count++) backend.receive("");
      assert.match(published.join(), /^[^,]*X-H8s-Close: 1013 the backend does not read\r\n\r\n$/);
      assert.ok(socket.isTerminated);
    });
  }
});

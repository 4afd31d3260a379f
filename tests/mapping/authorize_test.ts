import assert from "node:assert/strict";
import { parseVerdict, toAuthorizeSubject } from "../../lib/mapping/authorize.ts";
import { toHostTokens } from "../../lib/mapping/subject.ts";

const HOST = { prefix: "h8s", hostTokens: toHostTokens("example.com") };

Deno.test("toAuthorizeSubject() is by kind and host", () => {
  assert.equal(toAuthorizeSubject("websocket", HOST), "h8s.control.ws.authorize.com.example");
  assert.equal(toAuthorizeSubject("http", HOST), "h8s.control.http.authorize.com.example");
});

Deno.test("parseVerdict() lets in by an explicit 2xx or 101, and by nothing else", async (t) => {
  const table: [lines: string[], payload: number, expected: string][] = [
    [["Status-Code: 200"], 0, "accepted"],
    [["Status: 204 No Content"], 0, "accepted"],
    [["Status-Code: 101"], 0, "accepted"],
    [["Status: 101 Switching Protocols"], 0, "accepted"],
    [["Status-Code: 299"], 5, "accepted"],
    [["Status-Code: 302", "Location: /login"], 0, "refused 302"],
    [["Status-Code: 401"], 0, "refused 401"],
    [["Status-Code: 403", "Status: 200"], 0, "refused 403"],
    [["Nats-Service-Error-Code: 429", "Nats-Service-Error: x"], 0, "refused 429"],
    [["Status-Code: 200", "Nats-Service-Error-Code: 1"], 0, "refused 500"],
    [["Status-Code: 1010"], 0, "malformed_reply"],
    [["Status-Code: 100"], 0, "malformed_reply"],
    [["Status-Code: yes"], 0, "malformed_reply"],
    [["X-H8s-Session: ann"], 2, "malformed_reply"],
    [[], 40, "malformed_reply"],
    [["Status-Code: 200", "X-H8s-Session: a.b"], 0, "malformed_reply"],
    [["Status-Code: 101", "X-H8s-Session: >"], 0, "malformed_reply"],
    [["Status-Code: 101", "Set-Cookie: a=1\nSet-Cookie: b=2"], 0, "malformed_reply"],
    [["Status-Code: 101", "Set-Cookie: a=\0"], 0, "malformed_reply"],
    [["Status-Code: 200", "X-H8s-Subject: ann\nX-H8s-Claims: e30"], 0, "malformed_reply"],
    [["Status-Code: 101", "X-H8s-Claims: e30\rX-A: 1"], 0, "malformed_reply"],
  ];
  for (const [lines, payload, expected] of table) {
    await t.step(lines.join(", "), () => {
      const block = lines.length === 0 ? "" : `NATS/1.0\r\n${lines.join("\r\n")}\r\n\r\n`;
      let found: string;
      try {
        const verdict = parseVerdict(block, payload);
        found = verdict.kind === "refused" ? `refused ${verdict.status}` : verdict.kind;
      } catch (error) {
        found = (error as { code: string }).code;
      }
      assert.equal(found, expected);
    });
  }
  assert.equal(parseVerdict("NATS/1.0 503\r\n\r\n", 0).kind, "no_responders");
});

Deno.test("parseVerdict() reads what an authorizer gives", () => {
  const block = [
    "NATS/1.0",
    "Status-Code: 101",
    "Sec-WebSocket-Protocol: chat",
    "Set-Cookie: a=1",
    "Set-Cookie: b=2",
    "X-H8s-Session: ann",
    "X-H8s-Subject: Ann",
    "X-H8s-Claims: e30",
  ].join("\r\n");
  assert.deepEqual(parseVerdict(`${block}\r\n\r\n`, 0), {
    kind: "accepted",
    protocol: "chat",
    setCookies: ["a=1", "b=2"],
    sessionId: "ann",
    subject: "Ann",
    claims: "e30",
  });
});

import assert from "node:assert/strict";
import { toLogin } from "../../lib/nats/client/login.ts";
import { Session } from "../../lib/nats/client/session.ts";
import { startNats } from "../harness/nats_server.ts";
import { UncaughtErrors } from "./uncaught_errors.ts";
import { within } from "../harness/waiting.ts";

Deno.test("Session logs in with what its URL says", async (t) => {
  const table: [title: string, authorization: string, login: string][] = [
    ["user and password", `user: "ann", password: "secret"`, "nats://ann:secret@"],
    ["a password of digits", `user: "ann", password: "1234"`, "nats://ann:1234@"],
    ["percent-encoded", `user: "a@b", password: "s:/?#@"`, "nats://a%40b:s%3A%2F%3F%23%40@"],
    ["a token", `token: "t0ken"`, "nats://t0ken@"],
    ["no scheme", `user: "ann", password: "secret"`, "ann:secret@"],
  ];
  for (const [title, authorization, login] of table) {
    await t.step(title, async () => {
      const config = `authorization { ${authorization} }`;
      using _uncaught = new UncaughtErrors();
      await using nats = await startNats({ jetstream: false, config });
      const { promise, resolve } = Promise.withResolvers<string>();
      await using session = new Session({
        login: toLogin({ natsUrl: [`${login}127.0.0.1:${nats.port}`] }),
        name: "test",
        onRetry: ({ message }) => resolve(message),
        onError: () => {},
      });
      session.onState(resolve);
      assert.equal(await within(promise, "an answer"), "connected");
    });
  }
});

Deno.test("Session that may not log in keeps trying, and ends no process", async () => {
  const config = `authorization { user: "ann", password: "secret" }`;
  using uncaught = new UncaughtErrors();
  await using nats = await startNats({ jetstream: false, config });
  // The socket's error is uncaught where it comes at a bad moment; so this gives it many chances.
  for (let count = 0; count < 300 && uncaught.messages.length === 0; count++) {
    const { promise: refused, resolve } = Promise.withResolvers<void>();
    await using session = new Session({
      login: toLogin({ natsUrl: [nats.url] }),
      name: "test",
      onRetry: () => resolve(),
      onError: () => {},
    });
    await within(refused, "the refusal");
    assert.equal(session.state, "connecting");
  }
  assert.deepEqual(uncaught.messages, []);
});

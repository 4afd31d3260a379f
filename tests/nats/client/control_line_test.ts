import assert from "node:assert/strict";
import { ControlLine } from "../../../lib/nats/client/control_line.ts";
import { toLogin } from "../../../lib/nats/client/login.ts";
import { Session } from "../../../lib/nats/client/session.ts";
import { startNats } from "../../harness/nats_server.ts";
import { untilState } from "../waiting.ts";

/** A server with a limit, and the lines that it was asked about. */
function serverWith(limit: number): { line: ControlLine; asked: number[] } {
  const asked: number[] = [];
  const line = new ControlLine((bytes) => {
    asked.push(bytes);
    return Promise.resolve(bytes <= limit);
  });
  return { line, asked };
}

Deno.test("fits() asks nobody for short lines, and once where the limit is the default", async () => {
  const { line, asked } = serverWith(4096);
  assert.equal(line.fits(512), true);
  assert.deepEqual(asked, []);
  assert.deepEqual(await Promise.all([line.fits(600), line.fits(3900)]), [true, true]);
  assert.deepEqual(asked, [4096]);
  assert.equal(line.fits(4096), true);
  assert.equal(line.fits(4097), false);
});

Deno.test("fits() finds a smaller limit with a few questions, and errs on the safe side", async (t) => {
  for (const limit of [513, 600, 1024, 2048, 4000, 4095]) {
    await t.step(String(limit), async () => {
      const { line, asked } = serverWith(limit);
      for (let bytes = 500; bytes <= 4200; bytes += 7) {
        const fits = await line.fits(bytes);
        if (fits) assert.ok(bytes <= limit, `${bytes} fits`);
        else assert.ok(bytes > limit - 64, `${bytes} does not fit`);
      }
      assert.ok(asked.length <= 8, `${asked.length} questions`);
    });
  }
});

Deno.test("forget() has it ask again; a server that cannot be asked is no answer", async () => {
  let limit: number | undefined = 4096;
  const line = new ControlLine((bytes) =>
    limit === undefined ? Promise.reject(new Error("away")) : Promise.resolve(bytes <= limit)
  );
  assert.equal(await line.fits(1500), true);
  line.forget();
  limit = undefined;
  await assert.rejects(Promise.resolve(line.fits(1500)), /away/);
  limit = 1024;
  assert.equal(await line.fits(1500), false);
});

Deno.test("Session asks over a connection of its own", async (t) => {
  for (const [config, expected] of [["", true], ["max_control_line: 1024", false]] as const) {
    await t.step(config || "the default", async () => {
      await using nats = await startNats({ jetstream: false, config: `${config}\n` });
      const errors: Error[] = [];
      await using session = new Session({
        login: toLogin({ natsUrl: [nats.url] }),
        name: "test",
        onRetry: () => {},
        onError: (error) => errors.push(error),
      });
      await untilState(session, "connected");
      assert.equal(await session.takesLine(1025), expected);
      assert.equal(await session.takesLine(1024), true);
      await session.flush();
      assert.deepEqual([session.state, session.reconnects, errors], ["connected", 0, []]);
    });
  }
});

// @ts-check
/** @import { Client, ClientOptions, Gap } from "../../../lib/client/mod.ts" */

const MOST_WAITING = 200;

/**
 * What a client in whatever runtime has lived through.
 *
 * @typedef {object} Travelled
 * @property {string} protocol What was spoken.
 * @property {unknown[]} heard
 * @property {Gap[]} gaps
 * @property {(number | null)[]} kept What each `send()` resolved with; null for nothing, as JSON holds it.
 * @property {string[]} failures What each other one was rejected with.
 * @property {number} sockets How often it connected.
 * @property {number[]} ends How each connection but the last one was closed.
 */

/**
 * Says one message after the other until it hears "end", and reports what it has heard.
 *
 * @typedef {object} Way
 * @property {string} url
 * @property {string} report Where it tells, besides the connection that breaks, how much it has heard.
 * @property {string} [tokens] Where it gets its tokens.
 * @property {ClientOptions} options
 * @property {number} limitMs When it gives up.
 *
 * @param {(url: string, options: ClientOptions) => Client} connect
 * @param {Way} way
 * @returns {Promise<Travelled>}
 */
export async function travel(connect, { url, report, tokens, options, limitMs }) {
  const client = connect(url, {
    ...options,
    ...(tokens === undefined ? {} : { token: async () => (await fetch(tokens)).text() }),
    signal: AbortSignal.timeout(limitMs),
  });
  /** @type {Gap[]} */
  const gaps = [];
  /** @type {string[]} */
  const failures = [];
  /** @type {number[]} */
  const ends = [];
  let waiting = 0;
  let sockets = 0;
  let protocol = "";
  let isOver = false;
  client.on("gap", (gap) => gaps.push(gap));
  client.on("state", (state) => {
    if (state.name === "waiting") ends.push(state.end.code);
    if (state.name !== "open") return;
    protocol = client.protocol;
    sockets++;
  });
  const saying = sayAll();
  /** @type {unknown[]} */
  const heard = [];
  for await (const { data } of client) {
    if (data === "end") break;
    heard.push(data);
    await (await fetch(report, { method: "POST", body: String(heard.length) })).body?.cancel();
  }
  isOver = true;
  const kept = await saying;
  await client.close();
  return { protocol, heard, gaps, kept, failures, sockets, ends };

  async function sayAll() {
    const sent = [];
    while (!isOver) {
      // On a slow machine what breaks is broken for longer than a client keeps messages at this pace.
      if (waiting < MOST_WAITING) sent.push(say(sent.length));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return Promise.all(sent);
  }

  /** @param {number} number */
  async function say(number) {
    waiting++;
    try {
      return await client.send(`said ${number}`) ?? null;
    } catch (error) {
      failures.push(String(error));
      return null;
    } finally {
      waiting--;
    }
  }
}

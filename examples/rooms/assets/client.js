// @ts-self-types="../../../lib/client/mod.ts"
// deno-fmt-ignore-file
// deno-lint-ignore-file
// Made of lib/client by tests/client/bundle.ts.
// lib/client/platform.ts
var MAX_DELAY_MS = 2 ** 31 - 1;
function thisPlatform() {
  return {
    // `performance.now()` stands still in some browsers while the machine sleeps.
    now: () => Date.now(),
    after(delayMs, callback) {
      const timer = setTimeout(callback, Math.min(delayMs, MAX_DELAY_MS));
      return () => clearTimeout(timer);
    },
    random: () => Math.random(),
    watch: (watcher) => watchPage(watcher, globalThis)
  };
}
function watchPage(watcher, page) {
  const { document } = page;
  const isCached = (event) => event.persisted;
  const ends = [
    listen(page, "online", watcher.onChange),
    listen(page, "offline", watcher.onChange),
    listen(page, "pagehide", (event) => isCached(event) && watcher.onSleep()),
    listen(page, "pageshow", (event) => isCached(event) && watcher.onWake()),
    listen(document ?? {}, "visibilitychange", () => {
      if (document?.visibilityState === "visible") watcher.onChange();
    })
  ];
  return () => ends.forEach((end) => end());
}
function listen(target, type, listener) {
  target.addEventListener?.(type, listener);
  return () => target.removeEventListener?.(type, listener);
}
function toRandomWord() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// lib/mapping/close.ts
var NO_STATUS = 1005;
var ABNORMAL = 1006;
var MAX_REASON_LENGTH = 123;
var ADVICE = /* @__PURE__ */ new Map([
  [1e3, "stop"],
  [1001, "retry"],
  [1002, "stop"],
  [1003, "stop"],
  [NO_STATUS, "stop"],
  [ABNORMAL, "retry"],
  [1007, "stop"],
  [1008, "stop"],
  [1009, "stop"],
  [1010, "stop"],
  [1011, "later"],
  [1012, "retry"],
  [1013, "later"],
  [4401, "renew"],
  [4499, "retry"]
]);
var VANISHED = { code: ABNORMAL, reason: "" };
var EXPIRED = { code: 4401, reason: "the token has expired" };
var RETURNING = { code: 4499, reason: "comes back" };
function tooBig(maxBytes) {
  return { code: 1009, reason: `message larger than ${maxBytes} bytes` };
}
function toAdvice(code) {
  return ADVICE.get(code) ?? "stop";
}
function toCloseReason(reason) {
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(MAX_REASON_LENGTH));
  return reason.slice(0, read);
}
function fromCloseEventCode(code) {
  return code === 0 ? ABNORMAL : code;
}

// lib/client/errors.ts
var SendError = class extends Error {
  /**
   * Says why.
   *
   * @param code Why it was not taken.
   * @param reason The same in words.
   * @param options `cause`, where another error led to it.
   */
  constructor(code, reason, options) {
    super(`Cannot send: ${reason}`, options);
    this.code = code;
  }
  code;
  /** Always `"SendError"`. */
  name = "SendError";
};
var ClientClosedError = class extends Error {
  /** Always `"ClientClosedError"`. */
  name = "ClientClosedError";
  /** The close code. */
  code;
  /**
   * Says how it ended.
   *
   * @param end `code` and `reason` of the last connection's end.
   */
  constructor({ code, reason }) {
    super(`Cannot go on: the connection was closed with ${code}${reason && `, ${reason}`}`);
    this.code = code;
  }
};

// lib/client/dialler.ts
var Dialler = class {
  #address;
  #askToken;
  #token;
  constructor(address, askToken) {
    this.#address = address;
    this.#askToken = askToken;
  }
  /** Asks; undefined where there is no token to be had any more. */
  async dial(wantsToken) {
    if (this.#askToken !== void 0 && (wantsToken || this.#token === void 0)) {
      const renewed = await this.#askToken();
      if (renewed === null) return void 0;
      this.#token = renewed;
    }
    const address = typeof this.#address === "function" ? this.#address() : this.#address;
    return { url: toUrl(await address), token: this.#token };
  }
};
function toUrl(address) {
  const text = String(address);
  if (/^wss?:/.test(text)) return text;
  const { location } = globalThis;
  return new URL(text, location?.href).href.replace(/^http/, "ws");
}

// lib/client/listeners.ts
var Listeners = class {
  #sets = { message: /* @__PURE__ */ new Set(), gap: /* @__PURE__ */ new Set(), state: /* @__PURE__ */ new Set() };
  /** Listens; returns what ends it. */
  on(type, listener) {
    const own = (event) => listener(event);
    this.#sets[type].add(own);
    return () => void this.#sets[type].delete(own);
  }
  /** What a listener throws is its own affair, and must not end ours. */
  tell(type, event) {
    for (const listener of this.#sets[type]) {
      try {
        listener(event);
      } catch (error) {
        report(error);
      }
    }
  }
};
function report(error) {
  queueMicrotask(() => {
    throw error;
  });
}

// lib/client/options.ts
function toSettings(options) {
  return {
    retryMs: 1e3,
    maxRetryMs: 3e4,
    connectMs: 1e4,
    pingMs: 25e3,
    pongMs: 1e4,
    maxHeld: 1e3,
    maxHeldBytes: 1048576,
    maxInFlight: 64,
    resendMs: 11e4,
    maxUnread: 1e4,
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== void 0))
  };
}

// lib/mapping/ack.ts
var ACK_PROTOCOL = "h8s.ack.v1";

// lib/mapping/resume.ts
var RESUME_PROTOCOL = "h8s.resume.v1";
var ACK_RESUME_PROTOCOL = "h8s.ack-resume.v1";
var PLAIN_PROTOCOL = "h8s.plain.v1";

// lib/client/wire.ts
var PROTOCOLS = [
  { name: ACK_RESUME_PROTOCOL, ack: true, resume: true },
  { name: RESUME_PROTOCOL, ack: false, resume: true },
  { name: ACK_PROTOCOL, ack: true, resume: false },
  { name: PLAIN_PROTOCOL, ack: false, resume: false }
];
var NUMBER_BYTES = 8;
var TOKEN = /^[\w.-]{1,200}$/;
function listOffers(wanted) {
  return PROTOCOLS.filter(
    ({ ack, resume }) => (wanted.ack ?? ack) === ack && (wanted.resume ?? resume) === resume
  ).map(({ name }) => name);
}
function toPromises(protocol) {
  return PROTOCOLS.find(({ name }) => name === protocol) ?? { ack: false, resume: false };
}
function toPayload(data) {
  if (typeof data === "string") return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0));
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  }
  const text = JSON.stringify(data);
  if (text === void 0) throw new TypeError(`Cannot send: JSON cannot hold a ${typeof data}`);
  return text;
}
function toNumbered(id, payload) {
  if (typeof payload === "string") return `{"id":${id},"data":${JSON.stringify(payload)}}`;
  const bytes = new Uint8Array(NUMBER_BYTES + payload.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(id));
  bytes.set(payload, NUMBER_BYTES);
  return bytes;
}
function parseGatewayFrame(data, promises) {
  return typeof data === "string" ? parseText(data, promises) : parseBytes(data, promises);
}
function parseText(text, { ack, resume }) {
  if (!ack && !resume) return { type: "message", data: text, seq: void 0 };
  const said = JSON.parse(text) ?? {};
  const { data, seq, mark, resume: welcome, gap } = said;
  if (typeof data === "string" && (!resume || isNumber(seq))) return { type: "message", data, seq };
  if (ack && isNumber(said.ack) && isNumber(seq)) return { type: "ack", id: said.ack, seq };
  if (resume) {
    if (isNumber(mark)) return { type: "mark", seq: mark };
    if (isNumber(welcome?.seq) && typeof welcome.token === "string" && TOKEN.test(welcome.token)) {
      return { type: "welcome", ...welcome };
    }
    if (isNumber(gap?.from) && isNumber(gap.to ?? 0)) {
      return { type: "gap", from: gap.from, to: gap.to ?? void 0 };
    }
  }
  throw new SyntaxError("Cannot read what the gateway says");
}
function parseBytes(data, { resume }) {
  if (!resume) return { type: "message", data: new Uint8Array(data), seq: void 0 };
  const seq = Number(new DataView(data).getBigUint64(0));
  if (!isNumber(seq)) throw new SyntaxError("Cannot read a number of the gateway's");
  return { type: "message", data: new Uint8Array(data, NUMBER_BYTES), seq };
}
function isNumber(value) {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

// lib/client/outgoing.ts
var MAX_IN_FLIGHT_BYTES = 262144;
var Outgoing = class {
  #limits;
  #platform;
  #said = /* @__PURE__ */ new Map();
  #sink;
  /** All up to here have gone over the present socket. */
  #lastSent = 0;
  #lastId = 0;
  #bytes = 0;
  #inFlight = 0;
  #inFlightBytes = 0;
  /** Ends the wait for the oldest acknowledgement. */
  #cancelWait;
  constructor(limits, platform) {
    this.#limits = limits;
    this.#platform = platform;
  }
  /** How many messages are not settled. */
  get size() {
    return this.#said.size;
  }
  #closed;
  /** Takes a message; resolves with its number in the stream, undefined where nobody acknowledges. */
  say(payload, signal) {
    if (this.#closed !== void 0) return Promise.reject(this.#closed);
    const { maxHeld, maxHeldBytes } = this.#limits;
    const bytes = toSize(payload);
    const held = this.#bytes + (this.#sink?.waiting ?? 0);
    if (this.#said.size >= maxHeld || held + bytes > maxHeldBytes) {
      const reason = `${this.#said.size} messages of ${held} bytes wait already; expected at most ${maxHeld} of ${maxHeldBytes}`;
      return Promise.reject(new SendError("full", reason));
    }
    if (signal?.aborted) return Promise.reject(toAborted(signal));
    return new Promise((resolve, reject) => {
      const onAbort = () => this.#takeBack(said, signal);
      const release = () => signal?.removeEventListener("abort", onAbort);
      const id = ++this.#lastId;
      const said = { id, payload, bytes, sentAt: void 0, release, resolve, reject };
      this.#said.set(id, said);
      this.#bytes += bytes;
      signal?.addEventListener("abort", onAbort);
      this.#flush();
    });
  }
  /** There is a connection: what was not acknowledged on the one before is said again, in order. */
  attach(sink) {
    this.#sink = sink;
    this.#lastSent = this.#inFlight = this.#inFlightBytes = 0;
    this.#giveUp(sink.hasAcks ? this.#limits.resendMs : -Infinity);
    this.#flush();
  }
  /** The connection is gone. */
  detach() {
    this.#sink = void 0;
  }
  /** The stream has a message; one that was never sent it cannot have. */
  acknowledge(id, seq) {
    const said = this.#said.get(id);
    if (said?.sentAt === void 0) return;
    this.#settle(said);
    said.resolve(seq);
    this.#flush();
  }
  /**
   * The gateway closed since a message was too large: that is the largest of those under way, whatever the limit.
   * False where none is.
   */
  dropLargest(reason) {
    const sent = [...this.#said.values()].filter(({ sentAt }) => sentAt !== void 0);
    const largest = sent.reduce(
      (most, said) => most === void 0 || said.bytes > most.bytes ? said : most,
      void 0
    );
    if (largest !== void 0) this.#fail(largest, new SendError("too_big", reason));
    return largest !== void 0;
  }
  /** Nothing will be sent any more. */
  close(reason, cause) {
    this.#sink = void 0;
    this.#cancelWait?.();
    this.#closed ??= new SendError("closed", reason, { cause });
    for (const said of [...this.#said.values()]) this.#fail(said, this.#closed);
  }
  #flush() {
    const sink = this.#sink;
    if (!sink?.isOpen) return;
    for (const said of this.#said.values()) {
      if (said.id <= this.#lastSent) continue;
      if (sink.hasAcks && !this.#hasRoom(said)) return;
      this.#lastSent = said.id;
      said.sentAt ??= this.#platform.now();
      sink.write(sink.hasAcks ? toNumbered(said.id, said.payload) : said.payload);
      if (sink.hasAcks) {
        this.#inFlight++;
        this.#inFlightBytes += said.bytes;
        this.#await(this.#limits.resendMs);
      } else {
        this.#settle(said);
        said.resolve(void 0);
      }
    }
  }
  /** One timer for all: where the oldest was acknowledged meanwhile, it is set again. */
  #await(delayMs) {
    if (delayMs === Infinity) return;
    this.#cancelWait ??= this.#platform.after(delayMs, () => {
      this.#cancelWait = void 0;
      this.#giveUp(this.#limits.resendMs);
      const oldest = [...this.#said.values()].find(({ sentAt }) => sentAt !== void 0);
      if (oldest !== void 0) {
        this.#await(oldest.sentAt + this.#limits.resendMs - this.#platform.now());
      }
      this.#flush();
    });
  }
  /** Of what was sent so long ago nobody can say any more whether the stream has it. */
  #giveUp(agoMs) {
    const latest = this.#platform.now() - agoMs;
    for (const said of [...this.#said.values()]) {
      if (said.sentAt === void 0 || said.sentAt > latest) continue;
      this.#fail(said, new SendError("unknown", "it was sent, and not acknowledged"));
    }
  }
  #hasRoom({ bytes }) {
    if (this.#inFlight === 0) return true;
    return this.#inFlight < this.#limits.maxInFlight && this.#inFlightBytes + bytes <= MAX_IN_FLIGHT_BYTES;
  }
  #takeBack(said, signal) {
    if (said.sentAt !== void 0 || !this.#said.has(said.id)) return;
    this.#fail(said, toAborted(signal));
  }
  #fail(said, error) {
    this.#settle(said);
    said.reject(error);
  }
  #settle(said) {
    said.release();
    this.#said.delete(said.id);
    this.#bytes -= said.bytes;
    if (this.#sink?.hasAcks && said.id <= this.#lastSent) {
      this.#inFlight--;
      this.#inFlightBytes -= said.bytes;
    }
  }
};
function toAborted({ reason: cause }) {
  return new SendError("aborted", "its signal took it back", { cause });
}
function toSize(payload) {
  return typeof payload === "string" ? new TextEncoder().encode(payload).length : payload.length;
}

// lib/client/position.ts
function addGap(gaps, gap) {
  const before = gaps.find(({ cause: cause2 }) => cause2 === gap.cause);
  if (before === void 0) return [...gaps, gap];
  const { cause, from = 0, to } = gap;
  const both = cause === "not_kept" ? gap : {
    cause,
    from: Math.min(before.from ?? 0, from),
    ...before.to === void 0 || to === void 0 ? {} : { to: Math.max(before.to, to) }
  };
  return gaps.map((each) => each === before ? both : each);
}
var Position = class {
  #token;
  #seq = 0;
  #wasOpen = false;
  /** What came to many at once has been heard: while the client is away it is lost. */
  #hearsUnkept = false;
  #isFresh = false;
  /** That all is lost has been told: the gateway's own word of it may not come. */
  #isTold = false;
  /** What to offer in a handshake, to come back. */
  get offer() {
    return this.#token === void 0 ? [] : [`h8s.resume.token.${this.#token}.${this.#seq}`];
  }
  /** There is a connection; returns what is missing. */
  open(doesResume) {
    const isMissed = this.#wasOpen && (this.#hearsUnkept || !doesResume || this.#token === void 0);
    this.#wasOpen = true;
    if (!doesResume) this.#token = void 0;
    return isMissed ? { cause: "not_kept" } : void 0;
  }
  /** Something came; returns what of it is news. */
  take(frame) {
    const isFresh = this.#isFresh;
    const isTold = this.#isTold;
    this.#isFresh = this.#isTold = false;
    switch (frame.type) {
      case "welcome": {
        const { token, isNew, seq } = frame;
        const from = this.#seq + 1;
        this.#isTold = isNew && this.#token !== void 0;
        this.#token = token;
        this.#isFresh = isNew;
        if (isNew) this.#seq = seq;
        return this.#isTold ? { cause: "lost", from } : void 0;
      }
      case "mark":
        this.#seq = Math.max(this.#seq, frame.seq);
        return void 0;
      case "gap": {
        const { from, to } = frame;
        if (to === void 0 && isTold) return void 0;
        if (to === void 0 && !isFresh) this.#seq = 0;
        if (to !== void 0) this.#seq = Math.max(this.#seq, to);
        return { cause: "lost", from, ...to === void 0 ? {} : { to } };
      }
      case "message": {
        const { data, seq } = frame;
        if (seq === void 0) return { data };
        if (seq === 0) this.#hearsUnkept = true;
        else if (seq <= this.#seq) return void 0;
        else this.#seq = seq;
        return { data, seq };
      }
    }
  }
};

// lib/client/pulse.ts
var Pulse = class {
  #platform;
  #options;
  #cancel = () => {
  };
  #isAsking = false;
  constructor(platform, options) {
    this.#platform = platform;
    this.#options = options;
    this.heard();
  }
  /** Something came: what, does not matter. */
  heard() {
    this.#isAsking = false;
    this.#start(this.#options.pingMs, () => this.ask());
  }
  /** Asks now. */
  ask() {
    const { ping, waiting, pongMs, pingMs } = this.#options;
    if (this.#isAsking || pingMs === 0) return;
    this.#isAsking = true;
    ping();
    this.#await(waiting(), this.#platform.now() + pongMs);
  }
  /** The socket is gone. */
  stop() {
    this.#cancel();
    this.#isAsking = true;
  }
  #await(waiting, dueAt) {
    const { pongMs, waiting: countWaiting, onDead } = this.#options;
    this.#start(pongMs, () => {
      const isLate = this.#platform.now() - dueAt > pongMs;
      const left = countWaiting();
      if (!isLate && left >= waiting) return onDead();
      if (isLate) this.#options.ping();
      this.#await(left, this.#platform.now() + pongMs);
    });
  }
  #start(delayMs, callback) {
    this.#cancel();
    this.#cancel = delayMs > 0 ? this.#platform.after(delayMs, callback) : () => {
    };
  }
};

// lib/client/socket.ts
var CLOSE_MS = 2e3;
var OPEN = 1;
var Socket = class {
  #parts;
  #socket;
  #pulse;
  #cancelConnect;
  #promises = { ack: false, resume: false };
  /** Connects. Throws where the platform takes the address or a subprotocol for none. */
  constructor(parts) {
    const { url, protocols, settings, platform } = this.#parts = parts;
    const socket = this.#socket = new (settings.WebSocket ?? WebSocket)(url, protocols);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#onOpen();
    socket.onmessage = ({ data }) => this.#onMessage(data);
    socket.onclose = ({ code, reason }) => this.#onLost({ code: fromCloseEventCode(code), reason });
    socket.onerror = () => {
      if (this.#pulse === void 0) this.#onLost({ ...VANISHED, reason: "" });
    };
    this.#cancelConnect = platform.after(settings.connectMs, () => this.#break("no handshake"));
  }
  /** What was picked. */
  get protocol() {
    return this.#socket.protocol;
  }
  /** What is promised there. */
  get promises() {
    return this.#promises;
  }
  get hasAcks() {
    return this.#promises.ack;
  }
  get isOpen() {
    return this.#socket.readyState === OPEN;
  }
  get waiting() {
    return this.#socket.bufferedAmount;
  }
  write(data) {
    this.#socket.send(data);
  }
  /** Doubts. */
  ask() {
    this.#pulse?.ask();
  }
  /** Gives it up, with a word to the gateway that the client comes back. */
  leave() {
    this.#release();
    this.#socket.close(RETURNING.code, RETURNING.reason);
  }
  /** Closes it for good; resolves when the gateway has answered, or does not. */
  close(code, reason) {
    this.#release();
    return new Promise((resolve) => {
      const cancel = this.#parts.platform.after(CLOSE_MS, resolve);
      this.#socket.onclose = () => {
        cancel();
        resolve();
      };
      this.#socket.close(code, reason);
    });
  }
  #onOpen() {
    const { settings: { pingMs, pongMs }, platform, word, owner, isAgreed } = this.#parts;
    if (!isAgreed(this.protocol)) return this.#break("no subprotocol that was asked for");
    this.#cancelConnect();
    this.#promises = toPromises(this.protocol);
    this.#pulse = new Pulse(platform, {
      // Where no subprotocol was picked, it is no gateway, or one that read no word.
      pingMs: this.protocol === "" ? 0 : pingMs,
      pongMs,
      ping: () => this.write(word),
      waiting: () => this.waiting,
      onDead: () => this.#break("no answer")
    });
    owner.onOpen(this);
  }
  #onMessage(data) {
    this.#pulse?.heard();
    if (data !== this.#parts.word) this.#parts.owner.onData(data, this.#promises);
  }
  #break(reason) {
    this.leave();
    this.#parts.owner.onLost({ ...VANISHED, reason });
  }
  #onLost(end) {
    this.#release();
    this.#parts.owner.onLost(end);
  }
  #release() {
    this.#cancelConnect();
    this.#pulse?.stop();
    this.#socket.onopen = this.#socket.onmessage = null;
    this.#socket.onclose = this.#socket.onerror = null;
  }
};

// lib/client/state.ts
var STABLE_MS = 5e3;
var LATER_FAILURES = 3;
var BEGIN = { name: "connecting", failures: 0, wantsToken: true };
function next(state, happening, pauses) {
  if (state.name === "closed") return state;
  switch (happening.type) {
    case "opened":
      if (state.name !== "connecting") return state;
      return { name: "open", failures: state.failures, since: happening.at };
    case "lost":
      if (state.name !== "open" && state.name !== "connecting") return state;
      return lose(state, happening, pauses);
    case "retry":
      if (state.name !== "waiting") return state;
      return { name: "connecting", failures: state.failures, wantsToken: state.wantsToken };
    case "slept":
      return { name: "asleep" };
    case "woke":
      return state.name === "asleep" ? { ...BEGIN, wantsToken: false } : state;
    case "closed":
      return { name: "closed", end: happening.end, isWanted: happening.isWanted };
  }
}
function lose(state, { at, end, advice, random }, pauses) {
  if (advice === "stop") return { name: "closed", end, isWanted: false };
  const wasOpen = state.name === "open";
  const wantsToken = !wasOpen || advice === "renew";
  const before = wasOpen && at - state.since >= STABLE_MS ? 0 : state.failures;
  const failures = Math.max(before + 1, advice === "later" ? LATER_FAILURES : 1);
  const delayMs = toDelay(failures, random, pauses);
  return { name: "waiting", failures, wantsToken, delayMs, end };
}
function toDelay(failures, random, { firstMs, longestMs }) {
  return Math.round(random * Math.min(longestMs, firstMs * 2 ** (failures - 1)));
}

// lib/client/unread.ts
var DONE = { done: true, value: void 0 };
var Unread = class {
  #max;
  #onReturn;
  #messages = [];
  #takers = [];
  #end;
  constructor(max, onReturn) {
    this.#max = max;
    this.#onReturn = onReturn;
  }
  push(message) {
    if (this.#end !== void 0) return;
    const taker = this.#takers.shift();
    if (taker !== void 0) return taker.resolve({ done: false, value: message });
    if (this.#messages.length < this.#max) return void this.#messages.push(message);
    this.end({ error: new RangeError(`Cannot keep up: ${this.#max} messages wait to be read`) });
  }
  /** After what waits, the loop ends, or throws. */
  end(end) {
    this.#end ??= end;
    for (const taker of this.#takers.splice(0)) this.#finish(taker);
  }
  next() {
    const value = this.#messages.shift();
    if (value !== void 0) return Promise.resolve({ done: false, value });
    const taker = withResolvers();
    if (this.#end === void 0) this.#takers.push(taker);
    else this.#finish(taker);
    return taker.promise;
  }
  return() {
    this.#messages.length = 0;
    this.end({});
    this.#onReturn(this);
    return Promise.resolve(DONE);
  }
  [Symbol.asyncIterator]() {
    return this;
  }
  #finish(taker) {
    const end = this.#end;
    this.#end = {};
    if ("error" in end) taker.reject(end.error);
    else taker.resolve(DONE);
  }
};
function withResolvers() {
  let resolve;
  let reject;
  const promise = new Promise((...both) => [resolve, reject] = both);
  return { promise, resolve, reject };
}

// lib/client/reconnecting.ts
var GOODBYE = { code: 1e3, reason: "" };
var NO_TOKEN = {
  end: { code: EXPIRED.code, reason: "there is no token" },
  isWanted: false
};
var PROTOCOL_ERROR = 1002;
var ReconnectingClient = class {
  #dialler;
  #settings;
  #platform;
  #outgoing;
  #position = new Position();
  /** What the stream recognises our numbers by, and what we ping with: another one, since it is no secret. */
  #name = toRandomWord();
  #word = toRandomWord();
  #listeners = new Listeners();
  #loops = /* @__PURE__ */ new Set();
  #closed = withResolvers();
  #ends = [];
  #state = BEGIN;
  #socket;
  /** What is missing before the next message. */
  #gaps = [];
  #cancelRetry = () => {
  };
  /** What is asked for one attempt is not used in another. */
  #attempt = 0;
  constructor(address, options, platform) {
    const settings = this.#settings = toSettings(options);
    this.#dialler = new Dialler(address, settings.token);
    this.#platform = platform;
    this.#outgoing = new Outgoing(settings, platform);
    const { signal } = settings;
    if (signal?.aborted) {
      this.#happens({ type: "closed", end: GOODBYE, isWanted: true });
      return;
    }
    const onAbort = () => void this.close();
    signal?.addEventListener("abort", onAbort);
    this.#ends.push(
      () => signal?.removeEventListener("abort", onAbort),
      platform.watch({
        onChange: () => this.wake(),
        onSleep: () => this.#happens({ type: "slept" }),
        onWake: () => this.#happens({ type: "woke" })
      })
    );
    void this.#connect(BEGIN.wantsToken);
  }
  get state() {
    return this.#state;
  }
  get protocol() {
    return this.#socket?.protocol ?? "";
  }
  get held() {
    return this.#outgoing.size;
  }
  get closed() {
    return this.#closed.promise;
  }
  async send(data, options) {
    return await this.#outgoing.say(toPayload(data), options?.signal);
  }
  on(type, listener) {
    return this.#listeners.on(type, listener);
  }
  [Symbol.asyncIterator]() {
    const loop = new Unread(this.#settings.maxUnread, () => this.#loops.delete(loop));
    if (this.#state.name === "closed") loop.end(toLoopEnd(this.#state));
    else this.#loops.add(loop);
    return loop;
  }
  wake() {
    this.#socket?.ask();
    this.#happens({ type: "retry" });
  }
  reconnect() {
    if (this.#state.name === "connecting") return;
    this.#lose({ ...VANISHED, reason: "reconnect()" });
    this.#happens({ type: "retry" });
  }
  async close(code = 1e3, reason = "") {
    if (code !== 1e3 && !(code >= 3e3 && code <= 4999)) {
      throw new RangeError(`Cannot close with ${code}: expected 1000, or 3000 to 4999`);
    }
    const socket = this.#socket;
    this.#socket = void 0;
    this.#happens({ type: "closed", end: { code, reason }, isWanted: true });
    await socket?.close(code, toCloseReason(reason));
  }
  async [Symbol.asyncDispose]() {
    await this.close();
  }
  #happens(happening) {
    const { retryMs: firstMs, maxRetryMs: longestMs } = this.#settings;
    const before = this.#state;
    const state = this.#state = next(before, happening, { firstMs, longestMs });
    if (state === before) return;
    this.#enter(state);
    this.#listeners.tell("state", state);
  }
  #enter(state) {
    this.#cancelRetry();
    if (state.name !== "open" && state.name !== "connecting") this.#leave();
    switch (state.name) {
      case "connecting":
        return void this.#connect(state.wantsToken);
      case "waiting":
        this.#cancelRetry = this.#platform.after(
          state.delayMs,
          () => this.#happens({ type: "retry" })
        );
        return;
      case "closed":
        return this.#end(state);
      case "open":
      case "asleep":
    }
  }
  async #connect(wantsToken) {
    const attempt = ++this.#attempt;
    const isCurrent = () => attempt === this.#attempt;
    const onFailed = (reason) => {
      if (isCurrent()) this.#lose({ ...VANISHED, reason });
    };
    const { connectMs } = this.#settings;
    this.#cancelRetry = this.#platform.after(connectMs, () => onFailed("no token, or no address"));
    try {
      const dialled = await this.#dialler.dial(wantsToken);
      if (!isCurrent()) return;
      this.#cancelRetry();
      if (dialled === void 0) return this.#happens({ type: "closed", ...NO_TOKEN });
      this.#open(dialled);
    } catch (error) {
      onFailed(String(error));
    }
  }
  #open({ url, token }) {
    const { ack, resume, protocols = listOffers({ ack, resume }) } = this.#settings;
    const asides = protocols.length === 0 ? [] : [
      `h8s.ack.client.${this.#name}`,
      `h8s.ping.${this.#word}`,
      ...this.#position.offer,
      ...token === void 0 ? [] : [`bearer.${token}`]
    ];
    try {
      this.#socket = new Socket({
        url,
        protocols: [...protocols, ...asides],
        isAgreed: (protocol) => protocols.includes(protocol) || protocol === "" && !ack && !resume,
        word: this.#word,
        settings: this.#settings,
        platform: this.#platform,
        owner: this.#owner
      });
    } catch (error) {
      const end = { ...VANISHED, reason: String(error) };
      this.#happens({ type: "closed", end, isWanted: false });
    }
  }
  #owner = {
    onOpen: (socket) => {
      this.#happens({ type: "opened", at: this.#platform.now() });
      this.#miss(this.#position.open(socket.promises.resume));
      if (this.#socket === socket) this.#outgoing.attach(socket);
    },
    onData: (data, promises) => {
      try {
        this.#take(data, promises);
      } catch (error) {
        const end = { code: PROTOCOL_ERROR, reason: String(error) };
        this.#happens({ type: "closed", end, isWanted: false });
      }
    },
    onLost: (end) => this.#lose(end)
  };
  #take(data, promises) {
    const frame = parseGatewayFrame(data, promises);
    if (frame.type === "ack") return this.#outgoing.acknowledge(frame.id, frame.seq);
    const news = this.#position.take(frame);
    if (news === void 0) return;
    if ("cause" in news) return this.#miss(news);
    const message = this.#gaps.length === 0 ? news : { ...news, gaps: this.#gaps };
    this.#gaps = [];
    for (const loop of this.#loops) loop.push(message);
    this.#listeners.tell("message", message);
  }
  #miss(gap) {
    if (gap === void 0) return;
    this.#gaps = addGap(this.#gaps, gap);
    this.#listeners.tell("gap", gap);
  }
  #lose(end) {
    const isTooBig = end.code === TOO_BIG && this.#outgoing.dropLargest(end.reason);
    this.#happens({
      type: "lost",
      at: this.#platform.now(),
      end,
      advice: this.#advise(end) ?? (isTooBig ? "retry" : toAdvice(end.code)),
      random: this.#platform.random()
    });
  }
  #advise(end) {
    try {
      return this.#settings.advise?.(end);
    } catch (error) {
      report(error);
      return void 0;
    }
  }
  /** Gives the socket up, if there is one, and whatever is asked for a new one. */
  #leave() {
    this.#attempt++;
    const socket = this.#socket;
    this.#socket = void 0;
    this.#outgoing.detach();
    socket?.leave();
  }
  #end(state) {
    for (const end of this.#ends.splice(0)) end();
    const error = new ClientClosedError(state.end);
    this.#outgoing.close("the client is closed", error);
    for (const loop of this.#loops) loop.end(toLoopEnd(state));
    this.#loops.clear();
    this.#closed.resolve({ ...state.end, isWanted: state.isWanted });
  }
};
var TOO_BIG = tooBig(0).code;
function toLoopEnd({ isWanted, end }) {
  return isWanted ? {} : { error: new ClientClosedError(end) };
}

// lib/client/mod.ts
function connect(address, options = {}) {
  return new ReconnectingClient(address, options, thisPlatform());
}
export {
  ClientClosedError,
  SendError,
  connect
};

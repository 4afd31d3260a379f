/**
 * What goes over the socket, from the client's side.
 *
 * @module
 */
import { ACK_PROTOCOL } from "../mapping/ack.ts";
import { ACK_RESUME_PROTOCOL, PLAIN_PROTOCOL, RESUME_PROTOCOL } from "../mapping/resume.ts";

/** What a socket takes, and gives. */
export type Payload = string | Uint8Array<ArrayBuffer>;

/** What the gateway promises on a connection. */
export interface Promises {
  /** Each message is acknowledged when the stream has it. */
  readonly ack: boolean;
  /** What is sent to the client waits for it while it is away. */
  readonly resume: boolean;
}

/** What comes from the gateway. */
export type GatewayFrame =
  | { readonly type: "message"; readonly data: Payload; readonly seq: number | undefined }
  | { readonly type: "ack"; readonly id: number; readonly seq: number }
  | {
    readonly type: "welcome";
    readonly token: string;
    readonly seq: number;
    readonly isNew: boolean;
  }
  | { readonly type: "mark"; readonly seq: number }
  | { readonly type: "gap"; readonly from: number; readonly to: number | undefined };

/** The gateway's own subprotocols, best first, by what they promise. */
const PROTOCOLS: readonly (Promises & { readonly name: string })[] = [
  { name: ACK_RESUME_PROTOCOL, ack: true, resume: true },
  { name: RESUME_PROTOCOL, ack: false, resume: true },
  { name: ACK_PROTOCOL, ack: true, resume: false },
  { name: PLAIN_PROTOCOL, ack: false, resume: false },
];

/** Of an id or a number in front of bytes. */
const NUMBER_BYTES = 8;
/** What can be said in a handshake, with all that stands there besides. */
const TOKEN = /^[\w.-]{1,200}$/;

/**
 * The subprotocols to offer: all that have what is wanted, the best first; what the gateway cannot do there,
 * it passes over.
 *
 * @param wanted True for what must be, false for what must not; undefined for what may be.
 * @returns Their names.
 */
export function listOffers(
  wanted: { ack?: boolean | undefined; resume?: boolean | undefined },
): string[] {
  return PROTOCOLS
    .filter(({ ack, resume }) =>
      (wanted.ack ?? ack) === ack && (wanted.resume ?? resume) === resume
    )
    .map(({ name }) => name);
}

/**
 * What a subprotocol promises.
 *
 * @param protocol The one that was picked.
 * @returns Nothing for one that is not the gateway's.
 */
export function toPromises(protocol: string): Promises {
  return PROTOCOLS.find(({ name }) => name === protocol) ?? { ack: false, resume: false };
}

/**
 * What a workload shall get of something that is sent.
 *
 * @param data Text, bytes, or anything that JSON can hold.
 * @returns Text or bytes.
 * @throws {TypeError} when it is nothing of these.
 */
export function toPayload(data: unknown): Payload {
  if (typeof data === "string") return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0));
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  }
  const text: string | undefined = JSON.stringify(data);
  if (text === undefined) throw new TypeError(`Cannot send: JSON cannot hold a ${typeof data}`);
  return text;
}

/**
 * Numbers a message.
 *
 * @param id The client's own number.
 * @param payload From {@link toPayload}.
 * @returns What goes over the socket.
 */
export function toNumbered(id: number, payload: Payload): Payload {
  if (typeof payload === "string") return `{"id":${id},"data":${JSON.stringify(payload)}}`;
  const bytes = new Uint8Array(NUMBER_BYTES + payload.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(id));
  bytes.set(payload, NUMBER_BYTES);
  return bytes;
}

/**
 * Reads what came.
 *
 * @param data As the socket gives it.
 * @param promises What is promised there.
 * @returns What it says.
 * @throws {SyntaxError} when it is not what was promised.
 */
export function parseGatewayFrame(data: string | ArrayBuffer, promises: Promises): GatewayFrame {
  return typeof data === "string" ? parseText(data, promises) : parseBytes(data, promises);
}

function parseText(text: string, { ack, resume }: Promises): GatewayFrame {
  if (!ack && !resume) return { type: "message", data: text, seq: undefined };
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
      return { type: "gap", from: gap.from, to: gap.to ?? undefined };
    }
  }
  throw new SyntaxError("Cannot read what the gateway says");
}

function parseBytes(data: ArrayBuffer, { resume }: Promises): GatewayFrame {
  if (!resume) return { type: "message", data: new Uint8Array(data), seq: undefined };
  const seq = Number(new DataView(data).getBigUint64(0));
  if (!isNumber(seq)) throw new SyntaxError("Cannot read a number of the gateway's");
  return { type: "message", data: new Uint8Array(data, NUMBER_BYTES), seq };
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

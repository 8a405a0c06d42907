import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export const Type = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const Flag = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 } as const;

/** Error codes of RFC 9113, 7. */
export const Code = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  ENHANCE_YOUR_CALM: 11,
} as const;

/** Settings of RFC 9113, 6.5.2 and RFC 8441, 3. */
export const Setting = { HEADER_TABLE_SIZE: 1, MAX_CONCURRENT_STREAMS: 3, INITIAL_WINDOW_SIZE: 4 } as const;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export type Fields = readonly (readonly [name: string, value: string])[];

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/** Longest wait for a condition; reaching it is a failure. */
const PATIENCE = 8000;

export function frame(type: number, flags: number, stream: number, payload: Buffer | string = ""): Buffer {
  const body = typeof payload === "string" ? Buffer.from(payload, "latin1") : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function settings(...pairs: readonly (readonly [id: number, value: number])[]): Buffer {
  const entries = pairs.map(([id, value]) => {
    const entry = Buffer.alloc(6);
    entry.writeUInt16BE(id, 0);
    entry.writeUInt32BE(value, 2);
    return entry;
  });
  return frame(Type.SETTINGS, 0, 0, Buffer.concat(entries));
}

/** A header block that says exactly these bytes: literals without indexing and Huffman codes (RFC 7541, 6.2.2). */
export function block(fields: Fields): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]));
}

function literal(text: string): Buffer {
  return Buffer.concat([integer(text.length, 7), Buffer.from(text, "latin1")]);
}

/** RFC 7541, 5.1. */
function integer(value: number, prefix: number): Buffer {
  const limit = 2 ** prefix - 1;
  if (value < limit) return Buffer.from([value]);
  const bytes = [limit];
  let rest = value - limit;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

export function headers(stream: number, fields: Fields, flags: number = Flag.END_STREAM): Buffer {
  return frame(Type.HEADERS, Flag.END_HEADERS | flags, stream, block(fields));
}

export function data(stream: number, bytes: Buffer | string, flags: number = 0): Buffer {
  return frame(Type.DATA, flags, stream, bytes);
}

export function reset(stream: number, code: number = Code.CANCEL): Buffer {
  return frame(Type.RST_STREAM, 0, stream, uint32(code));
}

/** A GET, or with other fields of that name in place of its own. */
export function request(path: string = "/", more: Fields = []): Fields {
  const own: Fields = [
    [":method", "GET"],
    [":scheme", "http"],
    [":authority", "shop.test"],
    [":path", path],
  ];
  const kept = own.filter(([name]) => !more.some(([other]) => other === name));
  return [
    ...more.filter(([name]) => name.startsWith(":")),
    ...kept,
    ...more.filter(([name]) => !name.startsWith(":")),
  ];
}

/** A client of HTTP/2 whose every frame is scripted. Its decoder knows no dynamic table, so it asks for none. */
export class RawClient {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  ended = false;
  closed = false;
  private held: Buffer = Buffer.alloc(0);
  private readonly wakers = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    const wake = (): void => {
      for (const waker of this.wakers) waker();
    };
    socket.on("data", (chunk: Buffer) => {
      this.held = Buffer.concat([this.held, chunk]);
      this.cut();
      wake();
    });
    socket.on("end", () => {
      this.ended = true;
      wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
      wake();
    });
  }

  static async open(to: { host: string; port: number }, ...pairs: [number, number][]): Promise<RawClient> {
    const client = await RawClient.connect(to);
    client.send(Buffer.from(PREFACE, "latin1"), settings([Setting.HEADER_TABLE_SIZE, 0], ...pairs));
    await client.until(() => client.of(Type.SETTINGS, 0).length === 2, "settings and their acknowledgement");
    client.send(frame(Type.SETTINGS, Flag.ACK, 0));
    return client;
  }

  /** Without preface or settings. */
  static async connect(to: { host: string; port: number }): Promise<RawClient> {
    const socket = connect({ ...to, localAddress: "127.0.0.1", noDelay: true });
    onTestFinished(() => {
      socket.destroy();
    });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new RawClient(socket);
  }

  send(...bytes: readonly (Buffer | string)[]): void {
    for (const part of bytes) this.socket.write(part, "latin1" as BufferEncoding);
  }

  /** Sends as long as the other side takes it. Answers whether it did to the end. */
  async flood(part: Buffer, times: number): Promise<boolean> {
    for (let i = 0; i < times; i++) {
      if (this.closed || this.ended) return false;
      if (!this.socket.write(part)) {
        await new Promise<void>((resolve) => {
          this.socket.once("drain", resolve);
          this.socket.once("close", () => resolve());
        });
      }
    }
    return !this.closed;
  }

  of(type: number, stream?: number): Frame[] {
    return this.frames.filter((one) => one.type === type && (stream === undefined || one.stream === stream));
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.wakers.delete(waker);
        reject(new Error(`waited in vain for ${what}; ${this.closed ? "closed; " : ""}got ${this.story}`));
      }, PATIENCE);
      const waker = (): void => {
        if (!condition()) return;
        this.wakers.delete(waker);
        clearTimeout(timer);
        resolve();
      };
      this.wakers.add(waker);
    });
  }

  /** The code by which a stream was reset. */
  async resetCode(stream: number): Promise<number> {
    await this.until(() => this.of(Type.RST_STREAM, stream).length > 0, `the reset of stream ${stream}`);
    return this.of(Type.RST_STREAM, stream)[0]!.payload.readUInt32BE(0);
  }

  /** The code of the last GOAWAY. */
  async goawayCode(): Promise<number> {
    await this.until(() => this.of(Type.GOAWAY).length > 0, "a GOAWAY");
    return this.of(Type.GOAWAY).at(-1)!.payload.readUInt32BE(4);
  }

  async gone(): Promise<void> {
    await this.until(() => this.ended || this.closed, "the end of the connection");
  }

  /** Status of the first answer on a stream, interim ones included. */
  async status(stream: number): Promise<number> {
    await this.until(() => this.of(Type.HEADERS, stream).length > 0, `an answer on stream ${stream}`);
    return statusIn(this.of(Type.HEADERS, stream)[0]!.payload);
  }

  /** The body of a stream that came to its end. */
  async body(stream: number): Promise<string> {
    await this.until(() => this.isEnded(stream), `the end of stream ${stream}`);
    return this.bodySoFar(stream);
  }

  bodySoFar(stream: number): string {
    return Buffer.concat(this.of(Type.DATA, stream).map((one) => one.payload)).toString("latin1");
  }

  isEnded(stream: number): boolean {
    return this.frames.some(
      (one) => one.stream === stream && one.type <= Type.HEADERS && (one.flags & Flag.END_STREAM) !== 0,
    );
  }

  /** Both sides took what was sent before: a PING came back. */
  async roundTrip(): Promise<void> {
    const before = this.of(Type.PING).length;
    this.send(frame(Type.PING, 0, 0, "12345678"));
    await this.until(() => this.of(Type.PING).length > before, "the answer to a PING");
  }

  get story(): string {
    return this.frames
      .slice(-20)
      .map((one) => `${one.type}/${one.flags}#${one.stream}:${one.payload.subarray(0, 16).toString("hex")}`)
      .join(" ");
  }

  private cut(): void {
    while (this.held.length >= 9) {
      const length = this.held.readUIntBE(0, 3);
      if (this.held.length < 9 + length) return;
      this.frames.push({
        type: this.held[3]!,
        flags: this.held[4]!,
        stream: this.held.readUInt32BE(5),
        payload: this.held.subarray(9, 9 + length),
      });
      this.held = this.held.subarray(9 + length);
    }
  }
}

/** Codes of the digits in RFC 7541, appendix B. */
const DIGITS: ReadonlyMap<string, string> = new Map(
  "00000 00001 00010 011001 011010 011011 011100 011101 011110 011111"
    .split(" ")
    .map((bits, digit) => [bits, String(digit)]),
);
const STATIC_STATUS: readonly number[] = [200, 204, 206, 304, 400, 404, 500];

/** `:status` is the first field of a block; the server was told to use no dynamic table. */
function statusIn(payload: Buffer): number {
  let at = 0;
  while ((payload[at]! & 0xe0) === 0x20) at++;
  const first = payload[at]!;
  if ((first & 0x80) !== 0) return STATIC_STATUS[(first & 0x7f) - 8] ?? 0;
  const isHuffman = (payload[at + 1]! & 0x80) !== 0;
  const length = payload[at + 1]! & 0x7f;
  const value = payload.subarray(at + 2, at + 2 + length);
  if (!isHuffman) return Number(value.toString("latin1"));
  let bits = [...value].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  let text = "";
  while (text.length < 3) {
    const width = DIGITS.has(bits.slice(0, 5)) ? 5 : 6;
    text += DIGITS.get(bits.slice(0, width)) ?? "?";
    bits = bits.slice(width);
  }
  return Number(text);
}

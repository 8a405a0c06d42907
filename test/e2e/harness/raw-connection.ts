import { connect, type Socket } from "node:net";
import type { Scene } from "./scene.ts";

/** Longest wait for bytes, in ms. */
const PATIENCE = 10_000;

export interface RawAnswer {
  readonly status: number;
  /** Start line and field lines as they came, without the empty line. */
  readonly head: string;
  /** By lower-case name; several lines of one name joined with ", ". */
  readonly fields: Readonly<Record<string, string>>;
  /** Content, chunks taken apart. */
  readonly body: Buffer;
}

/** A TCP connection that sends bytes as given and takes answers apart by hand. */
export class RawConnection {
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    socket.on("end", end).on("close", end).on("error", end);
  }

  static async open(scene: Scene, port: number, from?: string): Promise<RawConnection> {
    const socket = connect({
      host: "127.0.0.1",
      port,
      ...(from === undefined ? {} : { localAddress: from }),
    });
    scene.defer(() => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve).once("error", reject);
    });
    return new RawConnection(socket);
  }

  /** Lines are joined with CRLF: `send("GET / HTTP/1.1", "Host: a", "", "")`. */
  send(...lines: readonly string[]): void {
    this.socket.write(lines.join("\r\n"), "latin1");
  }

  /** The next answer on the connection. `headOnly`: it answers HEAD, so there is no content whatever the fields say. */
  async answer(options: { readonly headOnly?: boolean } = {}): Promise<RawAnswer> {
    const end = await this.#until(() => {
      const at = this.#received.indexOf("\r\n\r\n");
      return at < 0 ? undefined : at;
    }, "an answer's head");
    const head = this.#received.toString("latin1", 0, end);
    this.#received = this.#received.subarray(end + 4);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
    const fields: Record<string, string> = {};
    for (const line of head.split("\r\n").slice(1)) {
      const colon = line.indexOf(":");
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      fields[name] = fields[name] === undefined ? value : `${fields[name]}, ${value}`;
    }
    const bodiless = options.headOnly === true || status < 200 || status === 204 || status === 304;
    const body = bodiless ? Buffer.alloc(0) : await this.#body(fields);
    return { status, head, fields, body };
  }

  /** Waits until the other side closes; returns the bytes that nobody took. */
  async closed(): Promise<Buffer> {
    await this.#until(() => this.#ended || undefined, "the end of the connection", true);
    return this.#received;
  }

  async #body(fields: Readonly<Record<string, string>>): Promise<Buffer> {
    if (fields["transfer-encoding"] !== undefined) return await this.#chunks();
    if (fields["content-length"] !== undefined) return await this.#take(Number(fields["content-length"]));
    const rest = await this.closed();
    this.#received = Buffer.alloc(0);
    return rest;
  }

  async #chunks(): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (;;) {
      const size = Number.parseInt(await this.#line(), 16);
      if (size === 0) break;
      parts.push(await this.#take(size));
      await this.#line();
    }
    while ((await this.#line()) !== "");
    return Buffer.concat(parts);
  }

  async #line(): Promise<string> {
    const end = await this.#until(() => {
      const at = this.#received.indexOf("\r\n");
      return at < 0 ? undefined : at;
    }, "a line");
    const line = this.#received.toString("latin1", 0, end);
    this.#received = this.#received.subarray(end + 2);
    return line;
  }

  async #take(length: number): Promise<Buffer> {
    await this.#until(() => this.#received.length >= length || undefined, `${length} bytes of content`);
    const bytes = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return bytes;
  }

  async #until<T>(condition: () => T | undefined, what: string, endIsFine: boolean = false): Promise<T> {
    const timer = setTimeout(() => this.#wake(), PATIENCE + 10);
    const deadline = performance.now() + PATIENCE;
    try {
      for (;;) {
        const value = condition();
        if (value !== undefined) return value;
        if (this.#ended && !endIsFine) {
          throw new Error(`the connection ended before ${what}: ${this.#excerpt()}`);
        }
        if (performance.now() >= deadline) {
          throw new Error(`no ${what} in ${PATIENCE} ms: ${this.#excerpt()}`);
        }
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #excerpt(): string {
    return JSON.stringify(this.#received.toString("latin1", 0, 200));
  }
}

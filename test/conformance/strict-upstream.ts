import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { turn } from "../gateway/harness.ts";
import { readRequest, valuesOf, type Read, type StrictMessage } from "./strict-message.ts";

/** What a hostile server sends, piece by piece, and what it does then. */
export interface Answer {
  readonly pieces: readonly string[];
  readonly ends: "keep" | "fin" | "reset";
}

/** How the server answers a request; undefined: it tells what it saw. */
export type Script = (request: StrictMessage) => Answer | undefined;

/**
 * A server that takes requests in canonical form only, one at a time, and keeps a record of what it saw and of what it
 * has to complain about.
 */
export class StrictUpstream {
  script: Script = () => undefined;
  requests: StrictMessage[] = [];
  complaints: string[] = [];
  /** Connections that carried a scripted answer since the record was cleared. */
  hostile: Set<Socket> = new Set();
  /** Connections that the gateway ended. */
  readonly over: WeakSet<Socket> = new WeakSet();
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor() {
    this.server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.serve(socket));
  }

  static async listen(host: string): Promise<StrictUpstream> {
    const upstream = new StrictUpstream();
    await new Promise<void>((resolve) => upstream.server.listen(0, host, resolve));
    return upstream;
  }

  get address(): string {
    const { address, port } = this.server.address() as AddressInfo;
    return `${address}:${port}`;
  }

  clear(): void {
    this.requests = [];
    this.complaints = [];
    this.hostile = new Set();
    this.script = () => undefined;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private serve(socket: Socket): void {
    let text = "";
    let answering = false;
    this.sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      this.over.add(socket);
      this.sockets.delete(socket);
    });
    socket.on("end", () => {
      this.over.add(socket);
      // Half a message may be what a cut client leaves behind; whether it may be here, the case knows.
      if (text !== "") this.complaints.push(`incomplete: ${JSON.stringify(text)}`);
      socket.end();
    });
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (answering) this.complaints.push(`before the answer: ${JSON.stringify(text)}`);
      let read: Read | undefined;
      try {
        read = readRequest(text);
      } catch (error) {
        this.complaints.push(`${(error as Error).message} in ${JSON.stringify(text)}`);
        socket.destroy();
        return;
      }
      if (read === undefined) return;
      if (read.end < text.length) this.complaints.push(`more than one message: ${JSON.stringify(text)}`);
      text = "";
      answering = true;
      this.requests.push(read.message);
      void this.answer(socket, read.message).then(() => {
        answering = false;
      });
    });
  }

  private async answer(socket: Socket, request: StrictMessage): Promise<void> {
    const answer = this.script(request);
    if (answer === undefined) {
      socket.write(plainAnswer(request), "latin1");
      return;
    }
    this.hostile.add(socket);
    for (const [index, piece] of answer.pieces.entries()) {
      if (index > 0) await turn();
      if (socket.destroyed) break;
      socket.write(piece, "latin1");
    }
    if (answer.ends === "fin") socket.end();
    else if (answer.ends === "reset") {
      await turn();
      socket.resetAndDestroy();
    }
  }
}

/** The body tells what was asked, so that an answer to another request is noticed. */
function plainAnswer(request: StrictMessage): string {
  const body = `${request.method} ${request.target} ${request.body.length} ${valuesOf(request, "host").join()}`;
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${request.method === "HEAD" ? "" : body}`;
}

import type { Socket } from "node:net";

/** Bodies up to this size are copied into the text of the head: one write of one string beats a gathered write. */
const INLINE = 8 * 1024;

/**
 * The writing side of a socket: gathers what one turn of the loop produces and sends it in one write.
 * Text is latin1, so that header bytes pass unchanged.
 */
export class Outlet {
  readonly socket: Socket;
  private text = "";
  private corked = false;
  private lent = false;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Bytes handed to the socket that the kernel has not taken yet. */
  get backlog(): number {
    return this.socket.writableLength;
  }

  append(text: string): void {
    this.text += text;
  }

  /** Adds a range of `bytes`. Large ranges are written without a copy: see `flush`. */
  appendBytes(bytes: Buffer, start: number, end: number): void {
    if (end - start <= INLINE) {
      this.text += bytes.latin1Slice(start, end);
      return;
    }
    if (!this.corked) {
      this.corked = true;
      this.socket.cork();
    }
    if (this.text !== "") {
      this.socket.write(this.text, "latin1");
      this.text = "";
    }
    this.socket.write(bytes.subarray(start, end));
    this.lent = true;
  }

  /**
   * Sends what was gathered. True when the socket still refers to memory of `appendBytes`: the caller must then not
   * read into that memory again.
   */
  flush(): boolean {
    if (this.text !== "") {
      this.socket.write(this.text, "latin1");
      this.text = "";
    }
    if (this.corked) {
      this.corked = false;
      this.socket.uncork();
    }
    const held = this.lent && this.socket.writableLength > 0;
    this.lent = false;
    return held;
  }
}

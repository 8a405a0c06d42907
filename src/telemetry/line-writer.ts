import { close, constants, fstat, open, write } from "node:fs";
import { promisify } from "node:util";

const { O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } = constants;
/** A pipe that nobody reads is an error at once: to wait for a reader could take for ever. */
const FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK;
const STDOUT = 1;
/**
 * Bytes of one write. Several processes write to the same place: a file takes what is appended as a whole, a pipe as long
 * as it is no more than this (POSIX: PIPE_BUF, on Linux 4096).
 */
const WHOLE = 4096;
const WHOLE_IN_FILE = 64 * 1024;
/** The longest line, its end included. */
export const LONGEST_LINE: number = WHOLE;
/** Bytes that wait at most. */
const ROOM = 1024 * 1024;
/** How long lines are gathered, in ms. */
const GATHER = 200;
/** After how long it is tried again where there was no room, and after an error, in ms. */
const SOON = 50;
const LATER = 1000;
/** How long an end waits for what is to be written, in ms. */
const LAST_WAIT = 2000;

const openFile = promisify(open);
const closeFile = promisify(close);
const stateOf = promisify(fstat);
const writeTo = promisify(write) as (
  fd: number,
  bytes: Buffer,
  offset: number,
) => Promise<{ bytesWritten: number }>;

/**
 * Lines for a file or standard output, whole and in their order, without anybody waiting for them: they are gathered, and
 * written by libuv's threads. What there is no room for is the caller's to count.
 */
export class LineWriter {
  private readonly fd: number;
  private readonly whole: number;
  private readonly onTrouble: (problem: string) => void;
  private lines: string[] = [];
  private size = 0;
  private writing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private inTrouble = false;
  private closing = false;

  private constructor(fd: number, whole: number, onTrouble: (problem: string) => void) {
    this.fd = fd;
    this.whole = whole;
    this.onTrouble = onTrouble;
  }

  /**
   * `to`: a file, made if it is not there, or a pipe that is read; null: standard output. Rejects with the system's error.
   * `onTrouble`: told why when nothing can be written any more, once until it can be again.
   */
  static async open(to: string | null, onTrouble: (problem: string) => void): Promise<LineWriter> {
    const fd = to === null ? STDOUT : await openFile(to, FLAGS, 0o640);
    const isFile = (await stateOf(fd)).isFile();
    return new LineWriter(fd, isFile ? WHOLE_IN_FILE : WHOLE, onTrouble);
  }

  /** ASCII, with its line feed, no longer than `LONGEST_LINE`. False: there is no room. */
  write(line: string): boolean {
    if (this.size + line.length > ROOM) return false;
    this.lines.push(line);
    this.size += line.length;
    if (this.writing !== undefined || this.inTrouble) return true;
    if (this.size >= this.whole) this.start();
    else this.timer ??= setTimeout(() => this.start(), GATHER);
    return true;
  }

  /** Writes what it can within a moment. Resolves to the number of lines that are lost. */
  async close(): Promise<number> {
    this.closing = true;
    if (this.lines.length > 0) this.start();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_WAIT);
    });
    await Promise.race([this.writing, late]);
    clearTimeout(timer);
    clearTimeout(this.timer);
    // There is but one standard output, and a write that hangs has the file still.
    if (this.fd !== STDOUT && this.writing === undefined) await closeFile(this.fd);
    return this.lines.length;
  }

  private start(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.writing ??= this.writeAll().finally(() => {
      this.writing = undefined;
    });
  }

  private async writeAll(): Promise<void> {
    while (this.lines.length > 0) {
      const count = this.countOfNext();
      const text = this.lines.slice(0, count).join("");
      try {
        await this.writeWhole(Buffer.from(text, "latin1"));
      } catch (error) {
        if (!this.inTrouble && !this.closing) this.onTrouble((error as Error).message);
        this.inTrouble = true;
        if (!this.closing) this.timer = setTimeout(() => this.start(), LATER);
        return;
      }
      this.inTrouble = false;
      this.lines.splice(0, count);
      this.size -= text.length;
    }
  }

  /** As many lines as fit into one write. */
  private countOfNext(): number {
    let [count, length] = [0, 0];
    for (const line of this.lines) {
      length += line.length;
      if (count > 0 && length > this.whole) break;
      count++;
    }
    return count;
  }

  /** A full disk may take a part: the rest follows when there is room. */
  private async writeWhole(bytes: Buffer): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      try {
        const { bytesWritten } = await writeTo(this.fd, bytes, done);
        done += bytesWritten;
      } catch (error) {
        // A pipe whose reader is slow.
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || this.closing) throw error;
        await new Promise((resolve) => setTimeout(resolve, SOON));
      }
    }
  }
}

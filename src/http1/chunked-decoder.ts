import { BACKSLASH, CR, EQUALS, HEX, LF, QUOTE, REFUSED, SEMICOLON, TOKEN, VALUE } from "./byte-class.ts";
import type { HeadLimits } from "./limits.ts";
import * as refuse from "./refusal.ts";
import type { Refusal } from "./refusal.ts";
import { readTrailers } from "./trailers.ts";

/** Takes the data of chunks, as ranges of the buffer being fed; valid during the call only. */
export interface ChunkSink {
  onChunkData(bytes: Buffer, start: number, end: number): void;
}

// What the next byte belongs to.
const SIZE_FIRST = 0;
const SIZE = 1;
const SIZE_LF = 2;
const EXTENSION_NAME_FIRST = 3;
const EXTENSION_NAME = 4;
const EXTENSION_VALUE_FIRST = 5;
const EXTENSION_VALUE = 6;
const EXTENSION_QUOTED = 7;
const EXTENSION_ESCAPED = 8;
const EXTENSION_QUOTED_END = 9;
const DATA = 10;
const DATA_CR = 11;
const DATA_LF = 12;
const TRAILERS_FIRST = 13;
const TRAILER_LINE_FIRST = 14;
const TRAILER_LINE = 15;
const TRAILER_LF = 16;
const TRAILERS_END_LF = 17;
const DONE = 18;

/** Also bounds leading zeros. */
const MOST_SIZE_DIGITS = 16;
/** Of one body together, as each may be small and their number endless (CVE-2024-22019). */
const MOST_EXTENSION_BYTES = 4 * 1024;

const NO_BYTES = Buffer.alloc(0);

/**
 * Decodes one chunked body (RFC 9112 7.1), fed in pieces of any size. White space that old grammars allowed
 * around sizes and extensions is refused: parsers disagree about it, and nobody sends it in earnest.
 */
export class ChunkedDecoder {
  done = false;
  /** Why the body was refused; it stays so until `reset`. */
  refusal: Refusal | undefined = undefined;
  /** Trailer lines to pass on, `Name: value CRLF` each, as latin1 text; valid when done. */
  trailers = "";
  /** Chunk extensions met so far: nobody needs them. */
  extensions = 0;

  private readonly limits: HeadLimits;
  private readonly ofResponse: boolean;
  private state = SIZE_FIRST;
  /** Of the current chunk: its size while that is read, then the data bytes still to come. */
  private size = 0;
  private digits = 0;
  private extensionBytes = 0;
  private trailerBytes: Buffer = NO_BYTES;
  private trailerLength = 0;

  /**
   * @param limits of the trailer section
   * @param ofResponse whether it is the body of a response: white space before the colon of a trailer is then removed
   * (RFC 9112 5.1), and refused in a request
   */
  constructor(limits: HeadLimits, ofResponse: boolean) {
    this.limits = limits;
    this.ofResponse = ofResponse;
  }

  /** Makes the decoder ready for another body. */
  reset(): void {
    this.done = false;
    this.refusal = undefined;
    this.trailers = "";
    this.extensions = 0;
    this.state = SIZE_FIRST;
    this.size = 0;
    this.digits = 0;
    this.extensionBytes = 0;
    this.trailerLength = 0;
  }

  /**
   * Feeds bytes[start,end) and gives the data in them to `sink`. Answers the offset just after what was
   * consumed (`end` unless the body is done before it), or -1 when the body is refused: see `refusal`.
   */
  feed(bytes: Buffer, start: number, end: number, sink: ChunkSink): number {
    if (this.refusal !== undefined) return REFUSED;
    let i = start;
    while (i < end && this.state !== DONE) {
      if (this.state === DATA) {
        const size = end - i < this.size ? end - i : this.size;
        sink.onChunkData(bytes, i, i + size);
        i += size;
        this.size -= size;
        if (this.size === 0) this.state = DATA_CR;
      } else {
        this.refusal = this.step(bytes[i]!);
        if (this.refusal !== undefined) return REFUSED;
        i++;
      }
    }
    return i;
  }

  /** Takes one byte that is not chunk data. */
  private step(byte: number): Refusal | undefined {
    switch (this.state) {
      case SIZE_FIRST:
      case SIZE:
        return this.stepSize(byte);
      case SIZE_LF:
        if (byte !== LF) return refuse.BAD_CHUNK_SIZE;
        this.state = this.size === 0 ? TRAILERS_FIRST : DATA;
        return undefined;
      case DATA_CR:
        this.state = DATA_LF;
        return byte === CR ? undefined : refuse.BAD_CHUNK_END;
      case DATA_LF:
        this.state = SIZE_FIRST;
        return byte === LF ? undefined : refuse.BAD_CHUNK_END;
      case TRAILERS_FIRST:
        // Nearly always there are none, and no buffer is needed.
        this.state = byte === CR ? TRAILERS_END_LF : TRAILER_LINE_FIRST;
        return byte === CR ? undefined : this.stepTrailers(byte);
      case TRAILER_LINE_FIRST:
      case TRAILER_LINE:
      case TRAILER_LF:
        return this.stepTrailers(byte);
      case TRAILERS_END_LF:
        return byte === LF ? this.finish() : refuse.BAD_LINE_END;
      default:
        this.extensionBytes++;
        if (this.extensionBytes > MOST_EXTENSION_BYTES) return refuse.CHUNK_EXTENSIONS_TOO_LARGE;
        return this.stepExtension(byte);
    }
  }

  private stepSize(byte: number): Refusal | undefined {
    const digit = HEX[byte]!;
    if (digit !== 255) {
      if (this.state === SIZE_FIRST) {
        this.state = SIZE;
        this.size = 0;
        this.digits = 0;
      }
      this.digits++;
      this.size = this.size * 16 + digit;
      const fits = this.digits <= MOST_SIZE_DIGITS && this.size <= Number.MAX_SAFE_INTEGER;
      return fits ? undefined : refuse.BAD_CHUNK_SIZE;
    }
    if (this.state === SIZE_FIRST) return refuse.BAD_CHUNK_SIZE;
    if (byte === CR) this.state = SIZE_LF;
    else if (byte === SEMICOLON) this.state = EXTENSION_NAME_FIRST;
    else return refuse.BAD_CHUNK_SIZE;
    return undefined;
  }

  private stepExtension(byte: number): Refusal | undefined {
    const isToken = TOKEN[byte] !== 0;
    switch (this.state) {
      case EXTENSION_NAME_FIRST:
        this.extensions++;
        this.state = EXTENSION_NAME;
        return isToken ? undefined : refuse.BAD_CHUNK_EXTENSION;
      case EXTENSION_NAME:
        if (isToken) return undefined;
        if (byte !== EQUALS) return this.endExtension(byte);
        this.state = EXTENSION_VALUE_FIRST;
        return undefined;
      case EXTENSION_VALUE_FIRST:
        this.state = byte === QUOTE ? EXTENSION_QUOTED : EXTENSION_VALUE;
        return isToken || byte === QUOTE ? undefined : refuse.BAD_CHUNK_EXTENSION;
      case EXTENSION_VALUE:
        return isToken ? undefined : this.endExtension(byte);
      case EXTENSION_QUOTED:
        if (byte === QUOTE) this.state = EXTENSION_QUOTED_END;
        else if (byte === BACKSLASH) this.state = EXTENSION_ESCAPED;
        return VALUE[byte] === 0 ? refuse.BAD_CHUNK_EXTENSION : undefined;
      case EXTENSION_ESCAPED:
        this.state = EXTENSION_QUOTED;
        return VALUE[byte] === 0 ? refuse.BAD_CHUNK_EXTENSION : undefined;
      default:
        return this.endExtension(byte);
    }
  }

  private endExtension(byte: number): Refusal | undefined {
    if (byte === SEMICOLON) this.state = EXTENSION_NAME_FIRST;
    else if (byte === CR) this.state = SIZE_LF;
    else return refuse.BAD_CHUNK_EXTENSION;
    return undefined;
  }

  /** Collects the section and checks its line ends; what the lines say is read when it is whole. */
  private stepTrailers(byte: number): Refusal | undefined {
    // One byte is left for the last LF.
    if (this.trailerLength >= this.limits.head - 1) return refuse.TRAILERS_TOO_LARGE;
    if (this.trailerBytes === NO_BYTES) this.trailerBytes = Buffer.allocUnsafeSlow(this.limits.head);
    this.trailerBytes[this.trailerLength++] = byte;
    switch (this.state) {
      case TRAILER_LINE_FIRST:
        this.state = byte === CR ? TRAILERS_END_LF : TRAILER_LINE;
        return byte === LF ? refuse.BAD_LINE_END : undefined;
      case TRAILER_LINE:
        if (byte === CR) this.state = TRAILER_LF;
        return byte === LF ? refuse.BAD_LINE_END : undefined;
      default:
        this.state = TRAILER_LINE_FIRST;
        return byte === LF ? undefined : refuse.BAD_LINE_END;
    }
  }

  private finish(): Refusal | undefined {
    if (this.trailerLength > 0) {
      this.trailerBytes[this.trailerLength] = LF;
      const read = readTrailers(this.trailerBytes, this.trailerLength + 1, this.limits, this.ofResponse);
      if (typeof read !== "string") return read;
      this.trailers = read;
    }
    this.state = DONE;
    this.done = true;
    return undefined;
  }
}

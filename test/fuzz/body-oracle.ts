import type { ChunkedDecoder, ChunkSink } from "../../src/http1/chunked-decoder.ts";
import { EXPLAINED_RESPONSE_TRAILERS, EXPLAINED_TRAILERS } from "./explained.ts";
import { finding, type Finding } from "./finding.ts";
import { Llhttp } from "./llhttp.ts";
import type { Random } from "./random.ts";
import { Stage } from "./stage.ts";
import { TIGHT, WIDE, type Subject } from "./subject.ts";
import { count, type Tally } from "./tally.ts";

const REQUEST_HEAD = Buffer.from("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
const RESPONSE_HEAD = Buffer.from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
const FRAMING_TRAILER =
  /^(?:content-length|transfer-encoding|host|trailer|connection|te|upgrade|authorization):/im;

/** Keeps the data of one body. */
class Collected implements ChunkSink {
  readonly bytes: Buffer = Buffer.alloc(8192);
  length = 0;
  /** Just after the data given last. */
  lastEnd = 0;

  onChunkData(from: Buffer, start: number, end: number): void {
    from.copy(this.bytes, this.length, start, end);
    this.length += end - start;
    this.lastEnd = end;
  }

  clear(): void {
    this.length = 0;
    this.lastEnd = 0;
  }

  equals(other: { readonly bytes: Buffer; readonly length: number }): boolean {
    return (
      this.length === other.length && this.bytes.compare(other.bytes, 0, other.length, 0, this.length) === 0
    );
  }
}

/** Judges what becomes of one chunked body, as of a request or as of a response. */
export class BodyOracle {
  private readonly ofRequests: SideOracle;
  private readonly ofResponses: SideOracle;

  constructor(subject: Subject, tally: Tally) {
    this.ofRequests = new SideOracle(subject, tally, false);
    this.ofResponses = new SideOracle(subject, tally, true);
  }

  judge(input: Buffer, length: number, random: Random): Finding | undefined {
    return (random.oneIn(2) ? this.ofResponses : this.ofRequests).judge(input, length, random);
  }
}

class SideOracle {
  private readonly tally: Tally;
  private readonly ofResponse: boolean;
  private readonly decoder: ChunkedDecoder;
  private readonly other: ChunkedDecoder;
  private readonly again: ChunkedDecoder;
  private readonly data = new Collected();
  private readonly otherData = new Collected();
  private readonly llhttp = new Llhttp();
  private readonly stage = new Stage();

  constructor(subject: Subject, tally: Tally, ofResponse: boolean) {
    this.tally = tally;
    this.ofResponse = ofResponse;
    this.decoder = subject.chunkedDecoder(TIGHT, ofResponse);
    this.other = subject.chunkedDecoder(TIGHT, ofResponse);
    this.again = subject.chunkedDecoder(WIDE, ofResponse);
  }

  judge(input: Buffer, length: number, random: Random): Finding | undefined {
    const { data, decoder, stage, tally } = this;
    stage.set(input, length, random);
    decoder.reset();
    data.clear();
    const after = decoder.feed(stage.first, stage.start, stage.end, data);
    const { done, refusal } = decoder;
    if (after !== -1 && (after < stage.start || after > stage.end || (!done && after !== stage.end))) {
      return finding("answers an offset outside the input", String(after - stage.start));
    }
    if ((after === -1) !== (refusal !== undefined))
      return finding("refusal and answer differ", String(after));
    const unlike = done ? this.compare(after) : this.judgeNotDone(after);
    if (unlike !== undefined) return unlike;
    const split = this.judgeSplits(after, random);
    if (split !== undefined || !done) return split;
    tally.roundTrips++;
    return this.roundTrip();
  }

  private beginLlhttp(): void {
    const head = this.ofResponse ? RESPONSE_HEAD : REQUEST_HEAD;
    this.llhttp.begin(this.ofResponse ? "response" : "request", false);
    this.llhttp.feed(head, 0, head.length);
  }

  private judgeNotDone(after: number): Finding | undefined {
    const { decoder, llhttp, stage, tally } = this;
    this.beginLlhttp();
    llhttp.feed(stage.first, stage.start, stage.end);
    if (after !== -1) {
      tally.incomplete++;
      return llhttp.messages === 0
        ? this.compareData()
        : finding("we wait for more where llhttp sees a whole body", "");
    }
    if (llhttp.error !== "" && llhttp.messages === 0) tally.bothRefuse++;
    else count(tally.stricter, decoder.refusal!.code);
    return undefined;
  }

  /** In a part of a body, llhttp may refuse already; what it gave before is the same. */
  private compareData(): Finding | undefined {
    const { data, llhttp } = this;
    const isSame =
      data.length === llhttp.bodyLength && data.equals({ bytes: llhttp.body, length: llhttp.bodyLength });
    return isSame || llhttp.error !== "" ? undefined : finding("laxer than llhttp: it sees other data", "");
  }

  private compare(after: number): Finding | undefined {
    const { data, decoder, stage, tally } = this;
    const difference = this.difference(decoder, stage.first, stage.start, after);
    if (difference === "") tally.bothAccept++;
    else {
      const trailersAt = data.lastEnd === 0 ? stage.start : data.lastEnd;
      const explanations = this.explanationsOf(stage.first, stage.start, trailersAt, after);
      if (explanations.length === 0) return finding(`laxer than llhttp: ${difference}`, "");
      for (const name of explanations) count(tally.explained, name);
    }
    return FRAMING_TRAILER.test(decoder.trailers)
      ? finding("a framing trailer is passed on", decoder.trailers)
      : undefined;
  }

  private difference(decoder: ChunkedDecoder, bytes: Buffer, start: number, after: number): string {
    const { data, llhttp } = this;
    this.beginLlhttp();
    let refused = llhttp.feed(bytes, start, after - 1);
    if (refused !== "") return `llhttp refuses: ${refused}`;
    if (llhttp.messages > 0) return "llhttp ends the body earlier";
    refused = llhttp.feed(bytes, after - 1, after);
    if (refused !== "") return `llhttp refuses: ${refused}`;
    if (llhttp.messages !== 1) return "llhttp ends the body later";
    if (!data.equals({ bytes: llhttp.body, length: llhttp.bodyLength })) return "llhttp sees other data";
    return areAmong(decoder.trailers, llhttp.trailers) ? "" : "llhttp sees other trailers";
  }

  /** The explanations that, one after another, make llhttp agree; none if they do not. */
  private explanationsOf(bytes: Buffer, start: number, trailersAt: number, after: number): readonly string[] {
    const { data, decoder, other, otherData } = this;
    const used: string[] = [];
    let trailers = bytes.latin1Slice(trailersAt, after);
    for (const { name, repair } of this.ofResponse ? EXPLAINED_RESPONSE_TRAILERS : EXPLAINED_TRAILERS) {
      const before = trailers;
      trailers = repair(before);
      if (trailers === before) continue;
      used.push(name);
      const repaired = Buffer.from(bytes.latin1Slice(start, trailersAt) + trailers, "latin1");
      other.reset();
      otherData.clear();
      const isSame =
        other.feed(repaired, 0, repaired.length, otherData) === repaired.length &&
        other.done &&
        otherData.equals(data) &&
        other.trailers === decoder.trailers;
      if (isSame && this.difference(other, repaired, 0, repaired.length) === "") return used;
    }
    return [];
  }

  /** Fed in two or three parts, or byte by byte, with other bytes around it. */
  private judgeSplits(after: number, random: Random): Finding | undefined {
    const { data, decoder, other, otherData, stage } = this;
    const { length } = stage;
    other.reset();
    otherData.clear();
    const step = random.oneIn(16) ? 1 : 1 + random.below(length + 1);
    let at = 0;
    let next = 0;
    while (at < length && !other.done) {
      const end = Math.min(length, at + step);
      next = other.feed(stage.second, at, end, otherData);
      this.tally.splits++;
      if (next < 0) break;
      if (next !== end && !other.done) return finding("a part is left over before the end", `step ${step}`);
      at = next;
    }
    const isSame =
      other.done === decoder.done &&
      other.refusal === decoder.refusal &&
      other.trailers === decoder.trailers &&
      otherData.equals(data) &&
      (next === -1) === (after === -1) &&
      (after === -1 || at === after - stage.start);
    return isSame ? undefined : finding("a split changes the verdict", `step ${step}: ${next}`);
  }

  private roundTrip(): Finding | undefined {
    const { again, data, decoder, llhttp, otherData } = this;
    const content = data.bytes.latin1Slice(0, data.length);
    const text = `${content === "" ? "" : `${data.length.toString(16)}\r\n${content}\r\n`}0\r\n${decoder.trailers}\r\n`;
    const emitted = Buffer.from(text, "latin1");
    again.reset();
    otherData.clear();
    const after = again.feed(emitted, 0, emitted.length, otherData);
    if (!again.done || after !== emitted.length) {
      return finding(`what is sent is refused: ${again.refusal?.code ?? "incomplete"}`, text);
    }
    if (!otherData.equals(data) || again.trailers !== decoder.trailers) {
      return finding("what is sent means something else", text);
    }
    this.beginLlhttp();
    llhttp.feed(emitted, 0, emitted.length);
    return llhttp.messages === 1 && llhttp.error === ""
      ? undefined
      : finding("llhttp refuses what is sent", text);
  }
}

/** Are all of our trailer lines, in order, among the pairs that llhttp saw? */
function areAmong(trailers: string, pairs: readonly string[]): boolean {
  let at = 0;
  for (const line of trailers.split("\r\n").slice(0, -1)) {
    while (at < pairs.length && `${pairs[at]!}: ${pairs[at + 1]!}` !== line) at += 2;
    if (at >= pairs.length) return false;
    at += 2;
  }
  return true;
}

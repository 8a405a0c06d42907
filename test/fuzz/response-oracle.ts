import { BodyKind, type ResponseHead } from "../../src/http1/response-head.ts";
import { emissionFault } from "./emission-rules.ts";
import { EXPLAINED_HEADS } from "./explained.ts";
import { finding, type Finding } from "./finding.ts";
import { fieldDifference, framingDifference, pairsOf } from "./framing-probe.ts";
import { Llhttp } from "./llhttp.ts";
import type { Random } from "./random.ts";
import { sameFields, Stage } from "./stage.ts";
import { readStrictly } from "./strict-message.ts";
import { TIGHT, unsigned, upgradeOf, WIDE, type Subject } from "./subject.ts";
import { count, type Tally } from "./tally.ts";

/** Judges what becomes of one response head. */
export class ResponseOracle {
  private readonly subject: Subject;
  private readonly tally: Tally;
  private readonly head: ResponseHead;
  private readonly other: ResponseHead;
  private readonly again: ResponseHead;
  private readonly llhttp = new Llhttp();
  private readonly stage = new Stage();
  /** The fields of the head as llhttp saw them. */
  private came: readonly string[] = [];
  private requestMethod = "GET";

  constructor(subject: Subject, tally: Tally) {
    this.subject = subject;
    this.tally = tally;
    this.head = subject.responseHead(TIGHT);
    this.other = subject.responseHead(TIGHT);
    this.again = subject.responseHead(WIDE);
  }

  judge(input: Buffer, length: number, random: Random): Finding | undefined {
    const { head, other, stage, tally } = this;
    this.requestMethod = random.oneIn(6) ? "HEAD" : "GET";
    stage.set(input, length, random);
    const after = head.parse(stage.first, stage.start, stage.end);
    if (after > stage.end || after < -1 || (after > 0 && after <= stage.start)) {
      return finding("answers an offset outside the input", String(after - stage.start));
    }
    if ((after === -1) !== (head.refusal !== undefined))
      return finding("refusal and answer differ", String(after));
    const unlike = after > 0 ? this.compare(after) : this.judgeNotAccepted(after);
    if (unlike !== undefined) return unlike;

    const otherAfter = other.parse(stage.second, 0, length);
    if (!isSameVerdict(head, after, other, otherAfter, stage.start)) {
      return finding("bytes outside the input change the verdict", `${after} ${otherAfter}`);
    }
    const split = this.judgeSplits(after, random);
    if (split !== undefined) return split;
    if (after <= 0 || (head.status === 101 && upgradeOf(head) === "")) return undefined;
    tally.roundTrips++;
    return head.status < 200 ? this.interimRoundTrip() : this.roundTrip(random);
  }

  private judgeNotAccepted(after: number): Finding | undefined {
    const { head, llhttp, stage, tally } = this;
    llhttp.begin("response", this.requestMethod === "HEAD");
    llhttp.feed(stage.first, stage.start, stage.end);
    if (after === 0) {
      tally.incomplete++;
      return llhttp.heads === 0 ? undefined : finding("we wait for more where llhttp sees a whole head", "");
    }
    if (llhttp.heads === 0) tally.bothRefuse++;
    else count(tally.stricter, head.refusal!.code);
    return undefined;
  }

  private compare(after: number): Finding | undefined {
    const { head, stage, tally } = this;
    const difference = this.difference(head, stage.first, stage.start, after);
    this.came = this.llhttp.fields;
    if (difference === "") {
      tally.bothAccept++;
      return undefined;
    }
    const explanations = this.explanationsOf(stage.first.latin1Slice(stage.start, after));
    for (const name of explanations) count(tally.explained, name);
    if (explanations.length > 0) {
      this.came = pairsOf(head.fields);
      return undefined;
    }
    return finding(`laxer than llhttp: ${difference}`, `${head.status} to ${this.requestMethod}`);
  }

  /** The explanations that, one after another, make llhttp agree; none if they do not. */
  private explanationsOf(text: string): readonly string[] {
    const { head, other } = this;
    const used: string[] = [];
    let repaired = text;
    for (const { name, repair } of EXPLAINED_HEADS) {
      const before = repaired;
      repaired = repair(before);
      if (repaired === before) continue;
      used.push(name);
      const bytes = Buffer.from(repaired, "latin1");
      if (other.parse(bytes, 0, bytes.length) !== bytes.length || !isSameMeaning(other, head)) continue;
      if (this.difference(other, bytes, 0, bytes.length) === "") return used;
    }
    return [];
  }

  private difference(head: ResponseHead, bytes: Buffer, start: number, after: number): string {
    const { llhttp, requestMethod } = this;
    llhttp.begin("response", requestMethod === "HEAD");
    const { contentLength } = head;
    const unlike = framingDifference(llhttp, bytes, start, after, {
      bodyKind: head.bodyKind(requestMethod),
      contentLength,
    });
    if (unlike !== "") return unlike;
    if (llhttp.status !== head.status) return "llhttp sees another status";
    if (llhttp.reason !== head.fields.bytes.latin1Slice(head.reasonStart, head.reasonEnd))
      return "llhttp sees another reason";
    if (llhttp.major !== 1 || llhttp.minor !== head.minor) return "llhttp sees another version";
    // llhttp counts "until close" in, and before it is told that the request was HEAD.
    const keepAlive = head.keepAlive && head.bodyKind("GET") !== BodyKind.UNTIL_CLOSE;
    if (llhttp.keepAlive !== keepAlive)
      return `llhttp ${llhttp.keepAlive ? "keeps" : "closes"} the connection`;
    return fieldDifference(llhttp, head.fields, contentLength);
  }

  private judgeSplits(after: number, random: Random): Finding | undefined {
    const { head, other, stage } = this;
    const { length } = stage;
    if (length === 0) return undefined;
    const everywhere = random.oneIn(128);
    for (let at = everywhere ? 0 : random.below(length); at < length; at++) {
      const part = other.parse(stage.second, 0, at);
      this.tally.splits++;
      if (part !== 0 && !isSameVerdict(head, after, other, part, stage.start)) {
        return finding("a split changes the verdict", `at ${at}: ${part}`);
      }
      if (!everywhere) break;
    }
    return undefined;
  }

  private roundTrip(random: Random): Finding | undefined {
    const { again, head, subject } = this;
    const bodyKind = head.bodyKind(this.requestMethod);
    const unframed = bodyKind === BodyKind.CHUNKED || bodyKind === BodyKind.UNTIL_CLOSE;
    const http10 = random.oneIn(4);
    const close = random.oneIn(3) || (http10 && unframed);
    const frame = { bodyKind, http10, close };
    const text = subject.responseText(head, frame);
    const strict = readStrictly(text, "response");
    if (typeof strict === "string") return finding(`what is sent ${strict}`, text);
    const chunked = unframed && !http10;
    const contentLength = unframed || head.status === 204 ? -1 : head.contentLength;
    const connection = close ? "close" : http10 ? "keep-alive" : "";
    const fault = emissionFault(
      this.came,
      strict.fields,
      { chunked, contentLength, connection, upgrade: "" },
      "date",
    );
    if (fault !== "") return finding(`sent with ${fault}`, text);
    const emitted = Buffer.from(text, "latin1");
    if (again.parse(emitted, 0, emitted.length) !== emitted.length) {
      return finding(`what is sent is refused: ${again.refusal?.code ?? "incomplete"}`, text);
    }
    const isSame =
      again.status === head.status &&
      again.contentLength === contentLength &&
      again.chunked === chunked &&
      again.keepAlive === !close &&
      again.hasDate &&
      reasonOf(again) === reasonOf(head);
    if (!isSame) return finding("what is sent means something else", text);
    const twice = subject.responseText(again, { ...frame, bodyKind: again.bodyKind(this.requestMethod) });
    return unsigned(twice) === unsigned(text) || http10
      ? undefined
      : finding("sent again it is something else", `${text}${twice}`);
  }

  private interimRoundTrip(): Finding | undefined {
    const { again, head, subject } = this;
    const text = subject.interimText(head);
    const strict = readStrictly(text, "response");
    if (typeof strict === "string") return finding(`what is sent ${strict}`, text);
    const upgrade = upgradeOf(head);
    const framing = {
      chunked: false,
      contentLength: -1,
      connection: upgrade === "" ? "" : "Upgrade",
      upgrade,
    };
    const fault = emissionFault(this.came, strict.fields, framing, "");
    if (fault !== "") return finding(`sent with ${fault}`, text);
    const emitted = Buffer.from(text, "latin1");
    if (again.parse(emitted, 0, emitted.length) !== emitted.length) {
      return finding(`what is sent is refused: ${again.refusal?.code ?? "incomplete"}`, text);
    }
    if (again.status !== head.status || upgradeOf(again) !== upgrade)
      return finding("what is sent means something else", text);
    return subject.interimText(again) === text ? undefined : finding("sent again it is something else", text);
  }
}

function reasonOf(head: ResponseHead): string {
  return head.fields.bytes.latin1Slice(head.reasonStart, head.reasonEnd);
}

function isSameMeaning(a: ResponseHead, b: ResponseHead): boolean {
  // All 1xx are alike here.
  return (
    (a.status === b.status || (a.status < 200 && b.status < 200)) &&
    a.minor === b.minor &&
    a.contentLength === b.contentLength &&
    a.chunked === b.chunked &&
    a.keepAlive === b.keepAlive
  );
}

/** The same answer, whose offsets stand `shift` bytes apart. */
function isSameVerdict(
  a: ResponseHead,
  aAfter: number,
  b: ResponseHead,
  bAfter: number,
  shift: number,
): boolean {
  if (aAfter <= 0) return aAfter === bAfter && a.refusal === b.refusal;
  return (
    aAfter === bAfter + shift &&
    a.status === b.status &&
    a.reasonStart === b.reasonStart + shift &&
    a.reasonEnd === b.reasonEnd + shift &&
    a.minor === b.minor &&
    a.contentLength === b.contentLength &&
    a.chunked === b.chunked &&
    a.keepAlive === b.keepAlive &&
    a.upgrade === b.upgrade &&
    a.hasDate === b.hasDate &&
    sameFields(a.fields, b.fields, shift)
  );
}

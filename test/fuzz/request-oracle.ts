import { BodyKind } from "../../src/http1/body-kind.ts";
import type { RequestHead } from "../../src/http1/request-head.ts";
import { emissionFault } from "./emission-rules.ts";
import { EXPLAINED_HEADS } from "./explained.ts";
import { finding, type Finding } from "./finding.ts";
import { fieldDifference, framingDifference, pairsOf, type Framing } from "./framing-probe.ts";
import { Llhttp } from "./llhttp.ts";
import type { Random } from "./random.ts";
import { sameFields, Stage } from "./stage.ts";
import { readStrictly, valuesOf } from "./strict-message.ts";
import { TIGHT, unsigned, upgradeOf, WIDE, type Subject } from "./subject.ts";
import { count, type Tally } from "./tally.ts";
import { isSameTarget, originTarget } from "./target-oracle.ts";

/** Judges what becomes of one request head. */
export class RequestOracle {
  private readonly subject: Subject;
  private readonly tally: Tally;
  private readonly head: RequestHead;
  private readonly other: RequestHead;
  private readonly again: RequestHead;
  private readonly llhttp = new Llhttp();
  private readonly stage = new Stage();
  /** The fields of the head as llhttp saw them. */
  private came: readonly string[] = [];

  constructor(subject: Subject, tally: Tally) {
    this.subject = subject;
    this.tally = tally;
    this.head = subject.requestHead(TIGHT);
    this.other = subject.requestHead(TIGHT);
    this.again = subject.requestHead(WIDE);
  }

  judge(input: Buffer, length: number, random: Random): Finding | undefined {
    const { head, other, stage, tally } = this;
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
    if (after <= 0) return undefined;
    tally.roundTrips++;
    return this.roundTrip(random.oneIn(4));
  }

  private judgeNotAccepted(after: number): Finding | undefined {
    const { head, llhttp, stage, tally } = this;
    llhttp.begin("request", false);
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
    return finding(`laxer than llhttp: ${difference}`, `${head.method} ${head.target}`);
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

  private difference(head: RequestHead, bytes: Buffer, start: number, after: number): string {
    const { llhttp } = this;
    const { method } = head;
    llhttp.begin("request", false);
    const unlike = framingDifference(llhttp, bytes, start, after, framingOf(head));
    if (unlike !== "") return unlike;
    if (llhttp.method !== method) return "llhttp sees another method";
    if (!isSameTarget(originTarget(llhttp.target, method), head.target)) return "llhttp sees another target";
    if (llhttp.major !== 1 || llhttp.minor !== head.minor) return "llhttp sees another version";
    if (llhttp.keepAlive !== head.keepAlive)
      return `llhttp ${llhttp.keepAlive ? "keeps" : "closes"} the connection`;
    return fieldDifference(llhttp, head.fields, head.contentLength);
  }

  /** A part of the input is either not enough, or gives the verdict of the whole. */
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

  private roundTrip(trusted: boolean): Finding | undefined {
    const { head, subject } = this;
    const text = subject.requestText(head, trusted);
    // An HTTP/1.0 client's Expect means nothing, whatever it says; in the HTTP/1.1 that is sent it would.
    if (head.minor === 0 && /^expect:/im.test(text)) return undefined;
    const strict = readStrictly(text, "request");
    if (typeof strict === "string") return finding(`what is sent ${strict}`, text);
    const [method, target] = strict.start;
    if (method !== head.method || target !== head.target)
      return finding("sent with another start line", text);
    if (valuesOf(strict.fields, "host").join("|") !== head.host)
      return finding("sent with another Host", text);
    const upgrade = upgradeOf(head);
    const fault = emissionFault(
      this.came,
      strict.fields,
      {
        chunked: head.chunked,
        contentLength: head.contentLength,
        connection: upgrade === "" ? "" : "Upgrade",
        upgrade,
      },
      "",
    );
    if (fault !== "") return finding(`sent with ${fault}`, text);
    // httpoxy, CVE-2016-5385: a CGI program behind the server would find it as HTTP_PROXY.
    if (valuesOf(strict.fields, "proxy").length > 0) return finding("sent with Proxy", text);
    return this.readAgain(text, trusted);
  }

  private readAgain(text: string, trusted: boolean): Finding | undefined {
    const { again, head, subject } = this;
    // RFC 9112 3.2 wants an empty Host where the target has no authority; we take it from nobody ourselves.
    const taken = head.host === "" ? text.replaceAll("Host: \r\n", "Host: a\r\n") : text;
    const emitted = Buffer.from(taken, "latin1");
    if (again.parse(emitted, 0, emitted.length) !== emitted.length) {
      return finding(`what is sent is refused: ${again.refusal?.code ?? "incomplete"}`, text);
    }
    const isSame =
      again.method === head.method &&
      again.target === head.target &&
      (again.host === head.host || head.host === "") &&
      again.contentLength === head.contentLength &&
      again.chunked === head.chunked &&
      again.upgrade === head.upgrade &&
      (again.expectContinue === head.expectContinue || head.minor === 0) &&
      again.minor === 1 &&
      again.keepAlive;
    if (!isSame) return finding("what is sent means something else", text);
    if (trusted) return undefined;
    // RFC 9110 7.6.2: every hop takes one off.
    if (head.maxForwards > 0)
      return again.maxForwards === head.maxForwards - 1
        ? undefined
        : finding("Max-Forwards not counted down", text);
    const twice = subject.requestText(again, trusted);
    if (unsigned(twice) === unsigned(taken)) return undefined;
    return finding("sent again it is something else", `${text}${twice}`);
  }
}

function framingOf(head: RequestHead): Framing {
  const { chunked, contentLength } = head;
  const bodyKind = chunked ? BodyKind.CHUNKED : contentLength > 0 ? BodyKind.LENGTH : BodyKind.NONE;
  return { bodyKind, contentLength };
}

/** The same but for the method, which says nothing about the rest. */
function isSameMeaning(a: RequestHead, b: RequestHead): boolean {
  return (
    a.target === b.target &&
    a.host === b.host &&
    a.minor === b.minor &&
    a.contentLength === b.contentLength &&
    a.chunked === b.chunked &&
    a.keepAlive === b.keepAlive
  );
}

/** The same answer, whose offsets stand `shift` bytes apart. */
function isSameVerdict(
  a: RequestHead,
  aAfter: number,
  b: RequestHead,
  bAfter: number,
  shift: number,
): boolean {
  if (aAfter <= 0) return aAfter === bAfter && a.refusal === b.refusal;
  return (
    aAfter === bAfter + shift &&
    a.method === b.method &&
    a.target === b.target &&
    a.host === b.host &&
    a.minor === b.minor &&
    a.contentLength === b.contentLength &&
    a.chunked === b.chunked &&
    a.keepAlive === b.keepAlive &&
    a.upgrade === b.upgrade &&
    a.expectContinue === b.expectContinue &&
    a.hasTeTrailers === b.hasTeTrailers &&
    a.hasVia === b.hasVia &&
    a.maxForwards === b.maxForwards &&
    sameFields(a.fields, b.fields, shift)
  );
}

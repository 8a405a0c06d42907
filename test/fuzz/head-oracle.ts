import type { RequestHead } from "../../src/http1/request-head.ts";
import type { ResponseHead } from "../../src/http1/response-head.ts";
import type { Explanation } from "./explained.ts";
import { finding, type Finding } from "./finding.ts";
import { pairsOf } from "./framing-probe.ts";
import { Llhttp } from "./llhttp.ts";
import type { Random } from "./random.ts";
import { sameFields, Stage } from "./stage.ts";
import type { Subject } from "./subject.ts";
import { count, type Tally } from "./tally.ts";

type Head = RequestHead | ResponseHead;

/** Judges what becomes of one head: what is alike for requests and responses. */
export abstract class HeadOracle<H extends Head> {
  protected readonly subject: Subject;
  protected readonly tally: Tally;
  protected readonly llhttp: Llhttp = new Llhttp();
  protected readonly head: H;
  /** The fields of the head as llhttp saw them. */
  protected came: readonly string[] = [];
  private readonly other: H;
  private readonly explanations: readonly Explanation[];
  private readonly stage = new Stage();

  constructor(subject: Subject, tally: Tally, newHead: () => H, explanations: readonly Explanation[]) {
    this.subject = subject;
    this.tally = tally;
    this.explanations = explanations;
    this.head = newHead();
    this.other = newHead();
  }

  /** Makes llhttp ready for a head of this kind. */
  protected abstract begin(): void;
  /** How llhttp sees a head at bytes[start,after) otherwise than `head`; "" when it does not. */
  protected abstract difference(head: H, bytes: Buffer, start: number, after: number): string;
  /** Do both mean the same, but for what an explanation takes out? */
  protected abstract isSameMeaning(a: H, b: H): boolean;
  /** Is all that was read, but for the fields, the same, with offsets `shift` bytes apart? */
  protected abstract isSameStart(a: H, b: H, shift: number): boolean;
  protected abstract describe(head: H): string;
  /** Writes the accepted head anew and reads it again. */
  protected abstract roundTrip(random: Random): Finding | undefined;

  judge(input: Buffer, length: number, random: Random): Finding | undefined {
    const { head, other, stage } = this;
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
    if (!this.isSameVerdict(after, otherAfter)) {
      return finding("bytes outside the input change the verdict", `${after} ${otherAfter}`);
    }
    const split = this.judgeSplits(after, random);
    if (split !== undefined) return split;
    return after <= 0 ? undefined : this.roundTrip(random);
  }

  private judgeNotAccepted(after: number): Finding | undefined {
    const { head, llhttp, stage, tally } = this;
    this.begin();
    llhttp.feed(stage.given, stage.start, stage.end);
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
    const difference = this.difference(head, stage.given, stage.start, after);
    this.came = this.llhttp.fields;
    if (difference === "") {
      tally.bothAccept++;
      return undefined;
    }
    const explanations = this.explanationsOf(stage.given.latin1Slice(stage.start, after));
    for (const name of explanations) count(tally.explained, name);
    if (explanations.length > 0) {
      this.came = pairsOf(head.fields);
      return undefined;
    }
    return finding(`laxer than llhttp: ${difference}`, this.describe(head));
  }

  /** The explanations that, one after another, make llhttp agree; none if they do not. */
  private explanationsOf(text: string): readonly string[] {
    const { head, other } = this;
    const used: string[] = [];
    let repaired = text;
    for (const { name, repair } of this.explanations) {
      const before = repaired;
      repaired = repair(before);
      if (repaired === before) continue;
      used.push(name);
      const bytes = Buffer.from(repaired, "latin1");
      // From a copy: llhttp shall see what the parser may have written over.
      if (other.parse(Buffer.from(bytes), 0, bytes.length) !== bytes.length) continue;
      if (!this.isSameMeaning(other, head)) continue;
      if (this.difference(other, bytes, 0, bytes.length) === "") return used;
    }
    return [];
  }

  /** A part of the input is either not enough, or gives the verdict of the whole. */
  private judgeSplits(after: number, random: Random): Finding | undefined {
    const { other, stage } = this;
    const { length } = stage;
    if (length === 0) return undefined;
    const everywhere = random.oneIn(128);
    stage.renewSecond();
    for (let at = everywhere ? 0 : random.below(length); at < length; at++) {
      const part = other.parse(stage.second, 0, at);
      this.tally.splits++;
      if (part !== 0 && !this.isSameVerdict(after, part)) {
        return finding("a split changes the verdict", `at ${at}: ${part}`);
      }
      if (!everywhere) break;
    }
    return undefined;
  }

  /** Did `head` and `other`, which stands `stage.start` bytes before it, get the same answer? */
  private isSameVerdict(after: number, otherAfter: number): boolean {
    const { head, other } = this;
    const shift = this.stage.start;
    if (after <= 0) return after === otherAfter && head.refusal === other.refusal;
    return (
      after === otherAfter + shift &&
      head.minor === other.minor &&
      head.contentLength === other.contentLength &&
      head.chunked === other.chunked &&
      head.keepAlive === other.keepAlive &&
      head.upgrade === other.upgrade &&
      this.isSameStart(head, other, shift) &&
      sameFields(head.fields, other.fields, shift)
    );
  }
}

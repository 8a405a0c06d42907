import { BodyKind, type ResponseHead } from "../../src/http1/response-head.ts";
import { emissionFault } from "./emission-rules.ts";
import { EXPLAINED_RESPONSE_HEADS } from "./explained.ts";
import { finding, type Finding } from "./finding.ts";
import { fieldDifference, framingDifference } from "./framing-probe.ts";
import { HeadOracle } from "./head-oracle.ts";
import type { Random } from "./random.ts";
import { readStrictly } from "./strict-message.ts";
import { TIGHT, unsigned, upgradeOf, WIDE, type Subject } from "./subject.ts";
import type { Tally } from "./tally.ts";

/** Judges what becomes of one response head. */
export class ResponseOracle extends HeadOracle<ResponseHead> {
  private readonly again: ResponseHead;
  private requestMethod = "GET";

  constructor(subject: Subject, tally: Tally) {
    super(subject, tally, () => subject.responseHead(TIGHT), EXPLAINED_RESPONSE_HEADS);
    this.again = subject.responseHead(WIDE);
  }

  override judge(input: Buffer, length: number, random: Random): Finding | undefined {
    this.requestMethod = random.oneIn(6) ? "HEAD" : "GET";
    return super.judge(input, length, random);
  }

  protected override begin(): void {
    this.llhttp.begin("response", this.requestMethod === "HEAD");
  }

  protected override describe(head: ResponseHead): string {
    return `${head.status} to ${this.requestMethod}`;
  }

  protected override isSameMeaning(a: ResponseHead, b: ResponseHead): boolean {
    // All 1xx are alike here.
    return (
      (a.status === b.status || (a.status < 200 && b.status < 200)) &&
      a.minor === b.minor &&
      a.contentLength === b.contentLength &&
      a.chunked === b.chunked &&
      a.keepAlive === b.keepAlive
    );
  }

  protected override isSameStart(a: ResponseHead, b: ResponseHead, shift: number): boolean {
    return (
      a.status === b.status &&
      a.reasonStart === b.reasonStart + shift &&
      a.reasonEnd === b.reasonEnd + shift &&
      a.hasDate === b.hasDate
    );
  }

  protected override difference(head: ResponseHead, bytes: Buffer, start: number, after: number): string {
    const { llhttp, requestMethod } = this;
    this.begin();
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

  protected override roundTrip(random: Random): Finding | undefined {
    const { head, tally } = this;
    if (head.status === 101 && upgradeOf(head) === "") return undefined;
    tally.roundTrips++;
    return head.status < 200 ? this.interimRoundTrip() : this.finalRoundTrip(random);
  }

  private finalRoundTrip(random: Random): Finding | undefined {
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

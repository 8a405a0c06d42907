import { BodyKind } from "../../src/http1/body-kind.ts";
import type { RequestHead } from "../../src/http1/request-head.ts";
import { emissionFault } from "./emission-rules.ts";
import { EXPLAINED_HEADS } from "./explained.ts";
import { finding, type Finding } from "./finding.ts";
import { fieldDifference, framingDifference, type Framing } from "./framing-probe.ts";
import { HeadOracle } from "./head-oracle.ts";
import type { Random } from "./random.ts";
import { readStrictly, valuesOf } from "./strict-message.ts";
import { TIGHT, unsigned, upgradeOf, WIDE, type Subject } from "./subject.ts";
import type { Tally } from "./tally.ts";
import { isSameTarget, originTarget } from "./target-oracle.ts";

/** Judges what becomes of one request head. */
export class RequestOracle extends HeadOracle<RequestHead> {
  private readonly again: RequestHead;

  constructor(subject: Subject, tally: Tally) {
    super(subject, tally, () => subject.requestHead(TIGHT), EXPLAINED_HEADS);
    this.again = subject.requestHead(WIDE);
  }

  protected override begin(): void {
    this.llhttp.begin("request", false);
  }

  protected override describe(head: RequestHead): string {
    return `${head.method} ${head.target}`;
  }

  /** The same but for the method, which says nothing about the rest. */
  protected override isSameMeaning(a: RequestHead, b: RequestHead): boolean {
    return (
      a.target === b.target &&
      a.host === b.host &&
      a.minor === b.minor &&
      a.contentLength === b.contentLength &&
      a.chunked === b.chunked &&
      a.keepAlive === b.keepAlive
    );
  }

  protected override isSameStart(a: RequestHead, b: RequestHead): boolean {
    return (
      a.method === b.method &&
      a.target === b.target &&
      a.host === b.host &&
      a.expectContinue === b.expectContinue &&
      a.hasTeTrailers === b.hasTeTrailers &&
      a.hasVia === b.hasVia &&
      a.maxForwards === b.maxForwards
    );
  }

  protected override difference(head: RequestHead, bytes: Buffer, start: number, after: number): string {
    const { llhttp } = this;
    const { method } = head;
    this.begin();
    const unlike = framingDifference(llhttp, bytes, start, after, framingOf(head));
    if (unlike !== "") return unlike;
    if (llhttp.method !== method) return "llhttp sees another method";
    if (!isSameTarget(originTarget(llhttp.target, method), head.target)) return "llhttp sees another target";
    if (llhttp.major !== 1 || llhttp.minor !== head.minor) return "llhttp sees another version";
    if (llhttp.keepAlive !== head.keepAlive)
      return `llhttp ${llhttp.keepAlive ? "keeps" : "closes"} the connection`;
    return fieldDifference(llhttp, head.fields, head.contentLength);
  }

  protected override roundTrip(random: Random): Finding | undefined {
    const { head, subject, tally } = this;
    tally.roundTrips++;
    const trusted = random.oneIn(4);
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

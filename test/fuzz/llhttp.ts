/** The part of Node's binding that is used here. There is no public door to llhttp, hence `process.binding`. */
interface Parser {
  initialize(type: number, resource: object, maxHeaderSize: number, leniency: number): void;
  execute(bytes: Buffer): number | LlhttpError;
  [callback: number]: (...values: never[]) => unknown;
}

interface ParserClass {
  new (): Parser;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kOnMessageBegin: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

interface LlhttpError extends Error {
  readonly code: string;
}

interface Binding {
  readonly HTTPParser: ParserClass;
  readonly allMethods: readonly string[];
}

function binding(): Binding {
  const warned = process.noDeprecation;
  process.noDeprecation = true;
  const found = (process as unknown as { binding(name: string): unknown }).binding("http_parser");
  if (warned === undefined) delete process.noDeprecation;
  else process.noDeprecation = warned;
  return found as Binding;
}

const { HTTPParser, allMethods } = binding();

export const LLHTTP_METHODS: ReadonlySet<string> = new Set(allMethods);
/** Strict in every respect: no leniency flag is set. */
const STRICT = 0;
const MAX_HEADER_SIZE = 1 << 20;
const NO_RESOURCE = {};

/** llhttp as the second opinion: one message at a time, fed in pieces. */
export class Llhttp {
  /** Messages whose head began, heads and messages that were read to their end. */
  begun = 0;
  heads = 0;
  messages = 0;
  /** Why llhttp refused; "" while it has not. */
  error = "";
  major = 0;
  minor = 0;
  method = "";
  target = "";
  status = 0;
  reason = "";
  upgrade = false;
  keepAlive = false;
  /** Name, value, name, value of the head, as latin1 text. */
  fields: string[] = [];
  /** The same of the trailer section. */
  trailers: string[] = [];
  bodyLength = 0;
  readonly body: Buffer = Buffer.alloc(8192);

  private skipBody = false;
  private readonly parser: Parser = new HTTPParser();

  constructor() {
    const { parser } = this;
    parser[HTTPParser.kOnMessageBegin] = () => {
      this.begun++;
    };
    // The binding hands fields over in portions: of 32, and what is left with the end of the head or message.
    parser[HTTPParser.kOnHeaders] = (fields: string[], target: string) => {
      if (this.heads > 0) this.trailers.push(...fields);
      else {
        this.fields.push(...fields);
        this.target += target;
      }
    };
    parser[HTTPParser.kOnHeadersComplete] = (
      major: number,
      minor: number,
      fields: string[] | undefined,
      method: number,
      target: string | undefined,
      status: number,
      reason: string,
      upgrade: boolean,
      keepAlive: boolean,
    ) => this.onHead(major, minor, fields, method, target, status, reason, upgrade, keepAlive);
    parser[HTTPParser.kOnBody] = (data: Buffer) => {
      if (this.bodyLength + data.length <= this.body.length) this.body.set(data, this.bodyLength);
      this.bodyLength += data.length;
    };
    parser[HTTPParser.kOnMessageComplete] = () => {
      this.messages++;
    };
  }

  /** Starts anew. `skipBody`: the response answers a HEAD request. */
  begin(kind: "request" | "response", skipBody: boolean): void {
    this.begun = 0;
    this.heads = 0;
    this.messages = 0;
    this.error = "";
    this.target = "";
    this.fields = [];
    this.trailers = [];
    this.bodyLength = 0;
    this.skipBody = skipBody;
    const type = kind === "request" ? HTTPParser.REQUEST : HTTPParser.RESPONSE;
    this.parser.initialize(type, NO_RESOURCE, MAX_HEADER_SIZE, STRICT);
  }

  /** Answers `error`. */
  feed(bytes: Buffer, start: number, end: number): string {
    if (this.error !== "" || end <= start) return this.error;
    const answer = this.parser.execute(bytes.subarray(start, end));
    if (typeof answer !== "number") this.error = answer.code;
    return this.error;
  }

  private onHead(
    major: number,
    minor: number,
    fields: string[] | undefined,
    method: number,
    target: string | undefined,
    status: number,
    reason: string,
    upgrade: boolean,
    keepAlive: boolean,
  ): number {
    this.heads++;
    this.major = major;
    this.minor = minor;
    if (fields !== undefined) {
      if (this.fields.length === 0) this.fields = fields;
      else this.fields.push(...fields);
    }
    this.method = allMethods[method] ?? "";
    if (target !== undefined) this.target += target;
    this.status = status;
    this.reason = reason;
    this.upgrade = upgrade;
    this.keepAlive = keepAlive;
    return this.skipBody ? 1 : 0;
  }
}

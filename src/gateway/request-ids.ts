import { randomBytes } from "node:crypto";

/** Request ids: unique across gateways and restarts by a random part, and cheap: the rest is a counter. */
export class RequestIds {
  private readonly prefix: string = randomBytes(9).toString("base64url");
  private count = 0;

  next(): string {
    return `${this.prefix}-${(this.count++).toString(36)}`;
  }
}

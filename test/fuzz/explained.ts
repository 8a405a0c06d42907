import { LLHTTP_METHODS } from "./llhttp.ts";

/**
 * A difference in which llhttp refuses what we accept, or reads it otherwise, and why that is right. It counts as
 * explained only if, with that one thing taken out of the input by `repair`, llhttp agrees in every respect and we read
 * it as before; so an explanation cannot hide another difference in the same input.
 */
export interface Explanation {
  readonly name: string;
  readonly reason: string;
  /** Works on latin1 text; gives the text back as it is where the explanation does not apply. */
  readonly repair: (text: string) => string;
}

const METHOD = /^((?:\r\n)*)([A-Z-]+)(?= )/;
const CLOSE = /^connection:(?:[^\r]*[\s,])?close[ \t]*[,\r]/im;

export const EXPLAINED_HEADS: readonly Explanation[] = [
  {
    name: "method",
    reason:
      "Registered methods that llhttp has not heard of (RFC 9110 16.1.1). A method says nothing about framing.",
    repair: (text) =>
      text.replace(METHOD, (found, before: string, method: string) =>
        LLHTTP_METHODS.has(method) ? found : `${before}POST`,
      ),
  },
  {
    name: "minor-version",
    reason: "HTTP/1.2 to 1.9 are read as 1.1, as RFC 9110 2.5 wants. llhttp takes 1.0 and 1.1 only.",
    repair: (text) => text.replace(/^((?:\r\n)*(?:[^\r\n]* )?HTTP\/1\.)[2-9](?=[ \r])/, "$11"),
  },
  {
    name: "tab",
    reason:
      "A tab around values of Content-Length, Transfer-Encoding and Connection is white space (RFC 9110 5.6.3). llhttp " +
      "takes spaces only. It is not passed on: these fields are written anew.",
    repair: (text) =>
      text.replaceAll(/^(?:content-length|transfer-encoding|connection):[^\r]*/gim, (field) =>
        field.replaceAll("\t", " "),
      ),
  },
  {
    name: "close-wins",
    reason:
      "In HTTP/1.0, close beside keep-alive: we close, as RFC 9112 9.3 wants. llhttp keeps the connection.",
    repair: (text) =>
      CLOSE.test(text)
        ? text.replaceAll(/^connection:[^\r]*/gim, (field) => field.replaceAll(/keep-alive/gi, "x-kept-out"))
        : text,
  },
  {
    name: "proxy-connection",
    reason:
      "Proxy-Connection is in no standard, and a wish to somebody else (RFC 9112 C.2.2). llhttp obeys it.",
    repair: (text) => text.replaceAll(/^proxy-connection:/gim, "X-Connection:"),
  },
  {
    name: "interim-without-body",
    reason:
      "No 1xx has a body, whatever its fields say (RFC 9112 6.3). llhttp knows that of 100 to 103 only.",
    repair: (text) => text.replace(/^(HTTP\/1\.\d )1\d\d/, "$1103"),
  },
];

const SPACE_BEFORE_COLON: Explanation = {
  name: "space-before-colon",
  reason:
    "In a response, white space between a name and its colon is removed, as RFC 9112 5.1 demands of a proxy. llhttp " +
    "refuses it. It is not passed on: the colon is moved to where the name ends.",
  repair: (text) => text.replaceAll(/^([\w!#$%&'*+.^`|~-]+)([ \t]+):/gm, "$1:$2"),
};

export const EXPLAINED_RESPONSE_HEADS: readonly Explanation[] = [SPACE_BEFORE_COLON, ...EXPLAINED_HEADS];

export const EXPLAINED_TRAILERS: readonly Explanation[] = [
  {
    name: "framing-trailer",
    reason:
      "llhttp judges Content-Length and Transfer-Encoding in trailers as if they were in the head. RFC 9110 6.5.1 " +
      "forbids to merge them: they mean nothing there, and are dropped.",
    repair: (text) => text.replaceAll(/^(?:content-length|transfer-encoding):/gim, "TE:"),
  },
];

export const EXPLAINED_RESPONSE_TRAILERS: readonly Explanation[] = [
  SPACE_BEFORE_COLON,
  ...EXPLAINED_TRAILERS,
];

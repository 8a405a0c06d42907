/**
 * Why a message was refused. One frozen constant for each reason, so that a refusal costs no allocation
 * and can be compared by identity. A response refused for the same reason is always a 502 to the client.
 */
export interface Refusal {
  /** Status of the answer when a client sent it. */
  readonly status: number;
  /** Stable name for logs, counters and `X-Halftone-Error`. */
  readonly code: string;
  /** One sentence for people: what was found and what is expected. */
  readonly detail: string;
}

const catalogue: Refusal[] = [];

function refusal(status: number, code: string, detail: string): Refusal {
  const made = Object.freeze({ status, code, detail });
  catalogue.push(made);
  return made;
}

/** Every refusal there is; the documentation's list of codes is checked against it. */
export const REFUSALS: readonly Refusal[] = catalogue;

// Start lines (RFC 9112 sections 2.2, 3 and 4).
export const BAD_REQUEST_LINE: Refusal = refusal(
  400,
  "bad_request_line",
  "The request line must be a method, one space, a target, one space and HTTP/1.x, ended by CRLF.",
);
export const TOO_MANY_EMPTY_LINES: Refusal = refusal(
  400,
  "too_many_empty_lines",
  "At most 4 empty lines may stand before a request line.",
);
export const BAD_VERSION: Refusal = refusal(
  400,
  "bad_version",
  "The version must be written HTTP/1.x with one digit for x, in capitals.",
);
export const VERSION_NOT_SUPPORTED: Refusal = refusal(
  505,
  "version_not_supported",
  "Only major version 1 of HTTP is spoken here.",
);
export const UNKNOWN_METHOD: Refusal = refusal(
  501,
  "unknown_method",
  "The method is not among the registered ones; methods are written in capitals.",
);
export const METHOD_NOT_ALLOWED: Refusal = refusal(
  405,
  "method_not_allowed",
  "CONNECT and TRACE are not served by this gateway.",
);
export const BAD_TARGET: Refusal = refusal(
  400,
  "bad_target",
  "The target must start with / or http(s)://host and hold visible ASCII only, without #; * belongs to OPTIONS.",
);
export const BAD_PATH: Refusal = refusal(
  400,
  "bad_path",
  "The path holds a backslash, %00, a % without two hexadecimal digits, or dot segments that climb above the root or hide beside a parameter or an encoded slash.",
);
export const TARGET_TOO_LONG: Refusal = refusal(
  414,
  "target_too_long",
  "The request line is longer than the limit for a whole head.",
);
export const BAD_STATUS_LINE: Refusal = refusal(
  400,
  "bad_status_line",
  "The status line must be HTTP/1.x, a space, three digits from 100 to 599 and an optional reason, ended by CRLF.",
);

// Field lines (RFC 9112 section 5).
export const BAD_LINE_END: Refusal = refusal(
  400,
  "bad_line_end",
  "Lines end with CRLF; a CR or LF alone is refused.",
);
export const FOLDED_LINE: Refusal = refusal(
  400,
  "folded_line",
  "A field line must not start with a space or tab: folded lines are refused.",
);
export const BAD_FIELD_NAME: Refusal = refusal(
  400,
  "bad_field_name",
  "A field name must be a non-empty token directly followed by a colon.",
);
export const SHADOW_FIELD_NAME: Refusal = refusal(
  400,
  "shadow_field_name",
  "A field name with _ must not resemble a framing or forwarding field, as many servers read _ as -.",
);
export const BAD_FIELD_VALUE: Refusal = refusal(
  400,
  "bad_field_value",
  "A field value must not hold control characters other than tab.",
);
export const TOO_MANY_FIELDS: Refusal = refusal(
  431,
  "too_many_fields",
  "The head holds more field lines than the limit.",
);
export const HEAD_TOO_LARGE: Refusal = refusal(
  431,
  "head_too_large",
  "The head is larger than the limit in bytes.",
);

// What the fields mean together (RFC 9110 section 7, RFC 9112 sections 3.2 and 6).
export const MISSING_HOST: Refusal = refusal(
  400,
  "missing_host",
  "An HTTP/1.1 request must have a Host field.",
);
export const TWO_HOSTS: Refusal = refusal(400, "two_hosts", "A request must have exactly one Host field.");
export const BAD_HOST: Refusal = refusal(
  400,
  "bad_host",
  "The host must be a name, an IPv4 address or an IPv6 address in brackets, with an optional port up to 65535.",
);
export const BAD_CONTENT_LENGTH: Refusal = refusal(
  400,
  "bad_content_length",
  "Content-Length must be one number in decimal digits.",
);
export const CONTENT_LENGTH_TOO_LARGE: Refusal = refusal(
  413,
  "content_length_too_large",
  "Content-Length is beyond 2^53 - 1.",
);
export const TWO_LENGTHS: Refusal = refusal(
  400,
  "two_lengths",
  "A message must have at most one Content-Length field.",
);
export const LENGTH_AND_CODING: Refusal = refusal(
  400,
  "length_and_coding",
  "A message must not have both Content-Length and Transfer-Encoding.",
);
export const BAD_TRANSFER_ENCODING: Refusal = refusal(
  400,
  "bad_transfer_encoding",
  "Transfer-Encoding must be exactly: chunked, once.",
);
export const UNKNOWN_TRANSFER_CODING: Refusal = refusal(
  501,
  "unknown_transfer_coding",
  "No transfer coding but chunked is implemented.",
);
export const CODING_IN_HTTP_1_0: Refusal = refusal(
  400,
  "coding_in_http_1_0",
  "An HTTP/1.0 message must not have Transfer-Encoding.",
);
export const BAD_CONNECTION: Refusal = refusal(
  400,
  "bad_connection",
  "Connection must be a list of at most 64 tokens.",
);
export const BAD_MAX_FORWARDS: Refusal = refusal(
  400,
  "bad_max_forwards",
  "Max-Forwards of OPTIONS must be one number in decimal digits.",
);
export const EXPECTATION_FAILED: Refusal = refusal(
  417,
  "expectation_failed",
  "The only expectation that is met is 100-continue.",
);

// Chunked bodies (RFC 9112 section 7.1).
export const BAD_CHUNK_SIZE: Refusal = refusal(
  400,
  "bad_chunk_size",
  "A chunk size must be 1 to 16 hexadecimal digits, at most 2^53 - 1, directly followed by ; or CRLF.",
);
export const BAD_CHUNK_EXTENSION: Refusal = refusal(
  400,
  "bad_chunk_extension",
  "A chunk extension must be ;name, ;name=token or ;name=quoted-string, without white space.",
);
export const CHUNK_EXTENSIONS_TOO_LARGE: Refusal = refusal(
  400,
  "chunk_extensions_too_large",
  "The chunk extensions of one body are larger than 4 KiB together.",
);
export const BAD_CHUNK_END: Refusal = refusal(400, "bad_chunk_end", "Chunk data must be followed by CRLF.");
export const TRAILERS_TOO_LARGE: Refusal = refusal(
  431,
  "trailers_too_large",
  "The trailer section is larger than the limit for a head.",
);

import { LOWER } from "./byte-class.ts";

/** What a field line is to a gateway; everything else is OTHER and copied as it stands. */
export const Field = {
  OTHER: 0,
  HOST: 1,
  CONTENT_LENGTH: 2,
  TRANSFER_ENCODING: 3,
  CONNECTION: 4,
  KEEP_ALIVE: 5,
  PROXY_CONNECTION: 6,
  TE: 7,
  UPGRADE: 8,
  EXPECT: 9,
  TRAILER: 10,
  X_FORWARDED_FOR: 11,
  X_FORWARDED_PROTO: 12,
  X_FORWARDED_HOST: 13,
  X_REQUEST_ID: 14,
  VIA: 15,
  COOKIE: 16,
  DATE: 17,
  PROXY: 18,
  /** Not passed on: named by Connection (RFC 9110 7.6.1), or without meaning in what is sent on. */
  NOMINATED: 19,
  AUTHORIZATION: 20,
  FORWARDED: 21,
  X_HALFTONE_GROUP: 22,
  X_HALFTONE_ERROR: 23,
  SET_COOKIE: 24,
  MAX_FORWARDS: 25,
  X_REAL_IP: 26,
  X_FORWARDED_PORT: 27,
  X_FORWARDED_PREFIX: 28,
  X_FORWARDED_SERVER: 29,
  X_FORWARDED_SSL: 30,
  X_FORWARDED_SCHEME: 31,
  TRACEPARENT: 32,
  TRACESTATE: 33,
} as const;

const KNOWN: readonly (readonly [kind: number, name: string])[] = [
  [Field.HOST, "host"],
  [Field.CONTENT_LENGTH, "content-length"],
  [Field.TRANSFER_ENCODING, "transfer-encoding"],
  [Field.CONNECTION, "connection"],
  [Field.KEEP_ALIVE, "keep-alive"],
  [Field.PROXY_CONNECTION, "proxy-connection"],
  [Field.TE, "te"],
  [Field.UPGRADE, "upgrade"],
  [Field.EXPECT, "expect"],
  [Field.TRAILER, "trailer"],
  [Field.X_FORWARDED_FOR, "x-forwarded-for"],
  [Field.X_FORWARDED_PROTO, "x-forwarded-proto"],
  [Field.X_FORWARDED_HOST, "x-forwarded-host"],
  [Field.X_REQUEST_ID, "x-request-id"],
  [Field.VIA, "via"],
  [Field.COOKIE, "cookie"],
  [Field.DATE, "date"],
  [Field.PROXY, "proxy"],
  [Field.AUTHORIZATION, "authorization"],
  [Field.FORWARDED, "forwarded"],
  [Field.X_HALFTONE_GROUP, "x-halftone-group"],
  [Field.X_HALFTONE_ERROR, "x-halftone-error"],
  [Field.SET_COOKIE, "set-cookie"],
  [Field.MAX_FORWARDS, "max-forwards"],
  [Field.X_REAL_IP, "x-real-ip"],
  [Field.X_FORWARDED_PORT, "x-forwarded-port"],
  [Field.X_FORWARDED_PREFIX, "x-forwarded-prefix"],
  [Field.X_FORWARDED_SERVER, "x-forwarded-server"],
  [Field.X_FORWARDED_SSL, "x-forwarded-ssl"],
  [Field.X_FORWARDED_SCHEME, "x-forwarded-scheme"],
  [Field.TRACEPARENT, "traceparent"],
  [Field.TRACESTATE, "tracestate"],
];

// A perfect hash over length and the last two letters finds the one candidate; its bytes are then compared.
// The factors in `slotOf` were searched for; should a new name collide, search again.
const SHORTEST = 2;
const LONGEST = 31;
const SLOTS = 64;
const KINDS = 64;
const kindAtSlot = new Uint8Array(SLOTS);
const nameOfKind = new Uint8Array(KINDS * 32);

function slotOf(length: number, lastButOne: number, last: number): number {
  return (length * 2 + (lastButOne & 31) + (last & 31) * 24) & (SLOTS - 1);
}

for (const [kind, name] of KNOWN) {
  const slot = slotOf(name.length, name.charCodeAt(name.length - 2), name.charCodeAt(name.length - 1));
  if (kindAtSlot[slot] !== 0) throw new Error(`field names collide at slot ${slot}: ${name}`);
  kindAtSlot[slot] = kind;
  for (let i = 0; i < name.length; i++) nameOfKind[kind * 32 + i] = name.charCodeAt(i);
}

const lengthOfKind = new Uint8Array(KINDS);
for (const [kind, name] of KNOWN) lengthOfKind[kind] = name.length;

/** The kind of the field whose name is bytes[start,end), in any case. */
export function fieldKind(bytes: Buffer, start: number, end: number): number {
  const length = end - start;
  if (length > LONGEST || length < SHORTEST) return Field.OTHER;
  const kind = kindAtSlot[slotOf(length, bytes[end - 2]!, bytes[end - 1]!)]!;
  if (kind === 0 || lengthOfKind[kind] !== length) return Field.OTHER;
  const known = kind * 32;
  for (let i = 0; i < length; i++) {
    if (LOWER[bytes[start + i]!] !== nameOfKind[known + i]) return Field.OTHER;
  }
  return kind;
}

const PLAIN: ReadonlySet<string> = new Set(["cookie", "set-cookie", "date", "trailer", "expect", "upgrade"]);
const SHADOWED: ReadonlySet<string> = new Set(
  KNOWN.map(([, name]) => name).filter((name) => !PLAIN.has(name)),
);

/**
 * Would a server that reads `_` as `-` (CGI, WSGI and their heirs do) take this name for one that frames,
 * routes or vouches? `X_Forwarded_For` would slip past what the gateway does with X-Forwarded-For.
 */
export function isShadowName(name: string): boolean {
  return SHADOWED.has(name.toLowerCase().replaceAll("_", "-"));
}

import { equalsExactly } from "./byte-class.ts";

/** Longer methods are refused before their end is seen; the longest registered one has 17 letters. */
export const LONGEST_METHOD = 32;

/** The IANA method registry without PRI, and what caches and UPnP use; the usual ones first. */
const KNOWN = `GET POST HEAD PUT DELETE PATCH OPTIONS
  ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY LABEL LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL
  MKREDIRECTREF MKWORKSPACE MOVE ORDERPATCH PROPFIND PROPPATCH QUERY REBIND REPORT SEARCH TRACE UNBIND
  UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL
  M-SEARCH NOTIFY PURGE SOURCE SUBSCRIBE UNSUBSCRIBE`.split(/\s+/);

/** Methods that are served, as the field Allow lists them. */
export const ALLOWED_METHODS: string = KNOWN.filter(
  (method) => method !== "CONNECT" && method !== "TRACE",
).join(", ");

const BY_LENGTH: readonly (readonly string[])[] = Array.from({ length: LONGEST_METHOD + 1 }, (_, length) =>
  KNOWN.filter((method) => method.length === length),
);

/** The known method written at bytes[start,end), always the same string for it; undefined for any other. */
export function knownMethod(bytes: Buffer, start: number, end: number): string | undefined {
  for (const method of BY_LENGTH[end - start]!) {
    if (equalsExactly(bytes, start, end, method)) return method;
  }
  return undefined;
}

/** Which page a request came from, as the browser says; programs that are no browser say nothing. */
export type RequestOrigin =
  | { readonly kind: "own" }
  | { readonly kind: "untold" }
  | { readonly kind: "foreign"; readonly found: string };

/**
 * The attack is cross-site request forgery: a page elsewhere has the browser send a request that carries the session's
 * cookie. SameSite=Strict is not enough, as all ports of a host are one site. Page scripts can set neither field: Origin is
 * there with every unsafe method, Sec-Fetch-Site wherever the address counts as secure. No field may speak against it.
 */
export function originOf(fields: {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly secFetchSite: string | undefined;
}): RequestOrigin {
  const { host = "", origin, secFetchSite } = fields;
  if (secFetchSite !== undefined && secFetchSite !== "same-origin") {
    return { kind: "foreign", found: `Sec-Fetch-Site: ${secFetchSite}` };
  }
  if (origin !== undefined && !isOriginOf(origin, host))
    return { kind: "foreign", found: `Origin: ${origin}` };
  return { kind: origin === undefined && secFetchSite === undefined ? "untold" : "own" };
}

/** `Host` has no scheme: 443 may be left out in it where the page came by https, and 80 where it came by http. */
function isOriginOf(origin: string, host: string): boolean {
  const scheme = /^https?:\/\//.exec(origin)?.[0];
  if (scheme === undefined || !URL.canParse(origin) || !URL.canParse(scheme + host)) return false;
  return new URL(origin).host === new URL(scheme + host).host;
}

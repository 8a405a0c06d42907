/** The path and query that a target in origin-form or absolute-form asks for. */
export function originTarget(target: string, method: string): string {
  const absolute = /^https?:\/\/[^/?]*/i.exec(target);
  if (absolute === null) return target;
  const rest = target.slice(absolute[0].length);
  if (rest.startsWith("/")) return rest;
  // RFC 9112 3.2.4: OPTIONS of an authority alone asks about the server as a whole.
  return rest === "" && method === "OPTIONS" ? "*" : `/${rest}`;
}

/**
 * Is `ours` what `theirs` asks for? Either byte by byte, or after both were brought to one spelling; a policy may
 * choose another spelling of a path, never another path. Queries stay as they are.
 */
export function isSameTarget(theirs: string, ours: string): boolean {
  return theirs === ours || spelling(theirs) === spelling(ours);
}

function spelling(target: string): string {
  const end = target.indexOf("?");
  const path = end < 0 ? target : target.slice(0, end);
  const query = end < 0 ? "" : target.slice(end);
  const kept: string[] = [];
  const segments = path
    .replaceAll(/%[0-9a-f]{2}/gi, (code) => {
      const character = String.fromCharCode(Number.parseInt(code.slice(1), 16));
      return /[\w.~-]/.test(character) ? character : code.toUpperCase();
    })
    .replaceAll("\\", "/")
    .split("/");
  // RFC 3986 5.2.4; an empty segment is one like any other.
  for (const [index, segment] of segments.slice(1).entries()) {
    const isDots = segment === "." || segment === "..";
    if (segment === "..") kept.pop();
    if (!isDots) kept.push(segment);
    else if (index === segments.length - 2) kept.push("");
  }
  return `/${kept.join("/")}${query}`;
}

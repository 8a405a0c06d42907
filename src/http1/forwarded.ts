const TOKEN = "[\\w!#$%&'*+.^`|~-]+";
const PAIR = new RegExp(`[ \\t]*(${TOKEN})=(?:(${TOKEN})|"((?:[^"\\\\]|\\\\.)*)")[ \\t]*`, "y");

/**
 * The `for` of each element of a Forwarded value (RFC 7239 4), unquoted; "" where an element has none. Undefined when
 * the value is malformed: nothing can be told of it then.
 */
export function forwardedFor(value: string): string[] | undefined {
  const nodes: string[] = [];
  let node = "";
  let at = 0;
  for (;;) {
    PAIR.lastIndex = at;
    const pair = PAIR.exec(value);
    if (pair === null) return undefined;
    const [whole, name = "", token, quoted = ""] = pair;
    if (name.toLowerCase() === "for") node = token ?? quoted.replace(/\\(.)/g, "$1");
    at += whole.length;
    const next = value[at];
    if (next !== ";") {
      nodes.push(node);
      node = "";
    }
    if (next === undefined) return nodes;
    if (next !== ";" && next !== ",") return undefined;
    at++;
  }
}

/** `for=…`, quoted where the address is no token (RFC 7239 6). */
export function forwardedNode(address: string): string {
  return address.includes(":") ? `for="[${address}]"` : `for=${address}`;
}

/** One element. `host`: a checked authority, which holds neither quotes nor backslashes. */
export function forwardedElement(address: string, host: string, proto: string): string {
  const named = host === "" ? "" : `;host="${host}"`;
  return `${forwardedNode(address)}${named};proto=${proto}`;
}

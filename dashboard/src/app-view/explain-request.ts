/** Lines "name: value" and cookies "name=value", by line or semicolon, as the header fields of a request. */
export function headersOf(headers: string, cookies: string): Readonly<Record<string, string>> {
  const fields: [string, string][] = headers.split("\n").flatMap((line): [string, string][] => {
    const colon = line.indexOf(":");
    return colon <= 0 ? [] : [[line.slice(0, colon).trim(), line.slice(colon + 1).trim()]];
  });
  const pairs = cookies
    .split(/[;\n]/)
    .map((pair) => pair.trim())
    .filter((pair) => pair.includes("="));
  if (pairs.length > 0) fields.push(["cookie", pairs.join("; ")]);
  return Object.fromEntries(fields);
}

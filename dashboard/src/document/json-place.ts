/** Part of a text: offsets of its first character and of the one after its last. */
export interface TextPart {
  readonly start: number;
  readonly end: number;
}

/**
 * Where in a JSON text the field of that path stands (`groups.group1.servers[2]`, as problems name it); of a field that is
 * not there, the nearest that holds it. Undefined: the text is no JSON.
 */
export function placeInJson(text: string, path: string): TextPart | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  let part = valueAt(text, skipSpace(text, 0));
  for (const key of keysOf(path)) {
    const inner = memberOf(text, part, key);
    if (inner === undefined) break;
    part = inner;
  }
  return part;
}

/** Number of the line, from 1, on which a character stands. */
export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

function keysOf(path: string): readonly (string | number)[] {
  return Array.from(
    path.matchAll(/\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g),
    ([, index, quoted, plain]) => (index === undefined ? (quoted ?? plain ?? "") : Number(index)),
  );
}

function memberOf(text: string, { start }: TextPart, key: string | number): TextPart | undefined {
  const opening = text[start];
  if (opening !== "{" && opening !== "[") return undefined;
  let at = skipSpace(text, start + 1);
  for (let index = 0; text[at] !== "}" && text[at] !== "]"; index += 1) {
    let found: string | number = index;
    const first = at;
    if (opening === "{") {
      const name = valueAt(text, at);
      found = JSON.parse(text.slice(name.start, name.end)) as string;
      at = skipSpace(text, skipSpace(text, name.end) + 1);
    }
    const value = valueAt(text, at);
    // Of an object the key is shown too, unless the way goes on inside.
    if (found === key)
      return opening === "{" && isPlain(text, value) ? { start: first, end: value.end } : value;
    at = skipSpace(text, value.end);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return undefined;
}

function isPlain(text: string, { start }: TextPart): boolean {
  return text[start] !== "{" && text[start] !== "[";
}

function valueAt(text: string, start: number): TextPart {
  const opening = text[start];
  if (opening === '"') return { start, end: endOfString(text, start) };
  if (opening !== "{" && opening !== "[") {
    let end = start;
    while (end < text.length && /[\w.+-]/.test(text[end]!)) end += 1;
    return { start, end };
  }
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const character = text[at]!;
    if (character === '"') {
      at = endOfString(text, at);
      continue;
    }
    if (character === "{" || character === "[") depth += 1;
    if (character === "}" || character === "]") depth -= 1;
    at += 1;
    if (depth === 0) break;
  }
  return { start, end: at };
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (/\s/.test(text[at] ?? "")) at += 1;
  return at;
}

/** What a PromQL query says in place of one side's servers or groups. */
const VARIABLE = /\$(servers|groups)\b/;
/** Strings and comments of PromQL: what stands in a comment is not asked, and a comment's quotes begin no string. */
const TEXT = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`|#[^\n]*/g;

/** Addresses of servers and names of groups that are compared together. */
export interface SideNames {
  readonly servers: readonly string[];
  readonly groups: readonly string[];
}

export const SIDE_QUERY_EXPECTED =
  'a PromQL query that counts one side, by {LABEL=~"$servers"} or {LABEL=~"$groups"} and in no other way';

/**
 * Whether the query can be asked of one side alone. After anything but `=~` the variables would mean something else: `=`
 * finds no server, `!~` finds those of the other side.
 */
export function isSideQuery(query: string): boolean {
  let asksOfSide = false;
  let outside = "";
  let end = 0;
  for (const { 0: text, index } of query.matchAll(TEXT)) {
    outside += query.slice(end, index);
    end = index + text.length;
    if (text.startsWith("#") || !VARIABLE.test(text)) continue;
    if (!/=~\s*$/.test(query.slice(0, index))) return false;
    asksOfSide = true;
  }
  outside += query.slice(end);
  return asksOfSide && !VARIABLE.test(outside);
}

/** The query for one side: each variable is replaced by a regular expression that matches its names and nothing else. */
export function sideQuery(query: string, side: SideNames): string {
  return query.replace(TEXT, (text) => {
    if (text.startsWith("#")) return text;
    return text.replace(new RegExp(VARIABLE, "g"), (_, which: keyof SideNames) => {
      const pattern = `(?:${side[which].map(literalPattern).join("|")})`;
      // In backquotes a backslash is one, in the other strings it takes two.
      return text.startsWith("`") ? pattern : pattern.replaceAll("\\", "\\\\");
    });
  });
}

/** For RE2. Quotes too: paths of unix sockets may hold any of them, and none may end the string. */
function literalPattern(text: string): string {
  return text
    .replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")
    .replace(/["'`]/g, (quote) => `\\x${quote.charCodeAt(0).toString(16)}`);
}

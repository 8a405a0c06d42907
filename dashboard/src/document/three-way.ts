type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** A value that may be missing. */
export type Side = { readonly value: Json } | undefined;

/** A field that both sides changed, and not in the same way. */
export interface Conflict {
  /** ["groups", "group1", "weight"]. */
  readonly path: readonly string[];
  readonly base: Side;
  readonly mine: Side;
  readonly theirs: Side;
}

export interface Merge {
  /** What both changed is as theirs here, until it is decided. */
  readonly merged: JsonObject;
  readonly conflicts: readonly Conflict[];
}

/**
 * Both changes of one document together: objects field by field, lists as a whole, as nobody can tell which of their entries
 * is which.
 */
export function mergeDocuments(base: JsonObject, mine: JsonObject, theirs: JsonObject): Merge {
  const conflicts: Conflict[] = [];
  const merged = mergeSides({ value: base }, { value: mine }, { value: theirs }, [], conflicts);
  return { merged: merged?.value as JsonObject, conflicts };
}

/** The merged document, with that side's value where both changed a field; a choice for each conflict, in their order. */
export function decided(
  { merged, conflicts }: Merge,
  choices: readonly ("mine" | "theirs" | undefined)[],
): JsonObject {
  return conflicts.reduce(
    (document, conflict, index) => withField(document, conflict.path, conflict[choices[index] ?? "theirs"]),
    merged,
  );
}

function mergeSides(
  base: Side,
  mine: Side,
  theirs: Side,
  path: readonly string[],
  conflicts: Conflict[],
): Side {
  if (isEqual(mine, theirs) || isEqual(base, mine)) return theirs;
  if (isEqual(base, theirs)) return mine;
  if (!isObject(mine?.value) || !isObject(theirs?.value)) {
    conflicts.push({ path, base, mine, theirs });
    return theirs;
  }
  const before = isObject(base?.value) ? base.value : {};
  const keys = new Set([...Object.keys(theirs.value), ...Object.keys(mine.value)]);
  const merged: Record<string, Json> = {};
  for (const key of keys) {
    const inner = [...path, key];
    const side = mergeSides(
      sideOf(before, key),
      sideOf(mine.value, key),
      sideOf(theirs.value, key),
      inner,
      conflicts,
    );
    if (side !== undefined) merged[key] = side.value;
  }
  return { value: merged };
}

function withField(document: JsonObject, [key = "", ...rest]: readonly string[], side: Side): JsonObject {
  if (rest.length > 0) {
    const inner = document[key];
    return { ...document, [key]: withField(isObject(inner) ? inner : {}, rest, side) };
  }
  const { [key]: _, ...others } = document;
  return side === undefined ? others : { ...document, [key]: side.value };
}

function sideOf(object: JsonObject, key: string): Side {
  return Object.hasOwn(object, key) ? { value: object[key]! } : undefined;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The order of an object's fields says nothing, but for groups, whose order is that of their turns. */
function isEqual(one: Side, other: Side): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

import type { Route } from "./app.ts";

/** Paths of one host as a tree of segments: a lookup walks no deeper than the routes go, however long the path is. */
interface PathNode<T> {
  /** Of the route that ends with this segment. */
  here: T | undefined;
  /** Of the route that ends with this segment and a slash. */
  below: T | undefined;
  children: Map<string, PathNode<T>> | undefined;
}

export interface RouteEntry<T> {
  readonly route: Route;
  readonly value: T;
}

/**
 * Finds what a request's host and path belong to.
 *
 * Hosts: the exact name first, then wildcards from the longest to the shortest ("*.example.com" is any name below, at
 * any depth, not "example.com" itself), then "*". A host none of whose paths match leaves the request to the next.
 *
 * Paths: the longest prefix that ends at a segment border. "/api" matches "/api", "/api/x" and "/api?x", not "/apix";
 * "/api/" matches "/api/" and what is below it, not "/api". Paths are compared as written, neither decoded nor with
 * dots resolved: the servers see the same bytes.
 */
export class RouteTable<T> {
  private readonly exact = new Map<string, PathNode<T>>();
  /** By what follows "*.". */
  private readonly wildcard = new Map<string, PathNode<T>>();
  private longestWildcard = 0;
  private readonly any: PathNode<T> = newNode();

  /** Of entries with the same claim (see `routeKey`) the first stands. */
  static of<T>(entries: readonly RouteEntry<T>[]): RouteTable<T> {
    const table = new RouteTable<T>();
    for (const { route, value } of entries) insertPath(table.treeFor(route.host), route.path, value);
    return table;
  }

  /** `host` in lower case without port; `path` may go on with a query. */
  find(host: string, path: string): T | undefined {
    const tree = this.exact.get(host);
    if (tree !== undefined) {
      const value = findPath(tree, path);
      if (value !== undefined) return value;
    }
    if (this.wildcard.size > 0) {
      const value = this.findWildcard(host, path);
      if (value !== undefined) return value;
    }
    return findPath(this.any, path);
  }

  private findWildcard(host: string, path: string): T | undefined {
    // From where a suffix is short enough to be known: a host made of thousands of dots costs no more than another.
    const from = Math.max(0, host.length - this.longestWildcard - 1);
    for (let dot = host.indexOf(".", from); dot >= 0; dot = host.indexOf(".", dot + 1)) {
      const tree = this.wildcard.get(host.slice(dot + 1));
      const value = tree === undefined ? undefined : findPath(tree, path);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  private treeFor(host: string): PathNode<T> {
    if (host === "*") return this.any;
    const isWildcard = host.startsWith("*.");
    const trees = isWildcard ? this.wildcard : this.exact;
    const key = isWildcard ? host.slice(2) : host;
    if (isWildcard) this.longestWildcard = Math.max(this.longestWildcard, key.length);
    let tree = trees.get(key);
    if (tree === undefined) trees.set(key, (tree = newNode()));
    return tree;
  }
}

/** Equal for two routes exactly when they claim the same requests. */
export function routeKey(route: Route): string {
  return route.host + route.path;
}

function newNode<T>(): PathNode<T> {
  return { here: undefined, below: undefined, children: undefined };
}

function insertPath<T>(root: PathNode<T>, path: string, value: T): void {
  if (path === "/") {
    root.here ??= value;
    return;
  }
  const endsWithSlash = path.endsWith("/");
  let node = root;
  for (const segment of path.slice(1, endsWithSlash ? -1 : undefined).split("/")) {
    node.children ??= new Map();
    let child = node.children.get(segment);
    if (child === undefined) node.children.set(segment, (child = newNode()));
    node = child;
  }
  if (endsWithSlash) node.below ??= value;
  else node.here ??= value;
}

function findPath<T>(root: PathNode<T>, path: string): T | undefined {
  let node = root;
  let best = root.here;
  let start = 1;
  while (node.children !== undefined) {
    const end = segmentEnd(path, start);
    const child = node.children.get(path.slice(start, end));
    if (child === undefined) break;
    node = child;
    best = node.here ?? best;
    if (path.charCodeAt(end) !== SLASH) break;
    best = node.below ?? best;
    start = end + 1;
  }
  return best;
}

const SLASH = 0x2f;
const QUESTION_MARK = 0x3f;

function segmentEnd(path: string, start: number): number {
  for (let index = start; index < path.length; index++) {
    const unit = path.charCodeAt(index);
    if (unit === SLASH || unit === QUESTION_MARK) return index;
  }
  return path.length;
}

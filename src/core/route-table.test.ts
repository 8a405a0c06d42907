import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Route } from "./app.ts";
import { routeKey, RouteTable } from "./route-table.ts";

/** Each route leads to its own text. */
const table = (...routes: string[]): RouteTable<string> =>
  RouteTable.of(routes.map((text) => ({ route: parse(text), value: text })));

const parse = (text: string): Route => {
  const slash = text.indexOf("/");
  return { host: text.slice(0, slash), path: text.slice(slash) };
};

describe("RouteTable", () => {
  it("prefers the exact host, then the longest wildcard, then any host", () => {
    const routes = table("a.example.com/", "*.example.com/", "*.b.example.com/", "*/");
    expect(routes.find("a.example.com", "/")).toBe("a.example.com/");
    expect(routes.find("x.example.com", "/")).toBe("*.example.com/");
    expect(routes.find("x.b.example.com", "/")).toBe("*.b.example.com/");
    expect(routes.find("y.x.b.example.com", "/")).toBe("*.b.example.com/");
    expect(routes.find("b.example.com", "/")).toBe("*.example.com/");
    expect(routes.find("example.com", "/")).toBe("*/");
    expect(routes.find("notexample.com", "/")).toBe("*/");
    expect(routes.find("", "/")).toBe("*/");
  });

  it("finds nothing where nothing is claimed", () => {
    expect(table("a.example.com/", "*.example.org/").find("example.com", "/")).toBeUndefined();
    expect(RouteTable.of([]).find("a", "/")).toBeUndefined();
  });

  it("leaves to the next host what the paths of a closer one do not match", () => {
    const routes = table("shop.example.com/api", "*.example.com/static", "*/");
    expect(routes.find("shop.example.com", "/api/x")).toBe("shop.example.com/api");
    expect(routes.find("shop.example.com", "/static/x")).toBe("*.example.com/static");
    expect(routes.find("shop.example.com", "/other")).toBe("*/");
  });

  it.each(["/api", "/api/", "/api/x", "/api?x", "/api?/", "/api/x/y?z"])("matches %s by /api", (path) => {
    expect(table("*/api").find("h", path)).toBe("*/api");
  });

  it.each(["/", "/apix", "/ap", "/x/api", "/API", "/?/api", "/api%2fx", "//api"])(
    "does not match %s by /api",
    (path) => {
      expect(table("*/api").find("h", path)).toBeUndefined();
    },
  );

  it("matches a route that ends with a slash only by what is below it", () => {
    const routes = table("*/api/", "*/");
    expect(routes.find("h", "/api/")).toBe("*/api/");
    expect(routes.find("h", "/api/x")).toBe("*/api/");
    expect(routes.find("h", "/api")).toBe("*/");
    expect(routes.find("h", "/api?x")).toBe("*/");
    const both = table("*/api/", "*/api");
    expect(both.find("h", "/api")).toBe("*/api");
    expect(both.find("h", "/api/x")).toBe("*/api/");
  });

  it("keeps to the longest prefix that is a route, past borders that are none", () => {
    const routes = table("*/a", "*/a/b/c/d");
    expect(routes.find("h", "/a/b/c")).toBe("*/a");
    expect(routes.find("h", "/a/b/c/d/e")).toBe("*/a/b/c/d");
  });

  it("leads OPTIONS * to whoever claims every path", () => {
    expect(table("*/", "*/api").find("h", "*")).toBe("*/");
  });

  it("lets the first of two equal claims stand", () => {
    const route = { host: "h", path: "/" };
    const routes = RouteTable.of([
      { route, value: 1 },
      { route, value: 2 },
    ]);
    expect(routes.find("h", "/")).toBe(1);
  });

  it("agrees with a comparison of all prefixes", () => {
    const segment = fc.constantFrom("a", "b", "ab");
    const path = fc
      .tuple(fc.array(segment, { maxLength: 4 }), fc.boolean())
      .map(([segments, slash]) => `/${segments.join("/")}${slash && segments.length > 0 ? "/" : ""}`);
    fc.assert(
      fc.property(
        fc.array(path, { maxLength: 6 }),
        path,
        fc.constantFrom("", "?", "?/a/b"),
        (routes, asked, query) => {
          const isPrefix = (route: string): boolean =>
            route === "/" || asked === route || asked.startsWith(route.endsWith("/") ? route : `${route}/`);
          const longest = routes.filter(isPrefix).sort((a, b) => b.length - a.length)[0];
          const found = table(...routes.map((route) => `*${route}`)).find("h", asked + query);
          expect(found).toBe(longest === undefined ? undefined : `*${longest}`);
        },
      ),
    );
  });
});

describe("routeKey", () => {
  it("is equal for equal claims only", () => {
    const keys = ["*/", "*/api", "*/api/", "a/api", "*.a/api"].map((text) => routeKey(parse(text)));
    expect(new Set(keys).size).toBe(5);
    expect(routeKey({ host: "a", path: "/x" })).toBe(routeKey({ path: "/x", host: "a" }));
  });
});

import { expect, it } from "vitest";
import { appHref, parseRoute } from "./route.ts";

it.each([
  ["", { view: "glance" }],
  ["#/", { view: "glance" }],
  ["#/fleet", { view: "fleet" }],
  ["#/apps/shop", { view: "app", app: "shop", part: "release" }],
  ["#/apps/a%2Fb/document", { view: "app", app: "a/b", part: "document" }],
  ["#/apps/%", { view: "app", app: "%", part: "release" }],
  ["#/apps/", { view: "unknown" }],
  ["#/apps/shop/other", { view: "unknown" }],
  ["#/apps/shop/document/more", { view: "unknown" }],
  ["#/nowhere", { view: "unknown" }],
])("%s", (hash, route) => {
  expect(parseRoute(hash)).toEqual(route);
});

it("leads to an app and back", () => {
  expect(parseRoute(appHref("a b/c", "audit"))).toEqual({ view: "app", app: "a b/c", part: "audit" });
});

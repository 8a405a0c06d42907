import { signal, type Signal } from "@preact/signals";

export const APP_PARTS = ["release", "start", "servers", "explain", "document", "audit"] as const;

export type AppPart = (typeof APP_PARTS)[number];

/** What is looked at: the part of the address after "#". */
export type Route =
  | { readonly view: "glance" }
  | { readonly view: "fleet" }
  | { readonly view: "app"; readonly app: string; readonly part: AppPart }
  | { readonly view: "unknown" };

/** "#/apps/shop/document" and the like; the empty one is the first view. */
export function parseRoute(hash: string): Route {
  const [first = "", app, part = "release", ...rest] = hash.replace(/^#?\/?/, "").split("/");
  if (first === "" && app === undefined) return { view: "glance" };
  if (first === "fleet" && app === undefined) return { view: "fleet" };
  if (first !== "apps" || app === undefined || app === "" || rest.length > 0) return { view: "unknown" };
  if (!APP_PARTS.includes(part as AppPart)) return { view: "unknown" };
  return { view: "app", app: decoded(app), part: part as AppPart };
}

export function appHref(app: string, part: AppPart = "release"): string {
  return `#/apps/${encodeURIComponent(app)}${part === "release" ? "" : `/${part}`}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const route: Signal<Route> = signal({ view: "glance" });

/** Has `route` follow the address. */
export function followAddress(): void {
  const read = (): void => {
    route.value = parseRoute(location.hash);
  };
  addEventListener("hashchange", read);
  read();
}

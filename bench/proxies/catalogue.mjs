// @ts-check
import { caddy } from "./caddy.mjs";
import { HALFTONE_PROXIES } from "./halftone.mjs";
import { haproxy } from "./haproxy.mjs";
import { nginxLua } from "./nginx-lua.mjs";
import { nginx } from "./nginx.mjs";
import { NPM_PROXIES } from "./npm.mjs";

/** All there are; nginx comes first, as ratios are formed to it. @type {readonly import("./proxy.mjs").Proxy[]} */
export const PROXIES = [nginx, nginxLua, haproxy, caddy, ...HALFTONE_PROXIES, ...NPM_PROXIES];

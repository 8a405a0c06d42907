// @ts-check
import { fileURLToPath } from "node:url";
import { prepareNginx } from "./nginx.mjs";

const SCRIPTS = fileURLToPath(new URL(".", import.meta.url));
const MODULES = "/usr/lib/nginx/modules";

/**
 * What Halftone's forerunner did for a request, as a script in nginx: nginx-lua-gray.lua. Both servers stand, one in each
 * group, and nothing is being updated.
 * @type {import("./proxy.mjs").Proxy}
 */
export const nginxLua = {
  id: "nginx-lua",
  title: "nginx with Lua",
  set: "default",
  needs: [
    { path: `${MODULES}/ngx_http_lua_module.so`, debian: "libnginx-mod-http-lua" },
    { path: "/usr/share/lua/5.1/cjson", debian: "lua-cjson" },
  ],
  prepare: async (context) => {
    const half = Math.ceil(context.servers.length / 2);
    const document = JSON.stringify({
      deploy: 0,
      testiplist: ["10.0.0.111", "10.0.0.112"],
      weight: { group1: 10, group2: 10 },
      group1: context.servers.slice(0, half),
      group2: context.servers.slice(half),
    });
    return await prepareNginx(context, {
      modules: ["ndk_http_module", "ngx_http_lua_module"]
        .map((name) => `load_module ${MODULES}/${name}.so;`)
        .join("\n"),
      // The debug message about the LuaJIT of Debian is the only one: nothing else is logged at the start.
      http: `lua_package_path "${SCRIPTS}?.lua;/usr/share/lua/5.1/?.lua;;";
  lua_shared_dict apps 10m;
  lua_shared_dict dead 10m;
  init_by_lua_block {
    ngx.shared.apps:set("bench", [[${document}]])
    require "nginx-lua-gray"
  }`,
      upstream: `server 0.0.0.1;
    balancer_by_lua_block { require("nginx-lua-gray").balance() }`,
      location: `access_by_lua_block { require("nginx-lua-gray").select("bench") }`,
    });
  },
};

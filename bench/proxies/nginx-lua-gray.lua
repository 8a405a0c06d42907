-- The original design's work for a request: read the app's document, tell by the client's address which groups may serve
-- it, and let their live servers take turns by weight. The document is JSON in a shared dictionary; each worker keeps it
-- decoded until the text there is another one.
local balancer = require "ngx.balancer"
local cjson = require "cjson"

local DIE_SECONDS = 10
local TRIES = 2
local apps, dead = ngx.shared.apps, ngx.shared.dead
local cache = {}
local _M = {}

-- Servers of some groups, as one list whose turns are taken together.
local function pool(document, groups)
  local servers = {}
  for _, name in ipairs(groups) do
    for _, server in ipairs(document[name]) do
      local ip, port = server:match("^(.+):(%d+)$")
      servers[#servers + 1] = { key = server, ip = ip, port = tonumber(port),
                                weight = document.weight[name], current = 0 }
    end
  end
  return servers
end

local function compile(text)
  local document = cjson.decode(text)
  local testers = {}
  for _, address in ipairs(document.testiplist) do testers[address] = true end
  local pools = {
    [0] = { testers = pool(document, { "group1", "group2" }), public = pool(document, { "group1", "group2" }) },
    [1] = { testers = pool(document, { "group1" }), public = pool(document, { "group2" }) },
    [2] = { testers = pool(document, { "group2" }), public = pool(document, { "group1" }) },
  }
  return { text = text, testers = testers, chosen = pools[document.deploy] }
end

local function app_named(name)
  local text = apps:get(name)
  if not text then return nil end
  local app = cache[name]
  if not app or app.text ~= text then
    app = compile(text)
    cache[name] = app
  end
  return app
end

-- Smooth weighted round robin over those that are not dead; over all if they all are.
local function next_of(servers, now, everyone)
  local best, total = nil, 0
  for i = 1, #servers do
    local server = servers[i]
    local until_time = not everyone and dead:get(server.key)
    if not until_time or until_time <= now then
      server.current = server.current + server.weight
      total = total + server.weight
      if not best or server.current > best.current then best = server end
    end
  end
  if best then best.current = best.current - total end
  return best
end

function _M.select(name)
  local app = app_named(name)
  if not app then return ngx.exit(503) end
  local client = ngx.var.remote_addr
  ngx.ctx.servers = app.testers[client] and app.chosen.testers or app.chosen.public
end

function _M.balance()
  local context, now = ngx.ctx, ngx.now()
  local tries = (context.tries or 0) + 1
  context.tries = tries
  if tries == 1 then
    balancer.set_more_tries(TRIES - 1)
  elseif balancer.get_last_failure() == "failed" then
    dead:set(context.server.key, now + DIE_SECONDS, DIE_SECONDS)
  end
  local server = next_of(context.servers, now, false) or next_of(context.servers, now, true)
  context.server = server
  local ok, problem = balancer.set_current_peer(server.ip, server.port)
  if not ok then
    ngx.log(ngx.ERR, "cannot use ", server.key, ": ", problem)
    return ngx.exit(500)
  end
end

return _M

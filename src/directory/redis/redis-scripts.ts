/**
 * What has to happen at once is done by Redis itself, in Lua. Every key of a script lies in one slot.
 *
 * The value of an app is JSON, `{"revision", "by", "what", "at", "gateway", "document"}`; a deleted one keeps its key, with
 * `"deleted": true` in place of the document, so that its revisions go on.
 */

const READ_CURRENT = `
local raw = redis.call('GET', KEYS[1])
local current = 0
local standing = false
if raw then
  local ok, value = pcall(cjson.decode, raw)
  local revision = ok and type(value) == 'table' and tonumber(value['revision'])
  if revision and revision >= 1 and revision == math.floor(revision) then
    current = revision
    standing = not value['deleted']
  end
end
`;

const CHECK_FENCE = `
if ARGV[3] ~= '' then
  local newest = tonumber(redis.call('GET', KEYS[4]) or '0')
  if newest > tonumber(ARGV[3]) then return {'fenced'} end
end
`;

const CHECK_EXPECTED = `
local expected = ARGV[1]
local fits = expected == 'any' or (expected == 'absent' and not standing)
  or (standing and tonumber(expected) == current)
if not fits then return {'stale', raw or ''} end
`;

const STORE = `
if raw and current == 0 then
  -- What cannot be read is never overwritten: it is moved to where it can be looked at.
  redis.call('RENAME', KEYS[1], ARGV[8] .. redis.call('TIME')[1])
  raw = false
end
local indexed = tonumber(redis.call('HGET', KEYS[2], ARGV[4]) or '0')
local revision = math.max(current, tonumber(ARGV[2]), indexed) + 1
local value = '{"revision":' .. string.format('%.0f', revision) .. ',' .. ARGV[5]
redis.call('SET', KEYS[1], value)
redis.call('HSET', KEYS[2], ARGV[4], string.format('%.0f', revision))
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[7], '*', 'app', ARGV[4], 'from', string.format('%.0f', current),
  'to', string.format('%.0f', revision), 'origin', ARGV[6])
return {'written', raw or '', value}
`;

/**
 * KEYS: app, index, audit, fence. ARGV: expected, floor, fence token or "", name, the value from behind its revision,
 * origin as JSON, entries the audit keeps, prefix of keys for what cannot be read. Returns {"written", before, after}, {"stale", current} or {"fenced"}.
 */
export const WRITE: string = [READ_CURRENT, CHECK_FENCE, CHECK_EXPECTED, STORE].join("");

/** As `WRITE`; there has to be such an app. */
export const DELETE: string = [
  READ_CURRENT,
  CHECK_FENCE,
  "if not standing then return {'stale', ''} end",
  CHECK_EXPECTED,
  STORE,
].join("");

/**
 * Gives a revision to what somebody set by hand, if it still stands as it was read. KEYS: app, index, audit. ARGV: the raw
 * value that was read, floor, name, the value from behind its revision, origin, entries the audit keeps. Returns the new
 * value, or what stands.
 */
export const ADOPT: string = `
local raw = redis.call('GET', KEYS[1])
if raw ~= ARGV[1] then return raw or '' end
local indexed = tonumber(redis.call('HGET', KEYS[2], ARGV[3]) or '0')
local revision = math.max(tonumber(ARGV[2]), indexed) + 1
local value = '{"revision":' .. string.format('%.0f', revision) .. ',' .. ARGV[4]
redis.call('SET', KEYS[1], value)
redis.call('HSET', KEYS[2], ARGV[3], string.format('%.0f', revision))
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[6], '*', 'app', ARGV[3], 'from', string.format('%.0f', indexed),
  'to', string.format('%.0f', revision), 'origin', ARGV[5])
return value
`;

/** SHA-1 of each value, "" for none: a reconciling scan moves 40 bytes a document. KEYS: apps. */
export const DIGESTS: string = `
local digests = {}
for i, key in ipairs(KEYS) do
  local raw = redis.call('GET', key)
  digests[i] = raw and redis.sha1hex(raw) or ''
end
return digests
`;

/**
 * KEYS: lock, fence. ARGV: holder, lease in ms. Returns {1, token}, or {0, holder, ms left}. Tokens follow the clock, so
 * that they go on growing when Redis has lost the newest one.
 */
export const ACQUIRE: string = `
local holder = redis.call('HGET', KEYS[1], 'holder')
if holder and holder ~= ARGV[1] then return {0, holder, redis.call('PTTL', KEYS[1])} end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local token = math.max(now, tonumber(redis.call('GET', KEYS[2]) or '0') + 1)
redis.call('SET', KEYS[2], string.format('%.0f', token))
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'token', string.format('%.0f', token))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {1, token}
`;

/** KEYS: lock. ARGV: token, lease in ms; 0: give it up. Returns 1, or 0 when it was lost. */
export const RENEW: string = `
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then redis.call('DEL', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1
`;

/**
 * Changes an app of the original layout, if both of its values stand as they were read. KEYS: value, beside, audit, fence.
 * ARGV: value read, beside read ("" for none), fence token or "", new value ("": delete it; "=": leave it), new beside,
 * name, revision before, revision after, origin, entries the audit keeps, key that a value which cannot be read is moved
 * to ("": none). Returns "written", "changed" or "fenced".
 */
export const CHANGE_ORIGINAL: string = `
if ARGV[3] ~= '' and tonumber(redis.call('GET', KEYS[4]) or '0') > tonumber(ARGV[3]) then return 'fenced' end
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] or (redis.call('GET', KEYS[2]) or '') ~= ARGV[2] then
  return 'changed'
end
if ARGV[11] ~= '' and redis.call('EXISTS', KEYS[1]) == 1 then redis.call('RENAME', KEYS[1], ARGV[11]) end
if ARGV[4] == '' then redis.call('DEL', KEYS[1]) elseif ARGV[4] ~= '=' then redis.call('SET', KEYS[1], ARGV[4]) end
redis.call('SET', KEYS[2], ARGV[5])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[10], '*', 'app', ARGV[6], 'from', ARGV[7], 'to', ARGV[8],
  'origin', ARGV[9])
return 'written'
`;

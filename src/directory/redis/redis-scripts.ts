/**
 * What has to happen at once is done by Redis itself, in Lua. Every key of a script lies in one slot.
 *
 * The value of an app is JSON, `{"revision", "by", "what", "at", "gateway", "document"}`; a deleted one keeps its key, with
 * `"deleted": true` in place of the document, so that its revisions go on.
 */

/** Far above any document, and small enough that a page of them hurts nobody. */
const LARGEST_VALUE = 8 * 1024 * 1024;

/** What cannot be an app is neither read nor digested, whoever set it: Redis would stop for it, and every gateway too. */
const LOOK = `
local function look(key)
  local kind = redis.call('TYPE', key)['ok']
  if kind == 'none' then return nil end
  if kind ~= 'string' then return nil, 'a ' .. kind end
  local length = redis.call('STRLEN', key)
  if length > ${LARGEST_VALUE} then return nil, string.format('%.0f', length) .. ' bytes' end
  return redis.call('GET', key)
end
`;

/** As `isRevision`: beyond that numbers are no longer exact, here as in gateways. */
const WHOLE = `
local function whole(value)
  if type(value) == 'number' and value >= 1 and value <= 9007199254740991 and value == math.floor(value) then
    return value
  end
  return 0
end
`;

const READ_CURRENT = `
${LOOK}${WHOLE}
local raw, odd = look(KEYS[1])
local current = 0
local standing = false
if raw then
  local ok, value = pcall(cjson.decode, raw)
  if ok and type(value) == 'table' then
    current = whole(value['revision'])
    standing = current > 0 and value['deleted'] ~= true
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
if odd or (raw and current == 0) then
  -- What cannot be read is never overwritten: it is moved to where it can be looked at.
  redis.call('RENAME', KEYS[1], ARGV[8] .. redis.call('TIME')[1])
  raw = false
end
local indexed = whole(tonumber(redis.call('HGET', KEYS[2], ARGV[4]) or '0'))
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
${LOOK}${WHOLE}
local raw = look(KEYS[1])
if raw ~= ARGV[1] then return raw or '' end
local indexed = whole(tonumber(redis.call('HGET', KEYS[2], ARGV[3]) or '0'))
local revision = math.max(tonumber(ARGV[2]), indexed) + 1
local value = '{"revision":' .. string.format('%.0f', revision) .. ',' .. ARGV[4]
redis.call('SET', KEYS[1], value)
redis.call('HSET', KEYS[2], ARGV[3], string.format('%.0f', revision))
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[6], '*', 'app', ARGV[3], 'from', string.format('%.0f', indexed),
  'to', string.format('%.0f', revision), 'origin', ARGV[5])
return value
`;

/** Each value; false for none, and a list of what it is for one that cannot be an app. KEYS: of either layout. */
export const READ: string = `
${LOOK}
local found = {}
for i, key in ipairs(KEYS) do
  local raw, odd = look(key)
  found[i] = raw or (odd and {odd}) or false
end
return found
`;

/** SHA-1 of each value, "" for none, what it is for one that cannot be an app: a scan moves 40 bytes a document. KEYS: apps. */
export const DIGESTS: string = `
${LOOK}
local digests = {}
for i, key in ipairs(KEYS) do
  local raw, odd = look(key)
  digests[i] = raw and redis.sha1hex(raw) or odd or ''
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
 * name, revision before, revision after, origin, entries the audit keeps, prefix of a key that the old value is moved to or
 * "". Returns "written", "changed" or "fenced".
 */
export const CHANGE_ORIGINAL: string = `
if ARGV[3] ~= '' and tonumber(redis.call('GET', KEYS[4]) or '0') > tonumber(ARGV[3]) then return 'fenced' end
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] or (redis.call('GET', KEYS[2]) or '') ~= ARGV[2] then
  return 'changed'
end
if ARGV[11] ~= '' and ARGV[1] ~= '' then redis.call('RENAME', KEYS[1], ARGV[11] .. redis.call('TIME')[1]) end
if ARGV[4] == '' then redis.call('DEL', KEYS[1]) elseif ARGV[4] ~= '=' then redis.call('SET', KEYS[1], ARGV[4]) end
redis.call('SET', KEYS[2], ARGV[5])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[10], '*', 'app', ARGV[6], 'from', ARGV[7], 'to', ARGV[8],
  'origin', ARGV[9])
return 'written'
`;

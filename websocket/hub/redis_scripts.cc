#include <squall/websocket/hub/redis_scripts.h>

namespace squall::websocket::redis_scripts {
namespace {

constexpr const char* kNow =
    "local function now()\n"
    "  local t = redis.call('TIME')\n"
    "  return t[1] * 1000 + math.floor(t[2] / 1000)\n"
    "end\n";

// At most 200 messages a call, so that a smaller limit does not block the server. The last message is kept
// beyond max_bytes. An entry has the fields t, s and m: its time, the size of its payload, its envelope.
constexpr const char* kTrim =
    "local function trim(head, stream, at)\n"
    "  local h = redis.call('HMGET', head, 'n', 'b', 'a', 's')\n"
    "  local n, b, a, size = tonumber(h[1]), tonumber(h[2]), tonumber(h[3]), tonumber(h[4] or 0)\n"
    "  local length = redis.call('XLEN', stream)\n"
    "  for i = 1, 200 do\n"
    "    if length == 0 then size = 0 break end\n"
    "    local e = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]\n"
    "    local f = e[2]\n"
    "    if length <= n and (size <= b or length == 1) and tonumber(f[2]) + a >= at then break end\n"
    "    redis.call('XDEL', stream, e[1])\n"
    "    length = length - 1\n"
    "    size = size - tonumber(f[4])\n"
    "  end\n"
    "  redis.call('HSET', head, 's', size)\n"
    "end\n";

// A server with another run id may have lost the newest messages, and would give their positions away again:
// it begins another epoch. The head outlives the stream by a day, so that a topic without messages keeps its
// epoch.
constexpr const char* kPublish =
    "local head, stream, at = KEYS[1], KEYS[2], now()\n"
    "local h = redis.call('HMGET', head, 'e', 'o', 'r')\n"
    "local epoch, offset = h[1], tonumber(h[2] or 0)\n"
    "if not epoch or h[3] ~= ARGV[7] then\n"
    "  redis.call('DEL', head, stream)\n"
    "  epoch, offset = ARGV[6], 0\n"
    "end\n"
    "offset = offset + 1\n"
    "local number = string.format('%.0f', offset)\n"
    "local envelope = ARGV[1] .. ' ' .. epoch .. '-' .. number .. ' ' .. ARGV[2]\n"
    "if redis.call('XLEN', stream) == 0 then redis.call('HSET', head, 's', 0) end\n"
    "redis.call('HSET', head, 'e', epoch, 'o', number, 'r', ARGV[7], 'n', ARGV[8], 'b', ARGV[9], 'a', "
    "ARGV[10])\n"
    "redis.call('HINCRBY', head, 's', ARGV[3])\n"
    "redis.call('XADD', stream, number .. '-0', 't', string.format('%.0f', at), 's', ARGV[3], 'm', "
    "envelope)\n"
    "trim(head, stream, at)\n"
    "redis.call('PEXPIRE', stream, ARGV[10])\n"
    "redis.call('PEXPIRE', head, ARGV[10] + 86400000)\n"
    "if ARGV[5] == '' then\n"
    "  redis.call('PUBLISH', ARGV[4], envelope)\n"
    "else\n"
    "  redis.call('SPUBLISH', ARGV[4], envelope)\n"
    "  redis.call('SPUBLISH', ARGV[5], envelope)\n"
    "end\n"
    "return epoch .. '-' .. number\n";

constexpr const char* kPublishSharded =
    "redis.call('SPUBLISH', ARGV[2], ARGV[1])\n"
    "redis.call('SPUBLISH', ARGV[3], ARGV[1])\n"
    "return 1\n";

constexpr const char* kHistory =
    "local head, stream = KEYS[1], KEYS[2]\n"
    "local h = redis.call('HMGET', head, 'e', 'o', 'r')\n"
    "if not h[1] then return {'none'} end\n"
    "local top = tonumber(h[2])\n"
    "local max, bytes = tonumber(ARGV[4]), tonumber(ARGV[5])\n"
    "if h[3] ~= ARGV[1] then return {'gap', h[1], h[2], h[2]} end\n"
    "trim(head, stream, now())\n"
    "local entries = {}\n"
    "local e = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]\n"
    "local first = e and tonumber(string.match(e[1], '^%d+')) or top + 1\n"
    "local bottom = string.format('%.0f', first - 1)\n"
    "if ARGV[2] ~= '' then\n"
    "  local after = tonumber(ARGV[3])\n"
    "  if ARGV[2] ~= h[1] or after > top or after + 1 < first then return {'gap', h[1], h[2], bottom} end\n"
    "  if max > 0 then\n"
    "    local from = string.format('%.0f', after + 1)\n"
    "    entries = redis.call('XRANGE', stream, from .. '-0', '+', 'COUNT', max)\n"
    "  end\n"
    "elseif max > 0 then\n"
    "  entries = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', max)\n"
    "end\n"
    "local page = {'ok', h[1], h[2], bottom}\n"
    "local used = 0\n"
    "for i, e in ipairs(entries) do\n"
    "  used = used + tonumber(e[2][4])\n"
    "  if i > 1 and used > bytes then break end\n"
    "  page[#page + 1] = e[2][6]\n"
    "end\n"
    "return page\n";

constexpr const char* kJoin =
    "local ends = now() + ARGV[1]\n"
    "for i = 2, #ARGV, 2 do\n"
    "  redis.call('ZADD', KEYS[1], ends, ARGV[i])\n"
    "  redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])\n"
    "end\n"
    "redis.call('PEXPIRE', KEYS[1], ARGV[1] * 2)\n"
    "redis.call('PEXPIRE', KEYS[2], ARGV[1] * 2)\n"
    "return 1\n";

constexpr const char* kLeave =
    "for i, client in ipairs(ARGV) do\n"
    "  redis.call('ZREM', KEYS[1], client)\n"
    "  redis.call('HDEL', KEYS[2], client)\n"
    "end\n"
    "return 1\n";

constexpr const char* kPresence =
    "for i, client in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now(), 'LIMIT', 0, 1000)) do\n"
    "  redis.call('ZREM', KEYS[1], client)\n"
    "  redis.call('HDEL', KEYS[2], client)\n"
    "end\n"
    "local list = {redis.call('ZCARD', KEYS[1])}\n"
    "if ARGV[1] == '0' then return list end\n"
    "for i, client in ipairs(redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1)) do\n"
    "  list[#list + 1] = client\n"
    "  list[#list + 1] = redis.call('HGET', KEYS[2], client) or ''\n"
    "end\n"
    "return list\n";

}  // namespace

std::string publish() { return std::string(kNow) + kTrim + kPublish; }
std::string publish_sharded() { return kPublishSharded; }
std::string history() { return std::string(kNow) + kTrim + kHistory; }
std::string join() { return std::string(kNow) + kJoin; }
std::string leave() { return kLeave; }
std::string presence() { return std::string(kNow) + kPresence; }

}  // namespace squall::websocket::redis_scripts

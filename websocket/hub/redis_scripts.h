#pragma once

#include <string>

// The scripts that Redis runs for a RedisBroker, in Lua. Each is one step: nothing else happens meanwhile.
namespace squall::websocket::redis_scripts {

// Gives a message its position, stores both in the stream, trims the stream, and publishes the envelope.
//   KEYS: head, stream.  ARGV: version, body, size of the payload, channel, channel of the partition or empty
//            (then not sharded), a new epoch, run id of the server, max_messages, max_bytes, max_age in ms
//   returns the position
std::string publish();
// Publishes an envelope to two sharded channels.  KEYS: head.  ARGV: envelope, channel, channel of the
// partition
std::string publish_sharded();
// A page of a history.
//   KEYS: head, stream.  ARGV: run id, epoch behind which to read or empty, offset, max_messages, max_bytes
//   returns `none`; or `gap` or `ok`, epoch, top, the newest offset that is forgotten, and for `ok` the
//            envelopes
std::string history();
// Adds or renews members.  KEYS: times, members.  ARGV: lifetime in ms, then for each member the client and
// the rest
std::string join();
// KEYS: times, members.  ARGV: clients
std::string leave();
// KEYS: times, members.  ARGV: max_members.  Returns the count, then for each member the client and the rest
std::string presence();

}  // namespace squall::websocket::redis_scripts

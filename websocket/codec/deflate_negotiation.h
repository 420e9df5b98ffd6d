#pragma once

#include <squall/websocket/codec/handshake_fields.h>

#include <optional>
#include <span>
#include <string>

// The parameters of permessage-deflate (RFC 7692, 7.1): what a side offers, answers and accepts. Pure
// functions.
//
// Thread:    any.
namespace squall::websocket {

// How the messages of one direction are compressed.
struct DeflateWindow {
  int bits = 15;                 // a message refers to at most the last 2^bits bytes: 8 to 15
  bool context_takeover = true;  // a message may refer to earlier messages

  bool operator==(const DeflateWindow&) const = default;
};

// The wishes of one side. A smaller window or no context takeover saves memory and compresses less. A window
// takes 2^(bits + 2) bytes to compress, and 2^bits to decompress.
struct DeflateOptions {
  int level = 6;         // 0 to 9: more is smaller and slower
  int memory_level = 8;  // 1 to 9: the compressor takes 2^(memory_level + 9) bytes beside its window
  DeflateWindow send{};
  // The peer is asked for this. A client that cannot limit its window uses 15 bits nevertheless.
  DeflateWindow receive{};

  bool operator==(const DeflateOptions&) const = default;
};

// The parameters that both sides have agreed on.
struct DeflateTerms {
  DeflateWindow send{};
  DeflateWindow receive{};

  bool operator==(const DeflateTerms&) const = default;
};

// Throws std::invalid_argument for a number that is out of its range. The functions below expect options that
// pass.
void check_deflate_options(const DeflateOptions& options);

// ---- The server's part.

struct DeflateAnswer {
  DeflateTerms terms;
  std::string field;  // the value of Sec-WebSocket-Extensions

  bool operator==(const DeflateAnswer&) const = default;
};

// Accepts the first offer of permessage-deflate that is well-formed (WSK-60), with parameters in the order of
// their names (WSK-62). An offer is declined for an unknown or a repeated parameter, and for a value that is
// missing, out of range or must not be there (WSK-61; RFC 7692, 7.1). nullopt: no offer is accepted, and the
// connection is not compressed.
std::optional<DeflateAnswer> answer_deflate(std::span<const Extension> offers, const DeflateOptions& options);

// ---- The client's part.

// The value of Sec-WebSocket-Extensions (WSK-67).
std::string offer_deflate(const DeflateOptions& options);

// Reads the server's answer to offer_deflate(`*offered`), or to no offer if `offered` is null. False: the
// client must fail the connection, because the answer has an extension that was not offered, has one twice,
// or has parameters that are malformed or break the offer. Without an extension `terms` is nullopt.
bool accept_deflate(std::span<const Extension> answer, const DeflateOptions* offered,
                    std::optional<DeflateTerms>& terms);

}  // namespace squall::websocket

#pragma once

#include <squall/http/codec/content_decoder.h>
#include <squall/http/server/exchange.h>
#include <squall/http/message/headers.h>
#include <squall/ioloop/base/frame_pool.h>

#include <optional>
#include <string>
#include <string_view>

namespace squall::http {

// What few exchanges need, and the others need not carry.
struct Exchange::Extras : Pooled {
  Headers trailers;                       // of the response
  std::optional<BoundedDecoder> decoder;  // of the request's body
  std::string decoded;                    // the piece that was read last, or is being collected
  std::string_view encoded;               // what of the body is yet to be decoded
};

}  // namespace squall::http

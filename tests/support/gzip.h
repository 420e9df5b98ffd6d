#pragma once

#include <zlib.h>

#include <string>
#include <string_view>

#include "support/catch.h"

namespace squall::testing {

// Compresses by zlib. `window_bits`: 31 for gzip, 15 for the zlib format, -15 for bare deflated data.
inline std::string deflated(std::string_view text, int window_bits) {
  z_stream zlib{};
  REQUIRE(::deflateInit2(&zlib, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(::deflateBound(&zlib, text.size()) + 64, '\0');
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  zlib.avail_in = static_cast<uInt>(text.size());
  zlib.next_out = reinterpret_cast<Bytef*>(out.data());
  zlib.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&zlib, Z_FINISH) == Z_STREAM_END);
  out.resize(out.size() - zlib.avail_out);
  ::deflateEnd(&zlib);
  return out;
}

inline std::string gzipped(std::string_view text) { return deflated(text, 31); }

}  // namespace squall::testing

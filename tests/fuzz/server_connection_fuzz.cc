// A server's whole connection, beside a slow and obvious reader of requests. Whatever a client sends, and
// however it is cut, the server sees the requests that there obviously are and no other, refuses what is
// none, and closes; whether a body is collected or read piece by piece.
//
// The first byte of an input says how the others are sent.

#include <squall/ioloop/log.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "support/obvious_reader.h"
#include "support/server_probe.h"

namespace squall::testing {
namespace {

http::HTTPServer::Options small() {
  http::HTTPServer::Options options;
  options.max_header_size = 2048;
  options.max_body_size = 4096;
  options.chunk_size = 256;
  return options;
}

// From one byte: all at once, each byte alone, or pieces of some length.
std::vector<std::size_t> cuts_for(unsigned how, std::size_t size) {
  std::vector<std::size_t> cuts;
  const std::size_t step = how % 4 == 0 ? size + 1 : how % 4 == 1 ? 1 : how / 4 + 2;
  for (std::size_t at = step; at < size; at += step) cuts.push_back(at);
  return cuts;
}

void check(ServerProbe& probe, std::string_view bytes, const std::vector<std::size_t>& cuts) {
  const std::string wrong = disagreement(read_obviously(bytes), probe.talk(bytes, cuts));
  if (wrong.empty()) return;
  std::fprintf(stderr, "%s\n", wrong.c_str());
  std::abort();
}

}  // namespace
}  // namespace squall::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace squall::testing;
  static ServerProbe collecting(ServerProbe::Body::collected, small());
  static ServerProbe streaming(ServerProbe::Body::streamed, small());
  squall::log::general().set_level(squall::log::Level::critical);
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::vector<std::size_t> cuts = cuts_for(data[0], bytes.size());
  check((data[0] & 0x80) != 0 ? streaming : collecting, bytes, cuts);
  return 0;
}

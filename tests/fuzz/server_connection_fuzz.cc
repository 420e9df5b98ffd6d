// A whole connection of a server, compared with a slow and simple reader of requests. For any bytes in any
// pieces the server gets the same requests as the simple reader, refuses malformed ones, and closes; for
// collected and for streamed bodies.
//
// The first byte of an input selects the pieces in which the other bytes are sent.

#include <squall/ioloop/base/log.h>

#include <algorithm>
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

// The cuts that one byte selects: none, after every byte, or pieces of one size.
std::vector<std::size_t> cuts_for(unsigned how, std::size_t size) {
  std::vector<std::size_t> cuts;
  const std::size_t step = how % 4 == 0 ? size + 1 : how % 4 == 1 ? 1 : how / 4 + 2;
  for (std::size_t at = step; at < size; at += step) cuts.push_back(at);
  return cuts;
}

// Options that inspect requests further. They must not change which requests are accepted.
http::HTTPServer::Options closer() {
  http::HTTPServer::Options options = small();
  options.decompress_request = options.xheaders = true;
  options.trust_request_id = options.measure_times = true;
  return options;
}

bool names_coding(std::string_view bytes) {
  constexpr std::string_view kName = "content-encoding";
  const auto same = [](char a, char b) { return (a | 0x20) == b; };
  return std::search(bytes.begin(), bytes.end(), kName.begin(), kName.end(), same) != bytes.end();
}

void check(ServerProbe& probe, std::string_view bytes, const std::vector<std::size_t>& cuts, bool is_closer) {
  const Seen seen = probe.talk(bytes, cuts);
  // Another fuzzer tests decompression.
  if (is_closer && names_coding(bytes)) return seen.closed ? void() : std::abort();
  const std::string wrong = disagreement(read_obviously(bytes), seen);
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
  static ServerProbe collecting_closely(ServerProbe::Body::collected, closer());
  static ServerProbe streaming_closely(ServerProbe::Body::streamed, closer());
  squall::log::general().set_level(squall::log::Level::critical);
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::vector<std::size_t> cuts = cuts_for(data[0], bytes.size());
  const bool streams = (data[0] & 0x80) != 0;
  const bool is_closer = (data[0] & 0x40) != 0;
  ServerProbe& plain = streams ? streaming : collecting;
  ServerProbe& close = streams ? streaming_closely : collecting_closely;
  check(is_closer ? close : plain, bytes, cuts, is_closer);
  return 0;
}

// Whole fetches of a client, compared with a slow and simple reader of responses. For any bytes in any pieces
// the client returns the same responses as the simple reader, refuses malformed ones, and keeps a connection
// only if it may carry another response.
//
// The first byte of an input selects the pieces in which the other bytes are sent, the second byte the
// requests. The byte 0x1e separates the answers to consecutive requests.

#include <squall/ioloop/base/log.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "support/client_probe.h"

namespace squall::testing {
namespace {

constexpr char kSeparator = 0x1e;
constexpr std::size_t kMaxFetches = 4;

std::vector<std::string_view> split(std::string_view bytes) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = parts.size() + 1 < kMaxFetches ? bytes.find(kSeparator) : bytes.npos;
    parts.push_back(bytes.substr(0, end));
    if (end == bytes.npos) return parts;
    bytes.remove_prefix(end + 1);
  }
}

void check(std::string_view bytes) {
  static ClientProbe probe;
  constexpr std::array<std::string_view, 4> kMethods = {"GET", "HEAD", "POST", "GET"};
  constexpr std::array<ClientProbe::Take, 4> kTakes = {ClientProbe::Take::body, ClientProbe::Take::body,
                                                       ClientProbe::Take::callback,
                                                       ClientProbe::Take::waiting_callback};
  const auto pieces = static_cast<unsigned char>(bytes[0]);
  const auto how = static_cast<unsigned char>(bytes[1]);
  const std::vector<std::string_view> answers = split(bytes.substr(2));
  std::vector<ClientProbe::Ask> asks(answers.size());
  for (std::size_t i = 0; i < asks.size(); ++i) {
    asks[i].method = kMethods[how >> (i % 2 * 2) & 3];
    asks[i].take = kTakes[how >> 4 & 3];
    asks[i].decompresses = (how & 0x40) != 0;
  }
  const std::size_t step = pieces % 4 == 0 ? bytes.size() : pieces % 4 == 1 ? 1 : pieces / 4 + 2;
  const std::string wrong = probe.talk(asks, answers, step);
  if (wrong.empty()) return;
  std::fprintf(stderr, "%s\n", wrong.c_str());
  std::abort();
}

}  // namespace
}  // namespace squall::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  squall::log::general().set_level(squall::log::Level::critical);
  if (size < 2) return 0;
  squall::testing::check({reinterpret_cast<const char*>(data), size});
  return 0;
}

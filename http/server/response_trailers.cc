#include <squall/http/server/response_trailers.h>

#include <squall/http/codec/chunk_encoder.h>
#include <squall/ioloop/base/ascii.h>

#include <string_view>

namespace squall::http {
namespace {

bool may_be_trailer(std::string_view name) {
  for (const char* forbidden :
       {"authorization", "cache-control", "connection", "content-encoding", "content-length", "content-range",
        "content-type", "host", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade"})
    if (equals_ignoring_case(name, forbidden)) return false;
  return true;
}

}  // namespace

[[gnu::cold]] std::string trailer_names(const Headers& trailers) {
  std::string names;
  for (const auto [name, value] : trailers) {
    if (!may_be_trailer(name)) continue;
    if (!names.empty()) names += ", ";
    names += name;
  }
  return names;
}

[[gnu::cold]] std::string last_chunk(const Headers& trailers) {
  std::string end(kLastChunkSize);
  for (const auto [name, value] : trailers)
    if (may_be_trailer(name)) end.append(name).append(": ").append(value).append("\r\n");
  return end += "\r\n";
}

}  // namespace squall::http

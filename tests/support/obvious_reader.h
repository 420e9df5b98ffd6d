#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::testing {

// A request as RFC 9112 has it.
struct ObviousRequest {
  using Fields = std::vector<std::pair<std::string, std::string>>;

  std::string method;
  std::string target;
  std::string version;
  Fields headers;
  std::string body;
  Fields trailers;
  bool closes = false;  // nothing behind it is to be read

  friend bool operator==(const ObviousRequest&, const ObviousRequest&) = default;
};

struct ObviousReading {
  enum class End {
    clean,       // behind the last request
    incomplete,  // within one
    closed,      // behind a request that closes
    error,       // what comes next is no request
  };
  std::vector<ObviousRequest> requests;
  End end = End::clean;
};

// Reads requests out of `bytes` the slow and obvious way, a line at a time, with nothing of ours and nothing
// of llhttp in it: what the server is compared with. It takes whatever RFC 9112 allows and nothing else; the
// server may refuse more, but must never see another request than this.
ObviousReading read_obviously(std::string_view bytes);

}  // namespace squall::testing

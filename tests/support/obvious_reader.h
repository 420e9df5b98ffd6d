#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::testing {

// A request of RFC 9112.
struct ObviousRequest {
  using Fields = std::vector<std::pair<std::string, std::string>>;

  std::string method;
  std::string target;
  std::string version;
  Fields headers;
  std::string body;
  Fields trailers;
  bool closes = false;  // no further request is read

  friend bool operator==(const ObviousRequest&, const ObviousRequest&) = default;
};

struct ObviousReading {
  enum class End {
    clean,       // the bytes end behind the last request
    incomplete,  // the bytes end within a request
    closed,      // the last request closes the connection
    error,       // the next bytes are not a request
  };
  std::vector<ObviousRequest> requests;
  End end = End::clean;
};

// Reads the requests in `bytes` line by line, without code of Squall or llhttp: the reference for the server.
// It accepts exactly the requests that RFC 9112 allows. The server may refuse more, but must never see
// another request.
ObviousReading read_obviously(std::string_view bytes);

}  // namespace squall::testing

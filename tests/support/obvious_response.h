#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::testing {

// A response of RFC 9112.
struct ObviousResponse {
  using Fields = std::vector<std::pair<std::string, std::string>>;

  int status = 0;
  std::string reason;
  Fields headers;  // values with single blanks, as folded lines leave an unknown number of blanks
  std::string body;
  Fields trailers;

  friend bool operator==(const ObviousResponse&, const ObviousResponse&) = default;
};

struct ObviousResponseReading {
  enum class End {
    complete,
    incomplete,  // the bytes end within the response
    error,       // the bytes are not a response
  };
  End end = End::error;
  ObviousResponse response;
  std::size_t used = 0;  // the size of the response
  bool closes = false;   // the connection carries no further response
  // The response has a form that a client may refuse, or one that is longer than its limits may be.
  bool may_be_refused = false;
};

// Reads the response to one request, whose bytes end with the connection, line by line, without code of
// Squall or llhttp: the reference for the client. It accepts all that RFC 9112 lets a client accept. `method`
// is the method of the request.
ObviousResponseReading read_response_obviously(std::string_view bytes, std::string_view method);

// The value with single blanks instead of each sequence of blanks, and none at its ends.
std::string with_single_blanks(std::string_view value);

}  // namespace squall::testing

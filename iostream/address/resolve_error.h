#pragma once

#include <string>
#include <string_view>
#include <system_error>

namespace squall {

// The reasons of getaddrinfo(): EAI_NONAME, EAI_AGAIN, ... There is only one object, so that codes compare
// equal.
const std::error_category& resolver_category() noexcept;

// A lookup has found no address of a name. code() is of resolver_category(), or of std::generic_category() if
// a system call failed meanwhile (EAI_SYSTEM).
//
//     cannot look up nowhere.test: Name or service not known
class ResolveError : public std::system_error {
 public:
  // `detail` is the resolver's own text about the reason; may be empty.
  ResolveError(const std::string& host, std::error_code reason, std::string_view detail = {});
  // `reason` is a reason of getaddrinfo().
  ResolveError(const std::string& host, int reason)
      : ResolveError(host, std::error_code(reason, resolver_category())) {}

  const std::string& host() const noexcept { return host_; }
  // True if the name does not exist, or has no address of the family: a second lookup would give the same
  // answer.
  bool is_definite() const noexcept;

 private:
  std::string host_;
};

}  // namespace squall

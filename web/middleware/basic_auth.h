#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::web {

class RequestHandler;

struct BasicAuthOptions {
  // Browsers show it, and send the password to all paths of a realm.
  std::string realm = "restricted";
  // Names and passwords.
  std::vector<std::pair<std::string, std::string>> users{};
  // Asked about names and passwords that are not in `users`. Must not block, and should take the same time
  // for a wrong name and a wrong password.
  std::function<bool(std::string_view name, std::string_view password)> check{};
};

// A middleware that asks for a name and a password (RFC 7617). Without the right ones a request gets a 401
// with WWW-Authenticate, and no handler runs. Names and passwords are UTF-8.
//
// Security:  the password is sent with every request and is only encoded: use TLS. `users` are kept as
//            SHA-256 digests, which are compared in constant time with all that are known, so the time of an
//            answer does not tell a part of a name or a password. Guessing is not slowed down: put a
//            RateLimit outside. Browsers send the password by themselves, so verbs that change data need the
//            XSRF check.
class BasicAuth {
 public:
  using Options = BasicAuthOptions;
  // Throws std::invalid_argument for a name with a colon, control characters, and if there is neither a user
  // nor a check.
  explicit BasicAuth(Options options);

  void before(RequestHandler& handler);
  void before_head(RequestHandler& handler);

  // The name that the request was let in with; empty without this middleware.
  static std::string_view user(RequestHandler& handler) noexcept;

 private:
  using Digest = std::array<char, 32>;  // SHA-256
  bool lets_in(std::string_view credentials) const;

  std::vector<Digest> known_;
  std::function<bool(std::string_view name, std::string_view password)> check_;
  std::string challenge_;  // the value of WWW-Authenticate
};

}  // namespace squall::web

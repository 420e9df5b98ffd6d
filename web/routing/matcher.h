#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace squall::http {
class ServerRequest;
}  // namespace squall::http

namespace squall::web {

// Decides by a condition of your own whether a route takes a request (RTE-04): see when().
//
//     class FromTheOffice : public web::Matcher {
//       std::optional<Parameters> match(const http::ServerRequest& request) const override {
//         if (!kOffice.contains(request.remote_address())) return std::nullopt;
//         return Parameters();
//       }
//     };
//
// Thread:    the application's. Called for requests with a path, and not for `OPTIONS *` and CONNECT.
// Lifetime:  shared by the routes that use it.
class Matcher {
 public:
  // For the verb, in its order; percent-encoded, as the groups of a path.
  using Parameters = std::vector<std::string>;

  virtual ~Matcher() = default;

  // The parameters, or nullopt if the request does not match. Must be quick. After an exception the request
  // gets a 500, and no other route gets the request.
  virtual std::optional<Parameters> match(const http::ServerRequest& request) const = 0;
  // How many parameters each match has.
  virtual std::size_t parameters() const noexcept { return 0; }
  // The path of a request that matches with these arguments, for reverse_url().
  virtual std::string reverse(std::span<const std::string> /*arguments*/) const {
    throw std::invalid_argument("Cannot reverse a route with a matcher of its own");
  }
};

}  // namespace squall::web

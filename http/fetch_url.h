#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace squall::http {

// A URL as a client uses it: whom to connect to, what to ask for.
struct FetchURL {
  bool https = false;
  std::string host;  // without brackets, in lower case
  std::uint16_t port = 80;
  std::string
      authority;       // as Host and the absolute form have it: with brackets, without the scheme's own port
  std::string target;  // path and query
  std::string fragment;  // with its `#`; empty if there is none
  std::string username;  // decoded
  std::string password;

  std::string_view scheme() const noexcept { return https ? "https" : "http"; }
  bool has_user_info() const noexcept { return !username.empty() || !password.empty(); }
  // `127.0.0.1:80`, for people.
  std::string host_and_port() const;
  // With the fragment, without user information.
  std::string to_string() const;
  bool same_origin(const FetchURL& other) const noexcept {
    return https == other.https && port == other.port && host == other.host;
  }
};

// Throws std::invalid_argument for what is no URL of http or https (SHC-06).
FetchURL parse_fetch_url(std::string_view text);
// What a Location header means at `base` (RFC 9110, 10.2.2): the fragment is the base's if it has none.
// Throws std::invalid_argument.
FetchURL resolve_fetch_url(const FetchURL& base, std::string_view location);

}  // namespace squall::http

#pragma once

#include <squall/http/client/fetch.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace squall::http {

// Writes the head of the request of a fetch.
//
// The headers of the caller keep their spelling and their order. Headers that depend on the options or the
// body are not copied but written again (SHC-24). A User-Agent, Accept-Encoding, Connection or Host of the
// caller replaces the client's own.
//
// Thread:    one.
// Lifetime:  borrows the fetch.
struct RequestHead {
  explicit RequestHead(const Fetch& fetch) noexcept : fetch(fetch) {}

  // Appends the head to `text`, and sets keep_alive and expects_continue.
  void write_to(std::string& text);

  const Fetch& fetch;
  bool absolute = false;                   // the request line has the whole URL, for a proxy
  std::string_view proxy_authorization{};  // a server never gets the Proxy-Authorization of the headers
  bool keep_alive = true;         // false writes Connection: close; becomes false if the headers have it
  bool expects_continue = false;  // result: the body waits for 100 Continue
};

// The number of a Content-Length among the headers, which Fetch has checked.
std::optional<std::uint64_t> promised_length(const Headers& headers);

}  // namespace squall::http

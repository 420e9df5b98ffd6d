#pragma once

#include <squall/http/client/fetch.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace squall::http {

// The head of a fetch's request, as it is sent.
//
// The headers that were given come as they were spelled and in their order, but for those that the options or
// the body decide on (SHC-24).
//
// Thread:    one.
// Lifetime:  borrows the fetch.
struct RequestHead {
  explicit RequestHead(const Fetch& fetch) noexcept : fetch(fetch) {}

  // Appends it to `text`, and fills in what follows from it.
  void write_to(std::string& text);

  const Fetch& fetch;
  bool absolute = false;                   // the target is the whole URL, for a proxy
  std::string_view proxy_authorization{};  // for a proxy; nobody else is told what the headers say of it
  bool keep_alive = true;                  // false asks the server to close; becomes false if the headers do
  bool expects_continue = false;           // filled in
};

// Of a Content-Length among the headers, which has been checked.
std::optional<std::uint64_t> promised_length(const Headers& headers);

}  // namespace squall::http

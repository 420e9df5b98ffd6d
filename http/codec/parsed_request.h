#pragma once

#include <squall/http/message/headers.h>
#include <squall/http/message/method.h>

#include <cstdint>
#include <string_view>

namespace squall::http {

// A request's head as RequestParser found it, and the trailers behind its body: plain data.
//
// The text of `headers` is the whole head as it was received; every other part of the head is an offset and a
// size in that text.
//
// Lifetime:  the returned views are valid until `headers` changes.
struct ParsedRequest {
  // `GET`, as sent.
  std::string_view method_name() const noexcept { return part(0, method_size); }
  // `/users/1?full=1`, as sent.
  std::string_view target() const noexcept { return part(target_begin, target_size); }
  // `/users/1`: the target up to its query, not decoded. Of an absolute target the part behind the authority;
  // `/` if that is empty. `*` for OPTIONS of the server itself, and host and port for CONNECT.
  std::string_view path() const noexcept { return path_size ? part(path_begin, path_size) : "/"; }
  // The part behind the first `?`, not decoded. Empty without a query.
  std::string_view query() const noexcept { return part(query_begin, query_size); }
  // The authority of an absolute target, else the Host field, else `127.0.0.1` (HTTP/1.0 only).
  std::string_view host() const noexcept {
    return host_size ? part(host_begin, host_size) : host_missing ? "127.0.0.1" : "";
  }

  Headers headers;
  Headers trailers;
  std::uint32_t method_size = 0;
  std::uint32_t target_begin = 0;
  std::uint32_t target_size = 0;
  std::uint32_t path_begin = 0;
  std::uint32_t path_size = 0;
  std::uint32_t query_begin = 0;
  std::uint32_t query_size = 0;
  std::uint32_t host_begin = 0;
  std::uint32_t host_size = 0;
  Method method = Method::other;
  std::uint8_t minor_version = 1;  // 0 or 1: a later version of HTTP/1 counts as 1.1
  bool keep_alive = false;         // the client lets the connection stay open
  bool host_missing = false;       // there is neither an authority nor a Host field

 private:
  std::string_view part(std::uint32_t begin, std::uint32_t size) const noexcept {
    return headers.text().substr(begin, size);
  }
};

}  // namespace squall::http

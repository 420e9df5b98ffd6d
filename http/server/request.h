#pragma once

#include <squall/http/codec/parsed_request.h>
#include <squall/http/message/headers.h>
#include <squall/http/message/method.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/address/address.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace squall::http {

class Exchange;

// A request as it was received and found valid.
//
// Its head stands in one block that is reused for the next request, so views end with the request.
class Request {
 public:
  // When what happened, by the steady clock; zero if it has not. Taken if HTTPServer::Options::measure_times
  // says so.
  struct Times {
    std::chrono::steady_clock::time_point head;            // all of the head had come
    std::chrono::steady_clock::time_point body;            // all of the body, or the head if there is none
    std::chrono::steady_clock::time_point response_begun;  // the head of the response was written
    std::chrono::steady_clock::time_point response_ended;  // the last of the response was written
  };

  Method method() const noexcept { return head_.method; }
  // As sent: `GET`.
  std::string_view method_name() const noexcept { return head_.method_name(); }
  // As sent: `/users/1?full=1`.
  std::string_view target() const noexcept { return head_.target(); }
  // The target up to its query, not decoded: `/users/1`. Of an absolute target (RFC 9112, 3.2.2) what follows
  // the authority, `/` if that is nothing; `*` for OPTIONS of the server itself.
  std::string_view path() const noexcept { return head_.path(); }
  // What follows the first `?`, not decoded; empty without one.
  std::string_view query() const noexcept { return head_.query(); }
  // 1 for HTTP/1.1, 0 for HTTP/1.0.
  int minor_version() const noexcept { return head_.minor_version; }

  const Headers& headers() const noexcept { return head_.headers; }
  // Host and perhaps port, from an absolute target or else the Host header; `127.0.0.1` if HTTP/1.0 sent
  // neither (HUT-33).
  std::string_view host() const noexcept { return head_.host(); }
  // The connection may serve another request after this one.
  bool keep_alive() const noexcept { return head_.keep_alive; }

  // All of it, once the delegate is called that asked for it so.
  std::string_view body() const noexcept { return body_; }
  // The body piece by piece, however the delegate asked for it: the next one, which is valid until the next
  // read and has up to HTTPServer::Options::chunk_size bytes; empty at the end. While nobody reads, the
  // client is not read from either. Throws HTTPInputError if the body is none or too long, and then the
  // client is told so unless it has been told something else; StreamClosedError if the client has gone.
  Task<std::string_view> read();
  // The fields behind a body in chunks, once it is read to its end. They are kept apart from the headers,
  // which a client must not change in this way (RFC 9110, 6.5.1).
  const Headers& trailers() const noexcept { return head_.trailers; }

  // The client: the socket's peer or, with Options::xheaders, whom the proxy in front names.
  const Address& remote_address() const noexcept { return remote_; }
  std::string remote_ip() const { return remote_.ip(); }
  // `https` or `http`: the transport's, Options::protocol, or what the proxy in front names.
  std::string_view protocol() const noexcept { return secure_ ? "https" : "http"; }
  // What logs call it by: the client's X-Request-Id if Options::trust_request_id allows that, otherwise 32
  // random hexadecimal digits, made when it is first asked for.
  const std::string& id() const;

  // When its first bytes were seen, on the loop's clock.
  std::chrono::steady_clock::time_point start_time() const noexcept { return start_; }
  const Times& times() const noexcept { return times_; }

 private:
  friend class Exchange;
  friend class ServerConnection;

  ParsedRequest head_;
  std::string body_;
  bool secure_ = false;
  bool id_trusted_ = false;  // X-Request-Id is
  bool measured_ = false;    // times_ are taken
  Address remote_;
  std::chrono::steady_clock::time_point start_{};
  Times times_;
  mutable std::string id_;
  Exchange* exchange_ = nullptr;  // whose it is
};

}  // namespace squall::http

#pragma once

#include <squall/http/codec/parsed_request.h>
#include <squall/http/message/form.h>
#include <squall/http/message/headers.h>
#include <squall/http/message/method.h>
#include <squall/http/message/multipart.h>
#include <squall/http/message/query.h>
#include <squall/http/server/request_times.h>
#include <squall/ioloop/loop/task.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/tls/tls_certificate.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace squall {
class IOStream;
class TLSTransport;
}  // namespace squall

namespace squall::http {

class Exchange;
class RequestBody;

// A received and valid request.
//
// Its head is one block of text, whose memory is reused for the next request.
//
// Thread:    the server's loop.
// Lifetime:  a part of its Exchange. The views are valid until the request ends.
class ServerRequest {
 public:
  using Times = RequestTimes;

  Method method() const noexcept { return head_.method; }
  // As sent: `GET`.
  std::string_view method_name() const noexcept { return head_.method_name(); }
  // As sent: `/users/1?full=1`.
  std::string_view target() const noexcept { return head_.target(); }
  // The target up to its query, not decoded: `/users/1`. Of an absolute target (RFC 9112, 3.2.2) the part
  // behind the authority, or `/` if that part is empty. `*` for OPTIONS of the server itself.
  std::string_view path() const noexcept { return head_.path(); }
  // The part behind the first `?`, not decoded. Empty without a query.
  std::string_view query() const noexcept { return head_.query(); }
  // 1 for HTTP/1.1, 0 for HTTP/1.0.
  int minor_version() const noexcept { return head_.minor_version; }

  const Headers& headers() const noexcept { return head_.headers; }
  // Host and optional port, of an absolute target or else of the Host header; `127.0.0.1` if an HTTP/1.0
  // request has neither (HUT-33).
  std::string_view host() const noexcept { return head_.host(); }
  // The host in lower case and without its port; an IPv6 address has brackets (HUT-34).
  std::string host_name() const;
  // Protocol, host, path and query as one URL. Without path for a target that has none, `*` and the host of a
  // CONNECT (HUT-39; RFC 9110, 7.1).
  std::string full_url() const;
  // The connection may serve another request after this one.
  bool keep_alive() const noexcept { return head_.keep_alive; }

  // The collected body, all of it. Empty if the delegate asked for a streamed body.
  std::string_view body() const noexcept;
  // The next piece of the body, however the delegate asked for it: at most HTTPServer::Options::chunk_size
  // bytes, valid until the next read; empty at the end. Between two reads nothing is received from the
  // client. Throws HTTPInputError if the body is malformed or too long; the client gets that status unless
  // the handler sends another response. Throws StreamClosedError if the client has gone.
  Task<std::string_view> read();
  // The fields behind a body in chunks, once the body is read to its end. They are not added to the
  // headers, because a client must not change headers in this way (RFC 9110, 6.5.1).
  const Headers& trailers() const noexcept { return head_.trailers; }

  // ---- Parsed at each call, so store the result. Throws HTTPInputError with 400 for a malformed form, and
  // for more than `max_arguments` in the query or in the form.

  // Names and values as bytes, in their order (HUT-36).
  QueryArguments query_arguments(std::size_t max_arguments = 10'000) const;
  // The arguments and files of a collected body (HUT-36, HUT-37). Empty unless the body is
  // multipart/form-data or application/x-www-form-urlencoded.
  Form form(const MultipartLimits& limits = {}, std::size_t max_arguments = 10'000) const;
  // The arguments of the query, then the arguments of the form (HUT-36).
  QueryArguments arguments(std::size_t max_arguments = 10'000) const;
  // Cookies whose names a response may have too, with unquoted values. Empty for more than 1000 cookies
  // (HUT-38).
  QueryArguments cookies() const;

  // The client's address: the socket's peer or, with Options::xheaders, the address that the proxy names.
  const Address& remote_address() const noexcept { return remote_; }
  std::string remote_ip() const { return remote_.ip(); }
  // `https` or `http`: of the transport, of Options::protocol, or of the proxy in front.
  std::string_view protocol() const noexcept { return secure_ ? "https" : "http"; }
  // The TLS facts of the connection: version, cipher, ALPN, and the host that the client asked for (SNI).
  // Null without TLS. Behind a proxy this is the proxy's connection.
  const TLSTransport* tls() const noexcept;
  // The client's certificate; nullopt without TLS, and if the client has sent no certificate (HUT-41).
  // Unless the server's TLSContext verifies certificates, the certificate proves nothing.
  std::optional<TLSPeerCertificate> peer_certificate() const;
  // The request's name in logs: the client's X-Request-Id if Options::trust_request_id allows it, otherwise
  // 32 random hexadecimal digits, made by the first call.
  const std::string& id() const;
  // The id that the request has without making one: the client's, or the result of an earlier call of id().
  // Empty otherwise. The access log and the lines of errors have it.
  std::string_view known_id() const noexcept;

  // The time at which its first bytes were received, on the loop's clock.
  std::chrono::steady_clock::time_point start_time() const noexcept { return start_; }
  const Times& times() const noexcept { return times_; }
  // The time since then; until the end of the response if times are measured (HUT-40).
  std::chrono::steady_clock::duration request_time() const noexcept;

 private:
  friend class Exchange;

  ParsedRequest head_;
  RequestBody* body_ = nullptr;
  const IOStream* stream_ = nullptr;
  Address remote_;
  bool secure_ = false;
  bool id_trusted_ = false;  // the client's X-Request-Id may be used
  std::chrono::steady_clock::time_point start_{};
  Times times_;
  mutable std::string id_;  // empty until id() is called
};

}  // namespace squall::http

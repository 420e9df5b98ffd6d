#pragma once

#include <squall/http/client/fetch_phase.h>
#include <squall/http/client/http_client_error.h>
#include <squall/http/client/http_response.h>
#include <squall/http/message/url.h>
#include <squall/ioloop/base/frame_pool.h>
#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/iostream/stream/iostream.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace squall::http {

// A fetch: its next request (the first, or the next of a chain of redirects), its options, and the response
// so far. Checks the request, and decides on redirects and retries. All clients share this part of a fetch.
//
// Thread:    the client's loop.
// Lifetime:  borrows the defaults.
// Errors:    HTTPClientError.
class Fetch : public Pooled {
 public:
  using Duration = FetchOptions::Duration;

  // Throws std::invalid_argument for a request that cannot be sent (SHC-06 to SHC-11).
  Fetch(HTTPRequest&& request, const FetchOptions& defaults, std::size_t max_body_size);
  Fetch(const Fetch&) = delete;
  Fetch& operator=(const Fetch&) = delete;

  // ---- The next request.

  const URL& url() const noexcept { return url_; }
  // The other side in a phase, for messages: `127.0.0.1:80`, `proxy 127.0.0.1:3128`, or the path of a Unix
  // socket.
  std::string peer(FetchPhase phase) const;
  // The name of the proxy that the next request goes through; empty without one.
  void set_proxy_name(std::string name) noexcept { proxy_name_ = std::move(name); }
  std::string_view method() const noexcept { return method_; }
  // The headers given by the caller, without those that a redirect removed.
  const Headers& headers() const noexcept { return own_headers_ ? *own_headers_ : request().headers; }
  // Null without a body.
  const std::string* body() const noexcept {
    return keeps_body_ && request().body ? &*request().body : nullptr;
  }
  bool has_producer() const noexcept { return keeps_body_ && request().body_producer; }
  // The value of the Authorization header for basic authentication; empty without it.
  const std::string& authorization() const noexcept { return authorization_; }
  // The cookies of the client's jar, which are sent besides a Cookie among the headers; may be empty.
  const std::string& jar_cookies() const noexcept { return jar_cookies_; }
  void set_jar_cookies(std::string cookies) noexcept { jar_cookies_ = std::move(cookies); }
  const std::string& username() const noexcept { return username_; }
  const std::string& password() const noexcept { return password_; }

  // The request given to fetch().
  const HTTPRequest& request() const noexcept { return data_->request; }

  // ---- Options of the request, or else of the client.

  template <class T>
  const Setting<T>& setting(Setting<T> FetchOptions::* member) const noexcept {
    const Setting<T>& own = request().*member;
    return own.is_open() ? defaults_.*member : own;
  }
  template <class T>
  const std::optional<T>& option(Setting<T> FetchOptions::* member) const noexcept {
    return setting(member).value();
  }
  template <class T>
  const std::optional<T>& option(std::optional<T> FetchOptions::* member) const noexcept {
    const std::optional<T>& own = request().*member;
    return own ? own : defaults_.*member;
  }
  bool flag(std::optional<bool> FetchOptions::* member, bool otherwise) const noexcept {
    return option(member).value_or(otherwise);
  }
  std::optional<TimeSpan> connect_timeout() const noexcept { return timeout(&FetchOptions::connect_timeout); }
  std::optional<TimeSpan> request_timeout() const noexcept { return timeout(&FetchOptions::request_timeout); }
  bool decompresses() const noexcept { return decompresses_; }
  std::size_t max_body_size() const noexcept { return max_body_size_; }
  // The caller's context. After keeps_credentials() has become false, only TLSContext::without_certificate()
  // of it is used.
  const std::shared_ptr<const TLSContext>& tls() const noexcept {
    return request().tls ? request().tls : defaults_.tls;
  }
  // The names of files; std::nullopt after keeps_credentials() has become false.
  const std::optional<std::string>& client_cert() const noexcept {
    return keeps_credentials_ ? option(&FetchOptions::client_cert) : kNoFile;
  }
  const std::optional<std::string>& client_key() const noexcept {
    return keeps_credentials_ ? option(&FetchOptions::client_key) : kNoFile;
  }
  // False once a redirect has left the first origin: nothing that identifies the client is sent any more.
  // docs/client.md has the table of all fields and options.
  bool keeps_credentials() const noexcept { return keeps_credentials_; }

  // ---- Progress.

  FetchPhase phase() const noexcept { return phase_; }
  void enter(FetchPhase phase) noexcept { phase_ = phase; }
  // The next request begins to wait for its slot.
  void begin_queueing(IOLoop::TimePoint now) noexcept {
    phase_ = FetchPhase::queue;
    queued_ = now;
  }
  IOLoop::TimePoint queued_at() const noexcept { return queued_; }
  // The next request has its slot; its timeouts begin now.
  void begin_request(IOLoop::TimePoint now) noexcept;
  // The request is complete.
  void end_request(IOLoop::TimePoint now) noexcept {
    data_->request_time = std::max(now - begun_, IOLoop::Duration::zero());
  }
  // The deadlines of the request: for its slot, for a connection that begins at `now`, and for the
  // response. TimePoint::max() is no deadline.
  IOLoop::TimePoint queue_deadline() const noexcept;
  IOLoop::TimePoint connect_deadline(IOLoop::TimePoint now) const noexcept;
  IOLoop::TimePoint request_deadline() const noexcept;

  // For an error in the present phase, or in `phase`.
  HTTPClientError::Failure failure() const { return failure(phase_); }
  HTTPClientError::Failure failure(FetchPhase phase) const;

  // ---- Retries. A kept connection may close while a request is sent.

  enum class Sent : std::uint8_t { nothing, something };
  // Whether the request may be sent again: nothing of it was sent, or its method is idempotent (RFC 9110,
  // 9.2.2); and its body can be sent again.
  bool may_retry(Sent sent) const noexcept;

  // ---- Upgrades (RFC 9110, 7.8).

  // A 101 response to the request hands its stream over to `stream`, which must outlive the fetch. Throws
  // std::invalid_argument if the request does not ask for an upgrade.
  void expect_upgrade(std::unique_ptr<IOStream>& stream);
  bool expects_upgrade() const noexcept { return upgraded_ != nullptr; }
  // Whether a 101 response with these headers names a protocol that the request asked for.
  bool accepts_upgrade(const Headers& headers) const;
  void hand_over(IOStream stream) { *upgraded_ = std::make_unique<IOStream>(std::move(stream)); }

  // ---- The response.

  HTTPResponse::Data& data() noexcept { return *data_; }
  std::unique_ptr<HTTPResponse::Data> take_data() noexcept { return std::move(data_); }
  int redirects() const noexcept { return data_->redirects; }
  // Whether a response with this head is a redirect that the client follows: no callback sees its body.
  bool will_follow(int status, const Headers& headers) const noexcept;
  // After a response: prepares the next request if the response is a redirect. Throws HTTPClientError if
  // that request cannot be sent.
  bool redirect();

  // Throws std::invalid_argument for a number that is not an address: libcurl reads 010.0.0.1 as 8.0.0.1.
  static void check_proxy_host(std::string_view host);

 private:
  static constexpr TimeSpan kDefaultTimeout = std::chrono::seconds(20);
  static inline const std::optional<std::string> kNoFile;

  void check() const;
  void check_all_credentials() const;
  void check_headers() const;
  void take_credentials();
  std::optional<TimeSpan> timeout(Setting<TimeSpan> FetchOptions::* member) const noexcept;
  std::string location_to_follow() const;
  void drop_credentials();
  void drop_body();
  void go_to(URL next);
  Headers& own_headers();

  std::unique_ptr<HTTPResponse::Data> data_;
  const FetchOptions& defaults_;
  URL url_;
  std::string_view method_;
  FetchPhase phase_ = FetchPhase::queue;
  std::unique_ptr<Headers> own_headers_;  // null until they differ from the headers of the request
  bool keeps_body_ = true;                // false once a redirect has made the request a GET
  bool keeps_credentials_ = true;
  bool decompresses_;
  bool follows_redirects_;
  int redirects_left_;
  std::size_t max_body_size_;
  IOLoop::TimePoint queued_{};
  IOLoop::TimePoint begun_{};
  std::string username_;
  std::string password_;
  std::string authorization_;
  std::string jar_cookies_;
  std::string proxy_name_;
  std::string socket_name_;  // of unix_socket
  std::unique_ptr<IOStream>* upgraded_ = nullptr;
};

}  // namespace squall::http

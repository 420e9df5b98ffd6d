#pragma once

#include <squall/http/client/fetch_phase.h>
#include <squall/http/client/http_response.h>
#include <squall/http/message/url.h>
#include <squall/ioloop/base/frame_pool.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace squall::http {

// A fetch: the request that is to be sent now, the first one or what a redirect made of it, and the response
// so far. What decides on redirects and on what may be asked for, and so is the same for every client.
//
// Thread:    the client's loop.
// Lifetime:  borrows the defaults; ends with the fetch.
class Fetch : public Pooled {
 public:
  using Duration = FetchOptions::Duration;

  // Throws std::invalid_argument for a request that cannot be sent (SHC-06 to SHC-11).
  Fetch(HTTPRequest&& request, const FetchOptions& defaults, std::size_t max_body_size);
  Fetch(const Fetch&) = delete;
  Fetch& operator=(const Fetch&) = delete;

  // ---- The request, as it is to be sent now.

  const URL& url() const noexcept { return url_; }
  // Its host and port, for people: `127.0.0.1:80`.
  std::string peer() const;
  std::string_view method() const noexcept { return method_; }
  // As they were given, without what a redirect takes away.
  const Headers& headers() const noexcept { return own_headers_ ? *own_headers_ : request().headers; }
  // Null without one.
  const std::string* body() const noexcept {
    return keeps_body_ && request().body ? &*request().body : nullptr;
  }
  bool has_producer() const noexcept { return keeps_body_ && request().body_producer; }
  // Sending it a second time does no harm (RFC 9110, 9.2.2), and can be done.
  bool is_repeatable() const noexcept;
  // The value of Authorization for user and password; empty without.
  const std::string& authorization() const noexcept { return authorization_; }
  // What the client's jar has for it; may be empty, and is besides a Cookie among the headers.
  const std::string& jar_cookies() const noexcept { return jar_cookies_; }
  void set_jar_cookies(std::string cookies) noexcept { jar_cookies_ = std::move(cookies); }
  const std::string& username() const noexcept { return username_; }
  const std::string& password() const noexcept { return password_; }

  // As it was given to fetch().
  const HTTPRequest& request() const noexcept { return response_.request(); }

  // ---- Options, by the request or the client's defaults.

  template <class T>
  const std::optional<T>& option(std::optional<T> FetchOptions::* member) const noexcept {
    const std::optional<T>& own = request().*member;
    return own ? own : defaults_.*member;
  }
  bool flag(std::optional<bool> FetchOptions::* member, bool otherwise) const noexcept {
    return option(member).value_or(otherwise);
  }
  const std::string* text(std::optional<std::string> FetchOptions::* member) const noexcept {
    const std::optional<std::string>& found = option(member);
    return found && !found->empty() ? &*found : nullptr;
  }
  // None if it is zero.
  std::optional<Duration> connect_timeout() const noexcept { return timeout(&FetchOptions::connect_timeout); }
  std::optional<Duration> request_timeout() const noexcept { return timeout(&FetchOptions::request_timeout); }
  bool decompresses() const noexcept { return decompresses_; }
  std::size_t max_body_size() const noexcept { return max_body_size_; }
  const std::shared_ptr<const TLSContext>& tls() const noexcept {
    return request().tls ? request().tls : defaults_.tls;
  }

  // ---- How far it has come.

  FetchPhase phase() const noexcept { return phase_; }
  void enter(FetchPhase phase) noexcept { phase_ = phase; }

  // ---- The response.

  HTTPResponse& response() noexcept { return response_; }
  int redirects() const noexcept { return response_.redirects(); }
  // A head came. True if it is a redirect that is going to be followed: nobody is to see it then.
  bool will_follow(int status, const Headers& headers) const noexcept;
  // After a response that is there: whether there is another request to be sent. Throws HTTPClientError if
  // there would be, but cannot.
  bool redirect();

 private:
  static constexpr Duration kDefaultTimeout = std::chrono::seconds(20);

  void check() const;
  void check_headers() const;
  void take_credentials();
  std::optional<Duration> timeout(std::optional<Duration> FetchOptions::* member) const noexcept;
  void drop_credentials();
  void drop_body();
  void go_to(URL next);
  Headers& own_headers();

  HTTPResponse response_;
  const FetchOptions& defaults_;
  URL url_;
  std::string_view method_;
  FetchPhase phase_ = FetchPhase::queue;
  std::unique_ptr<Headers> own_headers_;  // once they differ from the request's
  bool keeps_body_ = true;
  bool keeps_credentials_ = true;
  bool decompresses_;
  bool follows_redirects_;
  int redirects_left_;
  std::size_t max_body_size_;
  std::string username_;
  std::string password_;
  std::string authorization_;
  std::string jar_cookies_;
};

}  // namespace squall::http

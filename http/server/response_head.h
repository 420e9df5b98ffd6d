#pragma once

#include <squall/http/message/headers.h>

#include <chrono>
#include <string>
#include <string_view>

namespace squall::http {

class DefaultHeaders;

// The head of a response until it is sent: status, reason and headers. The headers begin as the default
// headers of the server, which are copied only when headers() is called.
//
// Thread:    the server's loop.
// Lifetime:  a part of a ResponseWriter; borrows the default headers given to begin().
// Errors:    as Exchange documents.
class ResponseHead {
 public:
  using LoopTime = std::chrono::steady_clock::time_point;

  // To be followed by reset().
  void begin(DefaultHeaders& defaults, LoopTime now);
  // Back to status 200 and the default headers.
  void reset() noexcept {
    has_own_headers_ = false;
    status_ = 200;
    reason_.clear();
  }
  // Frees the memory of large headers.
  void give_back_memory() noexcept;

  int status() const noexcept { return status_; }
  // For filters, which may set any status.
  int& status() noexcept { return status_; }
  void set_status(int status, std::string_view reason);
  const std::string& reason() const noexcept { return reason_; }
  Headers& headers();
  bool has_own_headers() const noexcept { return has_own_headers_; }
  void add_headers(const Headers& added);
  // The response's own headers if it has any, otherwise the default headers.
  const Headers& present() const noexcept { return has_own_headers_ ? headers_ : *defaults_; }

  // ---- Before the head is sent.

  // The request came in an earlier turn. Date is when the response begins (RFC 9110, 6.6.1), unless the
  // application has set one.
  void refresh_date(LoopTime now);
  // Received headers may have the framing fields of another message, which are removed.
  void tidy();
  // `HTTP/1.1 200 OK\r\n`. Uses `custom` for a line that is not known.
  std::string_view status_text(std::string& custom) const;

 private:
  DefaultHeaders* source_ = nullptr;  // of defaults_
  const Headers* defaults_ = nullptr;
  bool has_own_headers_ = false;  // headers() was called
  int status_ = 200;
  Headers headers_;
  std::chrono::system_clock::time_point dated_{};  // the Date that headers_ began with
  std::string reason_;
};

}  // namespace squall::http

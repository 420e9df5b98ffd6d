#pragma once

#include <squall/iostream/stream/write_awaiter.h>
#include <squall/web/handler/request_handler.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace squall::websocket {

// The functions of RequestHandler that make a response: a base class of WebSocketHandler, whose comment has
// the rules. Behind the 101 there is no response, and they throw std::logic_error (WSK-14).
class HandshakeHandler : public web::RequestHandler {
 public:
  const http::ServerRequest& request() const {
    if (has_forgotten_) throw_forgotten();
    return RequestHandler::request();
  }
  http::Exchange& exchange() { return handshake().exchange(); }

  void set_status(int status, std::string_view reason = {}) { handshake().set_status(status, reason); }
  void set_header(std::string_view name, const web::HeaderValue& value) {
    handshake().set_header(name, value);
  }
  void add_header(std::string_view name, const web::HeaderValue& value) {
    handshake().add_header(name, value);
  }
  void clear_header(std::string_view name) { handshake().clear_header(name); }
  void set_cookie(std::string_view name, std::string_view value, const web::CookieOptions& options = {}) {
    handshake().set_cookie(name, value, options);
  }
  void clear_cookie(std::string_view name, const web::CookieOptions& options = {}) {
    handshake().clear_cookie(name, options);
  }
  void clear_all_cookies(const web::CookieOptions& options = {}) { handshake().clear_all_cookies(options); }
  void set_signed_cookie(std::string_view name, std::string_view value,
                         const web::CookieOptions& options = {.expires_days = std::chrono::days(30)},
                         int version = web::kDefaultSignedValueVersion) {
    handshake().set_signed_cookie(name, value, options, version);
  }
  void write(std::string_view chunk) { handshake().write(chunk); }
  template <class T>
  void write_json(const T& value) {
    handshake().write_json(value);
  }
  WriteAwaiter flush() { return handshake().flush(); }
  WriteAwaiter finish() { return handshake().finish(); }
  WriteAwaiter finish(std::string_view last) { return handshake().finish(last); }
  WriteAwaiter finish_file(FileSlice file) { return handshake().finish_file(std::move(file)); }
  WriteAwaiter finish_shared(SharedBytes body) { return handshake().finish_shared(std::move(body)); }
  void redirect(std::string_view url, int status = 302) { handshake().redirect(url, status); }
  void clear() { handshake().clear(); }
  void set_etag_header() { handshake().set_etag_header(); }
  bool check_etag_header() { return handshake().check_etag_header(); }
  bool require_user() { return handshake().require_user(); }
  Task<bool> require_user_async() { return handshake().require_user_async(); }
  const std::string& xsrf_token() { return handshake().xsrf_token(); }
  std::string xsrf_form_html() { return handshake().xsrf_form_html(); }
  void send_error(int status, std::string_view reason = {}) { handshake().send_error(status, reason); }
  IOStream detach() { return handshake().detach(); }
  void run_to_end() { handshake().run_to_end(); }
  Task<std::string_view> read_body() { return handshake().read_body(); }
  Task<std::uint64_t> save_body_to(std::string path) { return handshake().save_body_to(std::move(path)); }

 protected:
  // The 101 is sent.
  void end_handshake() noexcept { is_switched_ = true; }
  void forget_request() {
    RequestHandler::forget_request();
    has_forgotten_ = true;
  }
  bool has_request() const noexcept { return !has_forgotten_; }

 private:
  RequestHandler& handshake() {
    if (is_switched_) throw_switched();
    return *this;
  }
  [[noreturn]] static void throw_switched();
  [[noreturn]] static void throw_forgotten();

  bool is_switched_ = false;
  bool has_forgotten_ = false;
};

}  // namespace squall::websocket

#pragma once

#include <squall/http/client/curl_http_client.h>
#include <squall/http/client/fetch.h>

#include <curl/curl.h>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace squall::http {

// One request that libcurl sends, and the awaiter of its end. Destroying it takes it away from libcurl.
//
// Thread:    the client's loop.
// Lifetime:  borrows the client and the fetch.
// Errors:    begin() throws std::invalid_argument for what libcurl does not do; awaiting it throws
// HTTPClientError,
//            and what the request's callbacks have thrown.
class CurlTransfer {
 public:
  CurlTransfer(CurlAsyncHTTPClient& client, Fetch& fetch);
  ~CurlTransfer();
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  void begin();

  bool await_ready() const noexcept { return ended_; }
  void await_suspend(std::coroutine_handle<> coroutine) noexcept { resume_.set(coroutine); }
  void await_resume();

  // libcurl is done with it, for better or worse.
  void end(CURLcode result) noexcept;

 private:
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept;

  template <class Value>
  void set(CURLoption option, Value value);
  void set_headers();
  void set_body();
  void set_ways();
  void set_connections();
  void retire() noexcept;
  void set_tls();
  void take_header(std::string_view line);
  void take_head();
  bool take_body(std::string_view piece);
  void take_times();
  [[noreturn]] void fail() const;

  CurlAsyncHTTPClient& client_;
  Fetch& fetch_;
  CURL* easy_;
  curl_slist* headers_ = nullptr;
  curl_slist* mapping_ = nullptr;
  bool added_ = false;
  bool ended_ = false;
  bool has_head_ = false;
  bool follows_ = false;
  bool is_abandoned_ = false;  // the rest is a redirect's body, and too long to be worth reading
  CURLcode result_ = CURLE_OK;
  std::size_t received_ = 0;
  std::size_t head_size_ = 0;
  std::vector<std::string> lines_;  // of the head, for a header callback
  std::exception_ptr failure_;      // a callback's
  LoopHook resume_;
  char text_[CURL_ERROR_SIZE] = "";
};

}  // namespace squall::http

#pragma once

#include <squall/http/client/curl_engine.h>
#include <squall/http/client/fetch.h>

#include <curl/curl.h>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace squall::http {

// One request that libcurl sends, and the awaiter of its end. Destroying it cancels the request.
//
// Thread:    the client's loop.
// Lifetime:  borrows the engine and the fetch.
// Errors:    begin() throws std::invalid_argument for a request that libcurl does not support. Awaiting
//            throws HTTPClientError, and the exceptions of the request's callbacks.
class CurlTransfer {
 public:
  CurlTransfer(CurlEngine& engine, Fetch& fetch);
  ~CurlTransfer();
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  void begin();

  bool await_ready() const noexcept { return state_ == State::ended; }
  void await_suspend(std::coroutine_handle<> coroutine) noexcept { resume_.set(coroutine); }
  void await_resume();

  // For the engine: libcurl has finished the request.
  void end(CURLcode result) noexcept;

 private:
  enum class State : std::uint8_t { ready, added, ended };
  // The part of the response that is being received: the head, the body, or the body of a redirect that is
  // followed.
  enum class Part : std::uint8_t { head, body, redirect, abandoned };

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept;

  template <class Value>
  void set(CURLoption option, Value value);
  void set_headers();
  void set_body();
  const ProxyOptions* proxy() const;
  std::string proxy_of_environment() const;
  void set_route();
  void take_back_credentials();
  void set_connections();
  void retire() noexcept;
  CurlEngine::Reuse reuse() const noexcept;
  void set_tls();
  void take_header(std::string_view line);
  bool add_field(std::string_view line);
  void take_head();
  bool take_body(std::string_view piece);
  void take_times();
  long tunnel_status() const noexcept;
  FetchPhase phase_of_failure() const noexcept;
  [[noreturn]] void fail() const;

  bool has_head() const noexcept { return part_ != Part::head; }

  CurlEngine& engine_;
  Fetch& fetch_;
  CURL* easy_;
  curl_slist* headers_ = nullptr;
  curl_slist* mapping_ = nullptr;
  State state_ = State::ready;
  Part part_ = Part::head;
  CURLcode result_ = CURLE_OK;
  std::size_t received_ = 0;
  std::size_t head_size_ = 0;
  std::vector<std::string> lines_;  // the lines of the head, for a header callback
  std::exception_ptr failure_;      // the exception of a callback
  LoopHook resume_;
  char text_[CURL_ERROR_SIZE] = "";
};

}  // namespace squall::http

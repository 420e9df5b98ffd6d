#pragma once

#include <squall/http/client/async_http_client.h>
#include <squall/http/client/fetch.h>
#include <squall/http/client/fetch_guard.h>
#include <squall/http/client/host_table.h>
#include <squall/ioloop/loop/ioloop.h>

#include <curl/curl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace squall::http {

// Runs the requests of a CurlAsyncHTTPClient: libcurl's multi interface over the loop's descriptors and
// timers, and the queue of requests that wait for a slot.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the options and the loop.
class CurlEngine {
 public:
  CurlEngine(const AsyncHTTPClient::Options& options, IOLoop& loop);
  ~CurlEngine();
  CurlEngine(const CurlEngine&) = delete;
  CurlEngine& operator=(const CurlEngine&) = delete;

  Task<> perform(Fetch& fetch);
  // Ends all requests, and closes all connections.
  void close() noexcept;

  // ---- For CurlTransfer.

  const AsyncHTTPClient::Options& options() const noexcept { return options_; }
  IOLoop& loop() const noexcept { return *loop_; }
  // An easy handle without state of an earlier request (CUR-02, SEC-71).
  CURL* take_easy();
  // A handle that a prepare_curl_callback has seen is not used again: libcurl resets neither its cookies nor
  // what it shares.
  enum class Reuse : std::uint8_t { yes, no };
  void give_back(CURL* easy, Reuse reuse) noexcept;
  // Adds a request. Reserves the memory that retire() needs.
  void add(CURL* easy);
  void remove(CURL* easy) noexcept { curl_multi_remove_handle(multi_, easy); }
  bool keeps_connections() const noexcept;
  // Whether libcurl is calling a function of this object: no request can be removed meanwhile.
  bool is_acting() const noexcept { return is_acting_; }

  // A request that was cancelled during a call of libcurl, with all data that libcurl may still read.
  struct Retired {
    CURL* easy;
    Reuse reuse;
    curl_slist* headers;
    curl_slist* mapping;
    std::unique_ptr<HTTPResponse::Data> data;
  };
  // Frees the request when libcurl has returned.
  void retire(Retired retired) noexcept { retired_.push_back(std::move(retired)); }

 private:
  static int on_socket(CURL* easy, curl_socket_t fd, int interest, void* self, void* data) noexcept;
  static int on_timer(CURLM* multi, long milliseconds, void* self) noexcept;

  Task<> work(Fetch& fetch, FetchGuard& guard);
  void socket_changed(int fd, int interest);
  void timer_changed(long milliseconds);
  void act(int fd, int events) noexcept;
  void free_retired() noexcept;

  const AsyncHTTPClient::Options& options_;
  LoopRef loop_;
  CURLM* multi_;  // null once closed
  bool is_acting_ = false;
  std::vector<Retired> retired_;
  std::vector<CURL*> easy_;  // unused handles
  Timeout timer_;
  HostTable hosts_;
  AdmissionQueue queue_;
  FetchGuards guards_;
};

}  // namespace squall::http

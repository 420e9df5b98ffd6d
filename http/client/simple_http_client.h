#pragma once

#include <squall/http/client/async_http_client.h>
#include <squall/http/client/client_connection.h>
#include <squall/http/client/client_tls.h>
#include <squall/http/client/connection_pool.h>
#include <squall/http/client/fetch_guard.h>
#include <squall/ioloop/loop/loop_hook.h>
#include <squall/iostream/address/override_resolver.h>

#include <memory>
#include <string>
#include <string_view>

namespace squall::http {

// The client that is all Squall's own: see AsyncHTTPClient.
//
// Connections are kept, and used again. One that the server has closed meanwhile is noticed as the loop hears
// of it; if it closes just as a request is sent, before any byte of a response, the request is sent once more
// on a new connection, provided that does no harm: its method is idempotent, or nothing was sent yet.
class SimpleAsyncHTTPClient : public AsyncHTTPClient {
 public:
  explicit SimpleAsyncHTTPClient(IOLoop& loop = IOLoop::current(), Options options = Options());
  ~SimpleAsyncHTTPClient() override;

  void close() override;

  // ---- For diagnostics.

  std::size_t active() const noexcept { return pool_.active(); }
  std::size_t waiting() const noexcept { return pool_.waiting(); }
  std::size_t idle_connections() const noexcept { return pool_.idle(); }

 protected:
  Task<> perform(Fetch& fetch) override;

 private:
  struct Job;

  Task<> work(Job& job);
  void choose_proxy(Job& job) const;
  ConnectionPool::Host& host_of(const Job& job);
  void check_queue(const Job& job) const;

  OverrideResolver resolver_;
  ClientTLS tls_;
  ConnectionPool pool_;
  FetchGuards guards_;
  ClientConnection::Options connection_options_;
  std::string key_;  // the last host's, for its memory
  LoopHook close_all_;
};

}  // namespace squall::http

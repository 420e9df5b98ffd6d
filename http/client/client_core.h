#pragma once

#include <squall/http/client/async_http_client.h>
#include <squall/http/client/client_tls.h>
#include <squall/http/client/fetch_guard.h>
#include <squall/http/client/host_table.h>
#include <squall/iostream/address/override_resolver.h>

#include <string>

namespace squall::http {

// The parts of a SimpleAsyncHTTPClient that its fetches share.
//
// Thread:    the loop's thread only.
// Lifetime:  borrows the options and the loop. Outlives the work of all fetches, which ~FetchGuards destroys.
struct ClientCore {
  ClientCore(const AsyncHTTPClient::Options& options, IOLoop& loop);

  // The limits of requests by these options.
  static AdmissionQueue::Limits queue_limits(const AsyncHTTPClient::Options& options);

  const AsyncHTTPClient::Options& options;
  LoopRef loop;
  OverrideResolver resolver;
  ClientTLS tls;
  HostTable hosts;
  AdmissionQueue queue;
  IdleCache idle;
  std::string key;         // of the last host; its memory is reused
  bool is_closed = false;  // connections are no longer kept
  FetchGuards guards;
};

}  // namespace squall::http

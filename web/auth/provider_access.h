#pragma once

#include <squall/ioloop/base/time_span.h>

#include <chrono>
#include <cstddef>

namespace squall::http {
class AsyncHTTPClient;
}

namespace squall::web {

// How the client of a provider sends its requests: a part of the options of each. Redirects are not followed.
struct ProviderAccess {
  // Sends the requests; borrowed. Null: http::http_client() of the running loop.
  http::AsyncHTTPClient* http_client = nullptr;
  // The time that one request may take, with connecting.
  TimeSpan timeout = std::chrono::seconds(10);
  // The most bytes of a reply, decompressed.
  std::size_t max_reply_size = 256 * 1024;
};

}  // namespace squall::web

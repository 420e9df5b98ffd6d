#pragma once

#include <squall/http.h>

#include <string>
#include <utility>

#include "support/answer_server.h"
#include "support/test_loop.h"

// The clients that a test runs with: TEMPLATE_TEST_CASE("...", "[...]", HTTP_CLIENTS)
#ifdef SQUALL_HAS_CURL
#include <squall/http/client/curl_http_client.h>
#define HTTP_CLIENTS ::squall::http::SimpleAsyncHTTPClient, ::squall::http::CurlAsyncHTTPClient
#else
#define HTTP_CLIENTS ::squall::http::SimpleAsyncHTTPClient
#endif

namespace squall::testing {

// A client and a server for it.
template <class Client>
struct ClientFixture {
  explicit ClientFixture(AnswerServer::Answer answer,
                         http::AsyncHTTPClient::Options options = http::AsyncHTTPClient::Options())
      : server(loop, std::move(answer)), client(std::move(options), loop) {}

  http::HTTPResponse fetch(http::HTTPRequest request, http::RaiseError raise_error = http::RaiseError::yes) {
    return loop.run(client.fetch(std::move(request), raise_error));
  }
  http::HTTPResponse fetch(std::string url) { return fetch(http::HTTPRequest(std::move(url))); }

  TestLoop loop;
  AnswerServer server;
  Client client;
};

}  // namespace squall::testing

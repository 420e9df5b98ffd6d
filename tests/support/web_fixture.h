#pragma once

#include <squall/web.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/http_fixture.h"

namespace squall::testing {

// Whether the response is a 500 with the whole of the framework's page.
bool is_whole_500(std::string_view response);

// An application on a free port of 127.0.0.1, with the test's loop.
class WebFixture {
 public:
  using Options = http::HTTPServer::Options;
  explicit WebFixture(std::vector<web::Rule> rules, web::Settings settings = {}, Options options = Options());

  // Sends a request on a new connection, and returns the response.
  std::string fetch(std::string_view method, std::string_view target, std::string_view headers = "",
                    std::string_view body = "");
  // Returns the status code and, after a space, the body.
  std::string brief(std::string_view method, std::string_view target, std::string_view headers = "",
                    std::string_view body = "");
  RawPeer connect() { return RawPeer(server.port()); }
  std::string read_to_end(RawPeer& peer);

  TestLoop loop;
  web::Application app;
  http::HTTPServer& server;
};

}  // namespace squall::testing

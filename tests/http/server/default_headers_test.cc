#include <squall/http/server/default_headers.h>

#include <squall/http/server/server_delegate.h>

#include "support/catch.h"

namespace squall::http::default_headers_test {
namespace {

class Delegate : public ServerDelegate {
 public:
  void handle_request(Exchange&, Task<>&) override {}
  void add_default_headers(Headers& headers) const override {
    ++calls;
    headers.add("X-Mine", "1");
  }
  mutable int calls = 0;
};

TEST_CASE("the default headers are made once a second", "[default_headers]") {
  const Delegate delegate;
  DefaultHeaders defaults(delegate);
  const auto now = std::chrono::steady_clock::now();
  const Headers& headers = defaults.at(now);
  CHECK(headers.find(HeaderId::server)->starts_with("Squall/"));
  CHECK(headers.find(HeaderId::date)->ends_with(" GMT"));
  CHECK(headers.find("X-Mine") == "1");
  for (int i = 0; i < 100; ++i) defaults.at(now);
  CHECK(delegate.calls == 1);
  CHECK(defaults.at(now + std::chrono::seconds(1)).size() == 3);
  CHECK(delegate.calls == 2);
}

}  // namespace
}  // namespace squall::http::default_headers_test

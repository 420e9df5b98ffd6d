#include <squall/http/date.h>

#include <squall/http/server_delegate.h>

#include "support/catch.h"

namespace squall::http {
namespace {

using std::chrono::system_clock;

TEST_CASE("dates are in the form of RFC 9110, whole seconds (HUT-51)", "[date]") {
  CHECK(format_date(system_clock::from_time_t(0)) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(format_date(system_clock::from_time_t(1359312200)) == "Sun, 27 Jan 2013 18:43:20 GMT");
  CHECK(format_date(system_clock::from_time_t(1700000000) + std::chrono::milliseconds(900)) ==
        "Tue, 14 Nov 2023 22:13:20 GMT");
}

class Delegate : public ServerDelegate {
 public:
  void handle_request(Exchange&, Task<>&) override {}
  void add_default_headers(Headers& headers) const override {
    ++calls;
    headers.add("X-Mine", "1");
  }
  mutable int calls = 0;
};

TEST_CASE("the default headers are made once a second", "[date]") {
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
}  // namespace squall::http

#include <squall/testing/in_process_http_client.h>

#include <squall/http/server/function_delegate.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/ioloop/sync/event.h>
#include <squall/testing/virtual_clock.h>

#include <fmt/format.h>

#include <string>
#include <vector>

#include "support/test_loop.h"

namespace squall::in_process_http_client_test {
namespace {

using namespace std::chrono_literals;
using http::FunctionDelegate;
using http::HTTPRequest;
using http::HTTPResponse;
using http::ServerRequest;
using http::ServerResponse;
using testing::InProcessHTTPClient;
using testing::InProcessOptions;
using testing::Live;
using testing::TestLoop;
using testing::VirtualClock;

ServerResponse describe(ServerRequest& request) {
  return ServerResponse(fmt::format("{} {}://{}{} from {}, body {}", request.method_name(),
                                    request.protocol(), request.headers().get("Host"), request.path(),
                                    request.remote_ip(), request.body().size()));
}

std::string fetch(TestLoop& loop, http::AsyncHTTPClient& client, HTTPRequest request) {
  return loop.run(client.fetch(std::move(request))).body();
}

TEST_CASE("every URL reaches the delegate, which sees its scheme and host", "[in_process]") {
  TestLoop loop;
  FunctionDelegate delegate(describe);
  InProcessHTTPClient client(delegate);
  CHECK(fetch(loop, client, HTTPRequest("http://api.test/a")) ==
        "GET http://api.test/a from 127.0.0.1, body 0");
  CHECK(fetch(loop, client, HTTPRequest("https://name.invalid:99/")) ==
        "GET https://name.invalid:99/ from 127.0.0.1, body 0");
  HTTPRequest upload("http://[::1]/");
  upload.method = "POST";
  upload.body = std::string(3'000'000, 'x');
  CHECK(fetch(loop, client, upload) == "POST http://[::1]/ from 127.0.0.1, body 3000000");
  CHECK(client.idle_connections() == 3);
}

TEST_CASE("the peer, the server and the client have their options", "[in_process]") {
  TestLoop loop;
  FunctionDelegate delegate(describe);
  InProcessOptions options;
  options.peer = *Address::parse_ip("2001:db8::7");
  options.server.max_body_size = 3;
  options.client.defaults.user_agent = "Test/1";
  InProcessHTTPClient client(delegate, options);
  CHECK(fetch(loop, client, HTTPRequest("http://h/")) == "GET http://h/ from 2001:db8::7, body 0");
  HTTPRequest large("http://h/");
  large.method = "PUT";
  large.body = "long";
  CHECK(loop.run(client.fetch(large, http::RaiseError::no)).status() == 413);
  loop.log.expect("413 PUT /");
  loop.log.expect_any("");
  options.client.connector = [](const http::URL&) { return Task<IOStream>(); };
  CHECK_THROWS_AS(InProcessHTTPClient(delegate, options), std::invalid_argument);
}

Task<ServerResponse> answer_after_a_day(ServerRequest&) {
  co_await sleep(24h);
  co_return ServerResponse("late");
}

TEST_CASE("a virtual clock skips to the answer, as requests have no timeout of their own", "[in_process]") {
  VirtualClock clock;
  TestLoop loop({.time_source = &clock});
  FunctionDelegate delegate(answer_after_a_day);
  InProcessHTTPClient client(delegate);
  CHECK(fetch(loop, client, HTTPRequest("http://h/")) == "late");
  HTTPRequest impatient("http://h/");
  impatient.request_timeout = 1h;
  CHECK_THROWS_AS(fetch(loop, client, impatient), http::HTTPTimeoutError);
}

Task<ServerResponse> never_answer(ServerRequest&) {
  const Live live;
  Event never;
  co_await never.wait();
  co_return ServerResponse("never");
}

TEST_CASE("destroying the client cancels the handlers of its requests", "[in_process]") {
  TestLoop loop;
  FunctionDelegate delegate(never_answer);
  auto client = std::make_unique<InProcessHTTPClient>(delegate);
  Task<HTTPResponse> pending = client->fetch("http://h/");
  struct Owner final : detail::TaskOwner {
    std::coroutine_handle<> task_ended(std::size_t) noexcept override {
      ended = true;
      return std::noop_coroutine();
    }
    bool ended = false;
  } owner;
  pending.start(owner);
  loop.run_until([] { return Live::count == 1; });
  client.reset();
  CHECK(Live::count == 0);
  loop.run_until([&] { return owner.ended; });
  CHECK_THROWS_AS(pending.result(), http::HTTPClientClosedError);
  loop.log.expect_any("");
}

Task<> echo_a_line(http::Exchange& exchange) {
  co_await moment();
  exchange.set_status(101);
  exchange.headers().set("Upgrade", "echo");
  exchange.headers().set("Connection", "Upgrade");
  exchange.write({});
  IOStream stream = exchange.detach();
  const ReadView line = co_await stream.read_until("\n");
  co_await stream.write(line);
}
Task<std::string> talk(InProcessHTTPClient& client) {
  HTTPRequest request("http://h/");
  request.headers.add("Upgrade", "echo");
  http::UpgradedConnection connection = co_await client.upgrade(std::move(request));
  IOStream& stream = connection.stream;
  co_await stream.write("hello\n");
  const ReadView line = co_await stream.read_until("\n");
  co_return std::string(line);
}

TEST_CASE("a connection can switch to another protocol (RFC 9110, 7.8)", "[in_process]") {
  TestLoop loop;
  FunctionDelegate delegate(echo_a_line);
  InProcessHTTPClient client(delegate);
  CHECK(loop.run(talk(client)) == "hello\n");
}

}  // namespace
}  // namespace squall::in_process_http_client_test

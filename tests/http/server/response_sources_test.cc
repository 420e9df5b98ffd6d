// Bodies of responses from other places than a string.

#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "support/http_fixture.h"
#include "support/temporary_file.h"

namespace squall::http::response_sources_test {
namespace {

using testing::HTTPFixture;
using testing::RawPeer;

std::string body_of(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

std::string get(std::string_view path = "/", std::string_view method = "GET") {
  return fmt::format("{} {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", method, path);
}

TEST_CASE("a shared block is the body of many responses, and freed after the last", "[response_sources]") {
  for (const std::size_t size : {0, 10, 100'000}) {
    auto block = std::make_shared<const std::string>(size, 'x');
    const std::weak_ptr<const std::string> watched = block;
    HTTPFixture fixture([&](Exchange& exchange, Task<>&) { exchange.finish(block); });
    for (int i = 0; i < 2; ++i) {
      const std::string answer = fixture.talk(get());
      CHECK(answer.find(fmt::format("\r\nContent-Length: {}\r\n", size)) != answer.npos);
      CHECK(body_of(answer) == *block);
    }
    const std::string head = fixture.talk(get("/", "HEAD"));
    CHECK(head.find(fmt::format("\r\nContent-Length: {}\r\n", size)) != head.npos);
    CHECK(body_of(head).empty());
    block.reset();
    CHECK(watched.expired());
  }
}

AsyncGenerator<std::string> endless() {
  for (;;) co_yield "x";
}

TEST_CASE("the pieces of a response without a body are not asked for, be they without end",
          "[response_sources]") {
  HTTPFixture fixture([](Exchange& exchange, Task<>& pending) { pending = exchange.finish_with(endless()); });
  const std::string head = fixture.talk(get("/", "HEAD"));
  CHECK(head.starts_with("HTTP/1.1 200 "));
  CHECK(body_of(head).empty());
}

TEST_CASE("a file that is shorter than its range is refused before the head is sent", "[response_sources]") {
  const OwnedFd file = testing::temporary_file("short");
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) {
    CHECK_THROWS_AS(exchange.finish_file({OwnedFd(::dup(file.get())), 0, 100}), std::invalid_argument);
    exchange.set_status(404);
    exchange.finish("not here");
  });
  const std::string answer = fixture.talk(get());
  CHECK(answer.starts_with("HTTP/1.1 404 "));
  CHECK(body_of(answer) == "not here");
}

struct File {
  explicit File(std::size_t size) {
    for (std::size_t i = 0; bytes.size() < size; ++i) bytes += std::to_string(i) + ' ';
    bytes.resize(size);
    file = testing::temporary_file(bytes);
  }
  FileSlice slice(std::uint64_t offset, std::uint64_t length) {
    return {OwnedFd(::dup(file.get())), offset, length};
  }
  OwnedFd file;
  std::string bytes;
};

TEST_CASE("a range of a file is a body, with its length, and the next request is answered",
          "[response_sources]") {
  File file(3'000'000);
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) {
    const std::string_view path = exchange.request().path();
    if (path == "/all") exchange.finish_file(file.slice(0, file.bytes.size()));
    if (path == "/some") {
      exchange.set_status(206);
      exchange.finish_file(file.slice(1000, 5000));
    }
    if (path == "/none") exchange.finish_file(file.slice(0, 0));
  });
  RawPeer peer = fixture.connect();
  peer.send("GET /all HTTP/1.1\r\nHost: h\r\n\r\nGET /some HTTP/1.1\r\nHost: h\r\n\r\n" + get("/none"));
  const std::string all = fixture.read_to_end(peer);
  const std::string first = body_of(all);
  CHECK((first.substr(0, file.bytes.size()) == file.bytes));
  const std::string rest = first.substr(file.bytes.size());
  CHECK(rest.starts_with("HTTP/1.1 206 "));
  CHECK(rest.find("\r\nContent-Length: 5000\r\n") != rest.npos);
  CHECK((body_of(rest).substr(0, 5000) == file.bytes.substr(1000, 5000)));
  CHECK(body_of(rest).substr(5000).find("\r\nContent-Length: 0\r\n") != rest.npos);
  const std::string head = fixture.talk(get("/some", "HEAD"));
  CHECK(head.find("\r\nContent-Length: 5000\r\n") != head.npos);
  CHECK(body_of(head).empty());
}

TEST_CASE("a range beyond the end of a file closes the connection, and no part is sent",
          "[response_sources]") {
  File file(100);
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) { exchange.finish_file(file.slice(0, 1'000)); });
  CHECK(fixture.talk(get()).empty());
  fixture.loop.log.expect("more than the file has");
}

AsyncGenerator<std::string> count_to(int last) {
  for (int i = 1; i <= last; ++i) {
    if (i == 2) co_await moment();
    co_yield fmt::format("{} ", i);
  }
}

AsyncGenerator<std::string> fails_after_one() {
  co_yield "1 ";
  throw std::runtime_error("the generator failed");
}

TEST_CASE("a generator's pieces are a body in chunks", "[response_sources]") {
  HTTPFixture fixture(
      [](Exchange& exchange, Task<>& pending) { pending = exchange.finish_with(count_to(3)); });
  CHECK(body_of(fixture.talk(get())) == "2\r\n1 \r\n2\r\n2 \r\n2\r\n3 \r\n0\r\n\r\n");
}

TEST_CASE("a generator that throws closes the connection", "[response_sources]") {
  HTTPFixture fixture(
      [](Exchange& exchange, Task<>& pending) { pending = exchange.finish_with(fails_after_one()); });
  const std::string answer = fixture.talk(get());
  CHECK(answer.find("\r\n0\r\n") == answer.npos);
  fixture.loop.log.expect("the generator failed");
}

TEST_CASE("a whole body cannot follow a piece", "[response_sources]") {
  File file(10);
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) {
    exchange.write("x");
    CHECK_THROWS_AS(exchange.finish_file(file.slice(0, 10)), std::logic_error);
    exchange.finish();
  });
  CHECK(body_of(fixture.talk(get())) == "1\r\nx\r\n0\r\n\r\n");
}

}  // namespace
}  // namespace squall::http::response_sources_test

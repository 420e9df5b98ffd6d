#include <squall/http/server/response_filter.h>

#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "support/http_fixture.h"
#include "support/temporary_file.h"

namespace squall::http::response_filter_test {
namespace {

using testing::HTTPFixture;
using testing::RawPeer;
using testing::without_date;

// Doubles every byte, and records in the head the arguments of its call.
class Doubler : public ResponseFilter {
 public:
  explicit Doubler(std::string name) : name_(std::move(name)) {}
  void head(int& status, Headers& headers, std::optional<std::uint64_t> size) override {
    headers.remove("Content-Length");
    headers.add("X-Filter", fmt::format("{} {} {}", name_, status, size ? fmt::to_string(*size) : "pieces"));
  }
  void piece(std::string_view piece, std::string& out) override {
    for (const char c : piece) out.append(2, c);
  }
  void end(std::string& out) override { out += name_; }

 private:
  std::string name_;
};

std::string body_of(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

std::string get(std::string_view method = "GET") {
  return fmt::format("{} / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", method);
}

TEST_CASE("a filter changes the head and the body of a whole response before it is framed",
          "[response_filter]") {
  HTTPFixture fixture([](Exchange& exchange, Task<>&) {
    exchange.add_filter(std::make_unique<Doubler>("a"));
    exchange.headers().set("Content-Length", "3");
    exchange.finish("xyz");
  });
  const std::string answer = fixture.talk(get());
  CHECK(answer.find("\r\nX-Filter: a 200 3\r\n") != answer.npos);
  CHECK(answer.find("\r\nContent-Length: 7\r\n") != answer.npos);
  CHECK(body_of(answer) == "xxyyzza");
  const std::string head = fixture.talk(get("HEAD"));
  CHECK(head.find("\r\nContent-Length: 7\r\n") != head.npos);
  CHECK(body_of(head).empty());
}

class Failing : public ResponseFilter {
 public:
  void head(int&, Headers& headers, std::optional<std::uint64_t>) override {
    headers.set("Content-Encoding", "failing");
  }
  void piece(std::string_view, std::string&) override { throw std::runtime_error("no"); }
};

TEST_CASE("a filter that throws before the head is sent is not applied to the error response",
          "[response_filter]") {
  HTTPFixture fixture([](Exchange& exchange, Task<>&) {
    exchange.add_filter(std::make_unique<Failing>());
    CHECK_THROWS_AS(exchange.finish("x"), std::runtime_error);
    CHECK_THROWS_AS(exchange.finish("x"), std::logic_error);
    exchange.reset_head();
    exchange.set_status(500);
    exchange.finish("failed");
  });
  const std::string answer = fixture.talk(get());
  CHECK(answer.starts_with("HTTP/1.1 500 "));
  CHECK(answer.find("Content-Encoding") == answer.npos);
  CHECK(body_of(answer) == "failed");
}

TEST_CASE("filters are called in the order in which they were added", "[response_filter]") {
  HTTPFixture fixture([](Exchange& exchange, Task<>&) {
    exchange.add_filter(std::make_unique<Doubler>("a"));
    exchange.add_filter(std::make_unique<Doubler>("b"));
    exchange.finish("x");
  });
  CHECK(body_of(fixture.talk(get())) == "xxxxaab");
}

TEST_CASE("a filter sees the pieces of a body, and bytes that it adds at the end are the last chunk",
          "[response_filter]") {
  HTTPFixture fixture([](Exchange& exchange, Task<>&) {
    exchange.add_filter(std::make_unique<Doubler>("a"));
    exchange.write("x");
    exchange.write("");
    exchange.write("yz");
    exchange.finish();
  });
  const std::string answer = fixture.talk(get());
  CHECK(answer.find("\r\nX-Filter: a 200 pieces\r\n") != answer.npos);
  CHECK(body_of(answer) == "2\r\nxx\r\n4\r\nyyzz\r\n1\r\na\r\n0\r\n\r\n");
}

// Throws in the middle of a body.
class Thrower : public ResponseFilter {
 public:
  void head(int&, Headers&, std::optional<std::uint64_t>) override {}
  void piece(std::string_view piece, std::string& out) override {
    if (piece == "bad") throw std::runtime_error("the filter failed");
    out += piece;
  }
};

TEST_CASE("an exception of a filter is thrown to the handler, and no part of the response is sent",
          "[response_filter]") {
  HTTPFixture fixture([](Exchange& exchange, Task<>&) {
    exchange.add_filter(std::make_unique<Thrower>());
    exchange.finish("bad");
  });
  CHECK(fixture.talk(get()).empty());
  fixture.loop.log.expect("the filter failed");
}

TEST_CASE("a filter may replace the status, and does not affect the next response", "[response_filter]") {
  class Teapot : public ResponseFilter {
   public:
    void head(int& status, Headers& headers, std::optional<std::uint64_t>) override {
      status = 418;
      headers.set("X-Kind", "pot");
    }
    void piece(std::string_view, std::string&) override {}
  };
  int requests = 0;
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) {
    if (++requests == 1) exchange.add_filter(std::make_unique<Teapot>());
    exchange.finish("tea");
  });
  testing::RawPeer peer = fixture.connect();
  peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string first = fixture.read_responses(peer, 1);
  CHECK(first.starts_with("HTTP/1.1 418 "));
  CHECK(first.find("\r\nContent-Length: 0\r\n") != first.npos);
  peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string second = fixture.read_responses(peer, 1);
  CHECK(second.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(second.ends_with("\r\n\r\ntea"));
  CHECK(second.find("X-Kind") == second.npos);
}

TEST_CASE("filters see files and shared blocks as well", "[response_filter]") {
  const std::string bytes(100'000, 'f');
  const OwnedFd file = testing::temporary_file(bytes);
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) {
    exchange.add_filter(std::make_unique<Doubler>("a"));
    if (exchange.request().path() == "/file") {
      exchange.finish_file({OwnedFd(::dup(file.get())), 0, bytes.size()});
    } else {
      exchange.finish(std::make_shared<const std::string>(bytes));
    }
  });
  const std::string shared = fixture.talk("GET /shared HTTP/1.0\r\n\r\n");
  CHECK(body_of(shared).size() == 200'001);
  const std::string read = fixture.talk("GET /file HTTP/1.0\r\n\r\n");
  CHECK(body_of(read).size() == 200'001);
}

TEST_CASE("add_filter() throws once the head is sent", "[response_filter]") {
  HTTPFixture fixture([](Exchange& exchange, Task<>&) {
    exchange.write("x");
    CHECK_THROWS_AS(exchange.add_filter(std::make_unique<Doubler>("a")), std::logic_error);
    exchange.finish();
  });
  CHECK(body_of(fixture.talk(get())) == "1\r\nx\r\n0\r\n\r\n");
}

// ---- The hook of the head.

// Adds a header with the size that the hook is given, and a filter if the test wants one.
struct Hook {
  static void call(void* context, std::optional<std::uint64_t> size) {
    auto& hook = *static_cast<Hook*>(context);
    ++hook.calls;
    if (hook.fails) throw std::runtime_error("the hook failed");
    hook.exchange->headers().add("X-Hook", fmt::format("{} {}", hook.exchange->status(), size.value_or(999)));
    if (hook.adds_filter) hook.exchange->add_filter(std::make_unique<Doubler>("a"));
  }
  void set(Exchange& at) {
    exchange = &at;
    at.set_head_hook({&Hook::call, this});
  }

  bool adds_filter = false;
  bool fails = false;
  int calls = 0;
  Exchange* exchange = nullptr;
};

TEST_CASE("the head hook is called once, before the head is sent, whatever the source of the body is",
          "[response_filter]") {
  const OwnedFd file = testing::temporary_file("12345");
  const std::string source = GENERATE("whole", "pieces", "shared", "large shared", "file", "empty");
  const bool adds_filter = GENERATE(false, true);
  Hook hook{.adds_filter = adds_filter};
  const std::string large(20'000, 'x');
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) {
    hook.set(exchange);
    exchange.set_status(201);
    if (source == "pieces") {
      exchange.write("1");
      exchange.write("2");
    }
    if (source == "shared") return exchange.finish(std::make_shared<const std::string>("12"));
    if (source == "large shared") return exchange.finish(std::make_shared<const std::string>(large));
    if (source == "file") return exchange.finish_file({OwnedFd(::dup(file.get())), 0, 5});
    exchange.finish(source == "empty" ? "" : "3");
  });
  const std::string answer = fixture.talk(get());
  const std::string size = source == "pieces"         ? "999"
                           : source == "whole"        ? "1"
                           : source == "shared"       ? "2"
                           : source == "large shared" ? "20000"
                           : source == "file"         ? "5"
                                                      : "0";
  CAPTURE(source, answer);
  CHECK(hook.calls == 1);
  CHECK(answer.find("\r\nX-Hook: 201 " + size + "\r\n") != answer.npos);
  CHECK((answer.find("\r\nX-Filter: a 201") != answer.npos) == adds_filter);
  if (source == "file" && adds_filter) CHECK(answer.find("1122334455") != answer.npos);
}

TEST_CASE("after a reset of the head the hook is called for the new head", "[response_filter]") {
  Hook hook;
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) {
    hook.set(exchange);
    exchange.add_filter(std::make_unique<Failing>());
    CHECK_THROWS(exchange.finish("x"));
    exchange.reset_head();
    exchange.set_status(500);
    exchange.finish("page");
  });
  CHECK(fixture.talk(get()).find("\r\nX-Hook: 500 4\r\n") != std::string::npos);
  CHECK(hook.calls == 2);
}

TEST_CASE("a hook that throws is not called again, and the next request has no hook", "[response_filter]") {
  Hook hook{.fails = true};
  int requests = 0;
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) {
    if (++requests > 1) return exchange.finish("second");
    hook.set(exchange);
    CHECK_THROWS_AS(exchange.finish("x"), std::runtime_error);
    exchange.reset_head();
    exchange.finish("page");
  });
  RawPeer peer = fixture.connect();
  peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n" + get());
  const std::string answers = fixture.read_to_end(peer);
  CHECK(answers.find("page") != answers.npos);
  CHECK(answers.find("second") != answers.npos);
  CHECK(hook.calls == 1);
}

TEST_CASE("a filtered response to HEAD without a body has no length", "[response_filter]") {
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) {
    struct Nothing : ResponseFilter {
      void head(int&, Headers&, std::optional<std::uint64_t>) override {}
      void piece(std::string_view, std::string&) override {}
    };
    exchange.add_filter(std::make_unique<Nothing>());
    exchange.finish();
  });
  CHECK(fixture.talk(get("HEAD")).find("Content-Length") == std::string::npos);
  CHECK(fixture.talk(get()).find("Content-Length: 0") != std::string::npos);
}

TEST_CASE("shared blocks are pieces of a body, copied or not", "[response_filter]") {
  const auto large = std::make_shared<const std::string>(50'000, 'x');
  HTTPFixture fixture([&](Exchange& exchange, Task<>&) {
    exchange.write_shared(std::make_shared<const std::string>("ab"));
    exchange.write_shared(large);
    exchange.finish("c");
  });
  const std::string answer = fixture.talk(get());
  CHECK(body_of(answer) == "2\r\nab\r\nc350\r\n" + *large + "\r\n1\r\nc\r\n0\r\n\r\n");
  const std::string old = fixture.talk("GET / HTTP/1.0\r\n\r\n");
  CHECK(body_of(old) == "ab" + *large + "c");
}

}  // namespace
}  // namespace squall::http::response_filter_test

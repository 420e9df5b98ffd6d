// WebSocketHandler in an application: its handshake, its hooks and its functions.

#include <squall/websocket/handler/websocket_handler.h>

#include <squall/web/locale/locales.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/temporary_folder.h"
#include "websocket/handler/socket_scene.h"

namespace squall::websocket::websocket_handler_test {
namespace {

using namespace std::chrono_literals;
using handler_testing::frame;
using handler_testing::handshake;
using handler_testing::RawPeer;
using handler_testing::SocketClient;
using handler_testing::SocketFixture;
using handler_testing::Steps;
using web::url;

// The steps that the handlers below record.
Steps g_steps;

void step(std::string text) { g_steps.push_back(std::move(text)); }

class EchoSocket : public WebSocketHandler {
 public:
  void on_message(const Message& message) { write_message(message); }
};

class RecordingSocket : public WebSocketHandler {
 public:
  RecordingSocket() { g_steps.clear(); }
  ~RecordingSocket() override { step("destroyed"); }
  void initialize() { step("initialize"); }
  void prepare() { step("prepare"); }
  void on_finish() { step("on_finish " + std::to_string(status())); }
  std::optional<std::string> select_subprotocol(std::span<const std::string_view> proposed) override {
    step("select_subprotocol " + std::to_string(proposed.size()));
    if (proposed.empty()) return std::nullopt;
    return std::string(proposed.back());
  }
  std::optional<DeflateOptions> get_compression_options() override {
    step("get_compression_options");
    return DeflateOptions();
  }
  void open(std::int64_t number, std::optional<std::string> name) {
    step("open " + std::to_string(number) + ' ' + name.value_or("-") + ' ' + selected_subprotocol());
    write_message("welcome");
  }
  void on_message(const Message& message) {
    step((message.is_text() ? "text " : "binary ") + std::string(message.data));
    write_message(message);
  }
  void on_ping(std::string_view data) { step("ping " + std::string(data)); }
  void on_pong(std::string_view data) { step("pong " + std::string(data)); }
  void on_close() {
    step("on_close " + (close_code() ? std::to_string(*close_code()) : "none") + ' ' + close_reason());
  }
};

// The same with tasks.
class TaskSocket : public WebSocketHandler {
 public:
  TaskSocket() { g_steps.clear(); }
  ~TaskSocket() override { step("destroyed"); }
  Task<> prepare() {
    co_await moment();
    step("prepare");
  }
  Task<> on_finish() {
    co_await moment();
    step("on_finish");
  }
  Task<> open(std::int64_t number, std::optional<std::string> name) {
    co_await moment();
    step("open " + std::to_string(number) + ' ' + name.value_or("-"));
    co_await write_message("welcome");
  }
  Task<> on_message(std::string_view text) {
    co_await moment();
    step("text " + std::string(text));
    co_await write_message(text);
  }
  Task<> on_ping(std::string_view data) {
    co_await moment();
    step("ping " + std::string(data));
  }
  Task<> on_pong(std::string_view data) {
    co_await moment();
    step("pong " + std::string(data));
  }
  Task<> on_close() {
    co_await moment();
    step("on_close");
  }
};

void run_to(SocketFixture& fixture, const std::string& last) {
  fixture.loop.run_until([&] { return !g_steps.empty() && g_steps.back() == last; });
}

TEST_CASE("hooks run in their order, with the path's groups by type (WSK-30, WSK-15)",
          "[websocket_handler]") {
  SocketFixture fixture({url<RecordingSocket>(R"(/chat/(\d+)(?:/(\w+))?)")});
  SocketClient client(fixture, "/chat/7/a%62c", "Sec-WebSocket-Protocol: one, two\r\n");
  CHECK(
      client.head() ==
      "HTTP/1.1 101 Switching Protocols\r\nServer: Squall/0.1.0\r\nUpgrade: websocket\r\nConnection: "
      "Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: two\r\n\r\n");
  CHECK(client.next() == "text:welcome");
  client.say("Hello");
  CHECK(client.next() == "text:Hello");
  client.send(Opcode::binary, "\x01\x02");
  CHECK(client.next() == "binary:\x01\x02");
  client.send(Opcode::ping, "p");
  CHECK(client.next() == "pong:p");
  client.send(Opcode::pong, "q");
  client.send_close(4001, "bye");
  CHECK(client.next() == "close:4001");
  CHECK(client.next() == "end");
  run_to(fixture, "destroyed");
  CHECK(g_steps == Steps{"initialize", "prepare", "get_compression_options", "select_subprotocol 2",
                         "on_finish 101", "open 7 abc two", "text Hello", "binary \x01\x02", "ping p",
                         "pong q", "on_close 4001 bye", "destroyed"});
}

TEST_CASE("hooks may be tasks, and each ends before the next one begins (WSK-20, WSK-21)",
          "[websocket_handler]") {
  SocketFixture fixture({url<TaskSocket>(R"(/chat/(\d+)(?:/(\w+))?)")});
  SocketClient client(fixture, "/chat/7");
  client.say("a");
  client.send(Opcode::ping, "p");
  client.say("b");
  client.send(Opcode::pong, "q");
  client.send_close(1000);
  CHECK(client.rest() == "text:welcome text:a pong:p text:b close:1000 ");
  run_to(fixture, "destroyed");
  CHECK(g_steps == Steps{"prepare", "on_finish", "open 7 -", "text a", "ping p", "text b", "pong q",
                         "on_close", "destroyed"});
}

TEST_CASE("a group that does not convert means a 404, and no WebSocket", "[websocket_handler]") {
  SocketFixture fixture({url<RecordingSocket>(R"(/chat/(\w+)(?:/(\w+))?)")});
  SocketClient client(fixture, "/chat/seven");
  CHECK(client.status() == "404");
  CHECK(SocketClient(fixture, "/chat/99999999999999999999").status() == "404");
}

TEST_CASE("a route with too few groups for open() is refused when it is made", "[websocket_handler]") {
  CHECK_THROWS_AS(web::Application({url<TaskSocket>(R"(/chat/(\d+))")}), std::invalid_argument);
}

TEST_CASE("requests that are no handshake get the answers of the rows (WSK-01 to WSK-05)",
          "[websocket_handler]") {
  SocketFixture fixture({url<EchoSocket>("/")});
  CHECK(fixture.brief("GET", "/") == "400 Can \"Upgrade\" only to \"WebSocket\".");
  CHECK(fixture.brief("GET", "/", "Upgrade: websocket\r\n") == "400 \"Connection\" must be \"Upgrade\".");
  const std::string version = SocketClient(fixture, "/", "Sec-WebSocket-Version: 6\r\n").head();
  CHECK(version.find("\r\nSec-WebSocket-Version: 7, 8, 13\r\n") != version.npos);
  CHECK(version.starts_with("HTTP/1.1 426 "));
  CHECK(SocketClient(fixture, "/", "Origin: http://evil.example\r\n").status() == "403");
  CHECK(SocketClient(fixture, "/", "Sec-WebSocket-Key: x\r\n").status() == "400");
  CHECK(fixture.brief("HEAD", "/").starts_with("405 "));
  const std::string post = fixture.fetch("POST", "/", "", "x");
  CHECK(post.starts_with("HTTP/1.1 405 "));
  CHECK(post.find("\r\nAllow: GET\r\n") != post.npos);
}

class PickySocket : public EchoSocket {
 public:
  bool check_origin(std::string_view origin) override { return origin == "https://friend.example"; }
};

TEST_CASE("check_origin() decides for requests with an origin, and only for those (WSK-03, WSK-10)",
          "[websocket_handler]") {
  SocketFixture fixture({url<PickySocket>("/picky"), url<EchoSocket>("/")});
  const auto status = [&](std::string_view target, std::string_view origin) {
    return SocketClient(fixture, target, origin).status();
  };
  CHECK(status("/picky", "") == "101");
  CHECK(status("/picky", "Origin: https://friend.example\r\n") == "101");
  CHECK(status("/picky", "Sec-WebSocket-Origin: https://friend.example\r\n") == "101");
  CHECK(status("/picky", "Origin: http://h.example\r\n") == "403");
  CHECK(status("/", "Origin: http://H.EXAMPLE\r\n") == "101");
  CHECK(status("/", "Origin: http://h.example:81\r\n") == "403");
}

class AskedSocket : public EchoSocket {
 public:
  std::optional<std::string> select_subprotocol(std::span<const std::string_view> proposed) override {
    std::string all = "asked";
    for (const std::string_view one : proposed) all.append(" ").append(one);
    step(all);
    return get_query_argument("select", "").empty() ? std::nullopt
                                                    : std::optional(get_query_argument("select"));
  }
};

TEST_CASE("select_subprotocol() is called once, and must choose among the proposed ones (WSK-11)",
          "[websocket_handler]") {
  SocketFixture fixture({url<AskedSocket>("/")});
  g_steps.clear();
  CHECK(SocketClient(fixture).head().find("Sec-WebSocket-Protocol") == std::string::npos);
  CHECK(SocketClient(fixture, "/", "Sec-WebSocket-Protocol: a,b\r\n").status() == "101");
  CHECK(SocketClient(fixture, "/?select=b", "Sec-WebSocket-Protocol: a,b\r\n")
            .head()
            .find("\r\nSec-WebSocket-Protocol: b\r\n") != std::string::npos);
  CHECK(SocketClient(fixture, "/?select=c", "Sec-WebSocket-Protocol: a,b\r\n").status() == "500");
  fixture.loop.log.expect("the client did not propose");
  CHECK(g_steps == Steps{"asked", "asked a b", "asked a b", "asked a b"});
}

class CompressedSocket : public EchoSocket {
 public:
  std::optional<DeflateOptions> get_compression_options() override { return DeflateOptions(); }
};

TEST_CASE("messages are compressed if the class and the client want it (WSK-28)", "[websocket_handler]") {
  SocketFixture fixture({url<CompressedSocket>("/on"), url<EchoSocket>("/off")});
  const std::string offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
  SocketClient on(fixture, "/on", offer);
  CHECK(on.head().find("\r\nSec-WebSocket-Extensions: permessage-deflate\r\n") != std::string::npos);
  on.peer().send(
      frame(Role::client, Opcode::text, std::string("\xf2\x48\xcd\xc9\xc9\x07\x00", 7), true, true));
  std::string got;
  fixture.loop.run_until([&] {
    on.peer().drain(got);
    return got.size() >= 2;
  });
  CHECK(static_cast<unsigned char>(got[0]) == 0xc1);
  CHECK(SocketClient(fixture, "/off", offer).head().find("Extensions") == std::string::npos);
  // A malformed offer is declined (WSK-06).
  CHECK(SocketClient(fixture, "/on", "Sec-WebSocket-Extensions: permessage-deflate; =\r\n")
            .head()
            .starts_with("HTTP/1.1 101"));
}

class HeadSocket : public EchoSocket {
 public:
  void set_default_headers() override { set_header("X-Default", "d"); }
  void prepare() {
    set_header("X-Prepared", "p");
    set_cookie("seen", "1");
    if (get_query_argument("refuse", "") == "yes") {
      set_status(409);
      finish("not now");
    }
    if (get_query_argument("refuse", "") == "throw") throw web::HTTPError(403);
    if (get_query_argument("refuse", "") == "text") write("text");
  }
};

TEST_CASE("the 101 has the handler's headers and cookies, without a Content-Type (WSK-13)",
          "[websocket_handler]") {
  SocketFixture fixture({url<HeadSocket>("/")});
  CHECK(SocketClient(fixture).head() ==
        "HTTP/1.1 101 Switching Protocols\r\nServer: Squall/0.1.0\r\nX-Default: d\r\nX-Prepared: p\r\n"
        "Set-Cookie: seen=1; HttpOnly; Path=/; SameSite=Lax\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
}

TEST_CASE("an application that compresses its responses has WebSockets", "[websocket_handler]") {
  SocketFixture fixture({url<EchoSocket>("/")}, {.compress_response = web::CompressionOptions()});
  SocketClient client(fixture, "/", "Accept-Encoding: gzip\r\n");
  CHECK(client.status() == "101");
  client.say(std::string(100, 'x'));
  CHECK(client.next() == "text:" + std::string(100, 'x'));
}

TEST_CASE("prepare() may answer in place of the handshake, and the client may ask again",
          "[websocket_handler]") {
  SocketFixture fixture({url<HeadSocket>("/")});
  RawPeer peer = fixture.connect();
  peer.send(handshake("/?refuse=yes") + handshake("/?refuse=throw") + handshake("/"));
  std::string got;
  fixture.loop.run_until([&] {
    peer.drain(got);
    return got.find(" 101 ") != got.npos;
  });
  CHECK(got.find(" 409 ") < got.find("not now"));
  CHECK(got.find("not now") < got.find(" 403 "));
  SocketClient text(fixture, "/?refuse=text");
  CHECK(text.status() == "500");
  fixture.loop.log.expect("has no body");
}

class UserSocket : public WebSocketHandler {
 public:
  static constexpr bool authenticated = true;
  std::optional<std::string> get_current_user() { return get_signed_cookie("user"); }
  void on_message(std::string_view) { write_message(*current_user<std::string>()); }
};
class LogInHandler : public web::RequestHandler {
 public:
  void get() { set_signed_cookie("user", "ada"); }
};

TEST_CASE("a handshake is authenticated by its cookies, as any other GET", "[websocket_handler]") {
  web::Settings settings;
  settings.cookie_secret = "a secret for the test of handshakes";
  settings.login_url = "/log_in";
  settings.xsrf_cookies.emplace();
  SocketFixture fixture({url<UserSocket>("/"), url<LogInHandler>("/log_in")}, std::move(settings));
  CHECK(SocketClient(fixture).status() == "302");
  const std::string answer = fixture.fetch("GET", "/log_in");
  const std::size_t begin = answer.find("user=");
  const std::string cookie = answer.substr(begin, answer.find(';', begin) - begin);
  SocketClient client(fixture, "/", "Cookie: " + cookie + "\r\n");
  CHECK(client.status() == "101");
  client.say("who am I?");
  CHECK(client.next() == "text:ada");
}

class RefusingMiddleware {
 public:
  void before(web::RequestHandler& handler) {
    if (!handler.get_query_argument("token", "").empty()) return;
    handler.set_status(401);
    handler.finish("no token");
  }
};

TEST_CASE("middleware sees the handshake", "[websocket_handler]") {
  web::Settings settings;
  settings.middleware.emplace_back(std::make_shared<RefusingMiddleware>());
  SocketFixture fixture({url<EchoSocket>("/")}, std::move(settings));
  CHECK(SocketClient(fixture).status() == "401");
  CHECK(SocketClient(fixture, "/?token=t").status() == "101");
}

class LateSocket : public WebSocketHandler {
 public:
  void prepare() {
    try_it("connection", [this] { write_message("early"); });
  }
  void on_message(std::string_view) {
    try_it("write", [this] { write("x"); });
    try_it("redirect", [this] { redirect("/"); });
    try_it("set_header", [this] { set_header("a", "b"); });
    try_it("set_cookie", [this] { set_cookie("a", "b"); });
    try_it("set_status", [this] { set_status(200); });
    try_it("flush", [this] { flush(); });
    try_it("finish", [this] { finish(); });
    try_it("exchange", [this] { exchange().finish(); });
    try_it("xsrf_token", [this] { xsrf_token(); });
    step(request().target().data() == nullptr ? "no target" : std::string(request().target()));
    step(get_query_argument("q") + ' ' + get_cookie("c", "-") + ' ' + path_argument(0) + ' ' +
         request().remote_ip());
    write_message("done");
  }

 private:
  template <class Function>
  void try_it(const char* name, Function function) {
    try {
      function();
      step(std::string(name) + " worked");
    } catch (const std::logic_error& error) {
      if (std::string_view(error.what()) != "Method not supported for Web Sockets") step(error.what());
    }
  }
};
class ForgettingSocket : public LateSocket {
 public:
  static constexpr bool keep_request = false;
  std::optional<std::string> get_current_user() { return get_cookie("c"); }
  void open() { step("open " + get_query_argument("q")); }
  void on_message(std::string_view) {
    step(*current_user<std::string>() + ' ' + get_query_argument("q", "none") + ' ' +
         std::to_string(path_args().size()) + (get_cookie("c") ? " cookie" : ""));
    try {
      static_cast<void>(request());
    } catch (const std::logic_error& error) {
      step(error.what());
    }
    write_message("done");
  }
};

TEST_CASE("behind the 101 no response can be made, and the request can still be read (WSK-14)",
          "[websocket_handler]") {
  SocketFixture fixture({url<LateSocket>("/(.*)")});
  g_steps.clear();
  SocketClient client(fixture, "/late?q=v", "Cookie: c=d\r\n");
  SocketClient other(fixture, "/other?q=w");  // reuses no memory of the first
  client.say("go");
  CHECK(client.next() == "text:done");
  const std::string early = "The WebSocket is not open: its functions are for open() and the hooks behind it";
  CHECK(g_steps == Steps{early, early, "/late?q=v", "v d late 127.0.0.1"});
}

TEST_CASE("with keep_request = false the request ends with open()", "[websocket_handler]") {
  SocketFixture fixture({url<ForgettingSocket>("/(.*)")});
  g_steps.clear();
  SocketClient client(fixture, "/late?q=v", "Cookie: c=d\r\n");
  client.say("go");
  CHECK(client.next() == "text:done");
  CHECK(g_steps == Steps{"The WebSocket is not open: its functions are for open() and the hooks behind it",
                         "open v", "d none 0",
                         "The handshake's request is gone: use it in open(), or set keep_request"});
}

class LanguageSocket : public WebSocketHandler {
 public:
  static constexpr bool keep_request = false;
  std::optional<web::Locale> get_user_locale() override {
    ++questions;
    return std::nullopt;
  }
  void on_message(std::string_view text) {
    write_message(text == "language" ? locale().code() : std::to_string(questions));
  }
  inline static int questions = 0;
};

TEST_CASE("with keep_request = false the locale is still chosen by the request, and only when it is needed",
          "[websocket_handler]") {
  const squall::testing::TemporaryFolder folder;
  folder.file("de.csv", "hello,hallo\n");
  folder.file("fr.csv", "hello,bonjour\n");
  auto locales = std::make_shared<web::Locales>();
  locales->load_translations(folder / "");
  web::Settings settings;
  settings.locales = locales;
  SocketFixture fixture({url<LanguageSocket>("/")}, std::move(settings));
  LanguageSocket::questions = 0;
  SocketClient german(fixture, "/", "Accept-Language: de-AT,fr;q=0.5\r\n");
  SocketClient french(fixture, "/", "Accept-Language: fr\r\n");
  SocketClient other(fixture);
  german.say("questions");
  CHECK(german.next() == "text:0");
  for (int i = 0; i < 2; ++i) {
    german.say("language");
    CHECK(german.next() == "text:de");
  }
  french.say("language");
  CHECK(french.next() == "text:fr");
  other.say("language");
  CHECK(other.next() == "text:en_US");
  other.say("questions");
  CHECK(other.next() == "text:3");
}

class SettingsSocket : public EchoSocket {
 public:
  ConnectionOptions get_connection_options() override {
    ConnectionOptions options = WebSocketHandler::get_connection_options();
    step(std::to_string(options.max_message_size) + (options.ping_interval ? " pings" : " no pings"));
    options.max_message_size = 3;
    options.ping_interval = std::nullopt;
    return options;
  }
};

TEST_CASE("limits and pings come from the settings, and a class may have its own (WSK-29)",
          "[websocket_handler]") {
  web::Settings settings;
  settings.websocket_max_message_size = 5;
  settings.websocket_ping_interval = 1ms;
  settings.websocket_ping_timeout = 0ms;
  SocketFixture fixture({url<EchoSocket>("/"), url<SettingsSocket>("/own")}, std::move(settings));
  g_steps.clear();
  SocketClient client(fixture);
  CHECK(client.next() == "ping:");
  client.say("12345");
  std::string next = client.next();
  while (next == "ping:") next = client.next();
  CHECK(next == "text:12345");
  client.say("123456");
  while (next != "close:1009 message too big") next = client.next();
  SocketClient own(fixture, "/own");
  own.say("123");
  CHECK(own.next() == "text:123");
  own.say("1234");
  CHECK(own.next() == "close:1009 message too big");
  CHECK(g_steps == Steps{"5 pings"});
  CHECK(web::Settings().websocket_max_message_size == 10485760);
  CHECK_FALSE(web::Settings().websocket_ping_interval);
}

TEST_CASE("the access log has the 101, once, at the handshake (WSK-13, WSK-15)", "[websocket_handler]") {
  std::vector<int> logged;
  web::Settings settings;
  settings.log_function = [&logged](web::RequestHandler&, int status) { logged.push_back(status); };
  SocketFixture fixture({url<EchoSocket>("/")}, std::move(settings));
  SocketClient client(fixture);
  client.say("x");
  CHECK(client.next() == "text:x");
  CHECK(logged == std::vector<int>{101});
  client.send_close(1000);
  CHECK(client.rest() == "close:1000 ");
  fixture.loop.run_until([&] { return fixture.server.connections() == 0; });
  CHECK(logged == std::vector<int>{101});
}

}  // namespace
}  // namespace squall::websocket::websocket_handler_test

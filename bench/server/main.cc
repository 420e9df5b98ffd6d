// bench/server/main.cc -- a server for the benchmarks, written with the framework: GET /, GET /users/{id},
// POST /upload and, with --static, GET /static/{path}; with --websocket also a WebSocket at / that sends
// every message back; with --handlers the WebSockets /kept and /dropped, by handlers; or, with --file, a
// server of one file.
#include <squall/options/option_parser.h>
#include <squall/web.h>
#include <squall/websocket.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using namespace squall;

namespace {

// 13 bytes of text.
class HelloHandler : public web::RequestHandler {
 public:
  void get() { write("Hello, world!"); }
};

// About 1 KB of JSON with the id and the first 60 characters of the client's name in it.
class UserHandler : public web::RequestHandler {
 public:
  void get(std::int64_t id) {
    set_header("Content-Type", "application/json");
    write(R"({"id":)");
    write(std::to_string(id));
    write(R"(,"agent":")");
    write_escaped(request().headers().find("User-Agent").value_or("").substr(0, 60));
    write(kRest);
  }

 private:
  // Writes `text` as the content of a JSON string.
  void write_escaped(std::string_view text) {
    while (!text.empty()) {
      const std::size_t plain = std::min({text.find('"', 1), text.find('\\', 1), text.size()});
      if (text.front() == '"' || text.front() == '\\') write("\\");
      write(text.substr(0, plain));
      text.remove_prefix(plain);
    }
  }

  static inline const std::string kRest = R"(","padding":")" + std::string(850, 'x') + "\"}";
};

// Reads a body of any size, and counts its bytes.
class UploadHandler : public web::RequestHandler {
 public:
  static constexpr bool stream_request_body = true;
  Task<> post() {
    set_max_body_size(std::numeric_limits<std::size_t>::max());
    std::uint64_t count = 0;
    for (;;) {
      const std::string_view piece = co_await read_body();
      if (piece.empty()) break;
      count += piece.size();
    }
    write(std::to_string(count));
  }
};

// Sends every message back. With `kKeeps` the handler keeps the request of the handshake.
template <bool kKeeps>
class EchoHandler : public websocket::WebSocketHandler {
 public:
  static constexpr bool keep_request = kKeeps;
  bool check_origin(std::string_view) override { return true; }
  void on_message(const websocket::Message& message) { write_message(message); }
};

// Answers every request with the file.
std::unique_ptr<http::FunctionServer> serve_file(std::uint16_t port, const ListenOptions& listen,
                                                 const std::string& path) {
  const auto file = std::make_shared<OwnedFd>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (!*file || ::fstat(file->get(), &status) != 0)
    throw std::system_error(errno, std::generic_category(), path);
  http::ServeOptions options;
  options.listen = listen;
  return http::serve(
      port,
      [file, size = static_cast<std::uint64_t>(status.st_size)](http::Exchange& exchange) {
        exchange.finish_file({OwnedFd(::dup(file->get())), 0, size});
      },
      options);
}

// Passes all requests to the application, but the handshakes of WebSockets at /, and sends back the messages
// of those.
class EchoDelegate final : public http::ServerDelegate, private websocket::MessageReceiver {
 public:
  explicit EchoDelegate(web::Application& app) : app_(app) {
    options_.origins = websocket::AcceptOptions::Origins::any;
  }

  Body head_received(http::Exchange& exchange) override { return app_.head_received(exchange); }
  void handle_request(http::Exchange& exchange, Task<>& pending) override {
    const http::ServerRequest& request = exchange.request();
    if (request.target() == "/" && request.headers().find("Upgrade")) {
      pending = accept(exchange);
    } else {
      exchange.hand_over(app_);
      app_.handle_request(exchange, pending);
    }
  }
  void add_default_headers(http::Headers& headers) const override { app_.add_default_headers(headers); }

 private:
  Task<> accept(http::Exchange& exchange) {
    if (auto socket = websocket::accept(exchange, options_)) sockets_.add(std::move(socket), *this);
    co_return;
  }
  Task<> on_message(websocket::WebSocketConnection& socket, const websocket::Message& message) override {
    socket.write_message(message);
    return {};
  }
  void on_close(websocket::WebSocketConnection& socket) override { sockets_.destroy(socket); }

  web::Application& app_;
  websocket::AcceptOptions options_;
  websocket::ConnectionGroup sockets_;
};

// `count` routes to literal paths, and `count` to patterns, in front of the routes of the benchmarks.
std::vector<web::Rule> make_rules(int count) {
  std::vector<web::Rule> rules;
  for (int i = 0; i < count; ++i) {
    rules.push_back(web::url<HelloHandler>(fmt::format("/literal/{}", i)));
    rules.push_back(web::url<UserHandler>(fmt::format(R"(/pattern/{}/(\d+))", i)));
  }
  rules.push_back(web::url<HelloHandler>("/"));
  rules.push_back(web::url<UserHandler>(R"(/users/(\d+))"));
  rules.push_back(web::url<UploadHandler>("/upload"));
  return rules;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 8888;
  std::vector<std::string> tls;
  std::string file;
  std::string folder;
  int routes = 0;
  bool has_websocket = false;
  bool has_handlers = false;
  options::OptionParser line("bench_server", "Serves the requests of the benchmarks.");
  line.bind("port", port, "port of 127.0.0.1 to serve on");
  line.bind("tls", tls, "serve HTTPS: files of the certificate and of its key")
      .words(2, 2)
      .metavar("CERT KEY");
  line.bind("file", file, "serve nothing but this file");
  line.bind("static", folder, "serve the files of this folder under /static/");
  line.bind("websocket", has_websocket, "send back the messages of WebSockets at /");
  line.bind("handlers", has_handlers,
            "send back the messages of WebSockets at /kept and /dropped, by handlers");
  line.bind("routes", routes, "so many more routes to literal paths, and so many to patterns");
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  try {
    IOLoop loop;
    loop.stop_on_signals();
    std::vector<web::Rule> rules = make_rules(routes);
    if (!folder.empty()) rules.push_back(web::url<web::StaticFileHandler>("/static/(.*)", folder));
    if (has_handlers) {
      rules.push_back(web::url<EchoHandler<true>>("/kept"));
      rules.push_back(web::url<EchoHandler<false>>("/dropped"));
    }
    web::Application app(std::move(rules));
    ListenOptions options;
    options.address = "127.0.0.1";
    if (!file.empty()) {
      const auto files = serve_file(port, options, file);
      fmt::print(stderr, "Serving on port {}\n", files->port());
      loop.start();
      return 0;
    }
    EchoDelegate echo(app);
    std::optional<http::HTTPServer> echo_server;
    if (has_websocket) echo_server.emplace(echo).listen(port, options);
    http::HTTPServer& server = has_websocket ? *echo_server : app.listen(port, options);
    if (!tls.empty()) {
      TLSServerOptions identity;
      identity.certificates.push_back({.certfile = tls[0], .keyfile = tls[1]});
      server.use_tls(TLSContext::server(std::move(identity)));
    }
    fmt::print(stderr, "Serving on port {}\n", server.port());
    loop.start();
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_server: {}\n", error.what());
    return 1;
  }
  return 0;
}

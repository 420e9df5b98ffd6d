// bench/server/main.cc -- a server for the benchmarks, written with the framework: GET / and GET /users/{id}.
#include <squall/web.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "command_line.h"

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

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 8888;
  std::vector<std::string> tls;
  tools::CommandLine line("bench_server", "Serves the requests of the benchmarks.");
  line.option("--port", port, "port of 127.0.0.1 to serve on").show_default();
  line.option("--tls", tls, "serve HTTPS: files of the certificate and of its key").values(2, "CERT KEY");
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  try {
    IOLoop loop;
    loop.stop_on_signals();
    web::Application app({web::url<HelloHandler>("/"), web::url<UserHandler>(R"(/users/(\d+))")});
    ListenOptions options;
    options.address = "127.0.0.1";
    http::HTTPServer& server = app.listen(port, options);
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

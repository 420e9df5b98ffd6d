// demos/tcpecho/main.cc -- a server that sends every line back, and a client that sends one; with TLS or not.
#include <squall/ioloop/base/log.h>
#include <squall/iostream.h>
#include <squall/options/option_parser.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace squall;

namespace {

constexpr std::size_t kLongestLine = 64 * 1024;

struct Options {
  std::string host = "localhost";
  std::uint16_t port = 9888;
  std::string address;
  std::string message = "ping";
  std::vector<std::string> certificate_and_key;
  std::string ca;
  bool tls = false;
  bool insecure = false;
};

class EchoServer : public TCPServer {
 public:
  using TCPServer::TCPServer;

 private:
  Task<> handle_stream(IOStream stream, Address peer) override {
    try {
      for (;;) {
        const ReadView line = co_await stream.read_until("\n", kLongestLine);
        log::general().info("Received bytes: {}", line.substr(0, line.size() - 1));
        co_await stream.write(line);
      }
    } catch (const StreamClosedError&) {
      log::general().warning("Lost client at host {}", peer.ip());
    }
  }
};

void serve(const Options& options) {
  log::enable_pretty_logging();
  adopt_sockets();  // of squall-watch or systemd
  IOLoop loop;
  EchoServer server(loop);
  if (options.tls) {
    TLSServerOptions tls;
    tls.certificates.resize(1);
    tls.certificates[0].certfile = options.certificate_and_key.at(0);
    if (options.certificate_and_key.size() > 1) tls.certificates[0].keyfile = options.certificate_and_key[1];
    server.use_tls(TLSContext::server(tls));
  }
  ListenOptions listen;
  listen.address = options.address;
  server.listen(options.port, listen);
  log::general().info("Serving on port {}", server.port());
  loop.spawn(drain_on_signals(server, std::chrono::seconds(2)));  // clients may send the rest of their lines
  loop.start();
}

Task<> ask(const Options& options) {
  ConnectOptions connect;
  if (options.tls) {
    TLSClientOptions tls;
    tls.ca_certs = options.ca;
    if (options.insecure) tls.cert_reqs = CertReqs::none;
    connect.tls = TLSContext::client(tls);
  }
  IOStream stream = co_await TCPClient::connect(options.host, options.port, connect);
  co_await stream.write(options.message + "\n");
  fmt::print("Sent to server: {}\n", options.message);
  const ReadView answer = co_await stream.read_until("\n", kLongestLine);
  fmt::print("Response from server: {}\n", answer.substr(0, answer.size() - 1));
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options::OptionParser line("tcpecho", "A server that sends every line back, and a client that sends one.");
  options::OptionParser& server = line.command("server", "sends every line back");
  server.bind("port", options.port, "port to serve on");
  server.bind("address", options.address, "address to serve on; all interfaces without it");
  server.bind("tls", options.certificate_and_key, "speak TLS: certificate, and key unless in one file")
      .words(1, 2)
      .metavar("CERT [KEY]");
  options::OptionParser& client = line.command("client", "sends a line and prints what comes back");
  client.bind("host", options.host);
  client.bind("port", options.port);
  client.bind("message", options.message);
  client.bind("tls", options.tls, "speak TLS");
  client.bind("ca", options.ca, "PEM file of the authority of the server's certificate; implies --tls");
  client.bind("insecure", options.insecure, "accept every certificate; implies --tls");
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  try {
    if (server.is_chosen()) {
      options.tls = !options.certificate_and_key.empty();
      serve(options);
    } else {
      options.tls = options.tls || options.insecure || !options.ca.empty();
      IOLoop loop;
      loop.run_sync(ask(options));
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "tcpecho: {}\n", error.what());
    return 1;
  }
  return 0;
}

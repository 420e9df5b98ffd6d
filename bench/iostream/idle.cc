// bench/iostream/idle.cc -- measures the server's memory for an idle connection: `idle_streams --tls`.
#include <malloc.h>
#include <signal.h>
#include <squall/iostream.h>
#include <squall/options/option_parser.h>
#include <squall/testing/certificates.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

using namespace squall;

namespace {

struct Options {
  int connections = 10'000;
  bool tls = false;
  TLSVersion version = TLSVersion::tls1_3;
};

// Echoes each line, then waits for the next one.
class Server : public TCPServer {
 public:
  using TCPServer::TCPServer;
  int answered = 0;

 private:
  Task<> handle_stream(IOStream stream, Address) override {
    for (;;) {
      const std::string_view line = co_await stream.read_until("\n");
      co_await stream.write(line);
      ++answered;
    }
  }
};

OwnedFd connect_to(std::uint16_t port) {
  OwnedFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("cannot connect");
  return fd;
}

Task<> greet(IOStream& stream, const TLSContext* context) {
  if (context) co_await stream.start_tls(*context, "localhost");
  co_await stream.write("hello\n");
  co_await stream.read_until("\n");
}

// Runs in the other process: opens connections, sends a line on each, and keeps them open.
void run_clients(std::uint16_t port, const Options& options, const std::string& ca_pem) {
  IOLoop loop;
  std::optional<TLSContext> context;
  if (options.tls) {
    TLSClientOptions client;
    client.ca_pem = ca_pem;
    client.session_cache = 0;
    context = TLSContext::client(client);
  }
  std::vector<std::unique_ptr<IOStream>> streams;
  for (int i = 0; i < options.connections; ++i) {
    streams.push_back(std::make_unique<IOStream>(connect_to(port), loop));
    loop.run_sync(greet(*streams.back(), context ? &*context : nullptr));
  }
  ::pause();
}

std::size_t resident_bytes() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * static_cast<std::size_t>(::getpagesize());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::string version = "1.3";
  options::OptionParser line("idle_streams", "What an idle connection costs its server in memory.");
  line.bind("connections", options.connections);
  line.bind("tls", options.tls);
  line.bind("version", version, "of TLS").one_of({"1.2", "1.3"});
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  if (version == "1.2") options.version = TLSVersion::tls1_2;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);

  const squall::testing::CertificateAuthority authority;
  ListenOptions loopback;
  loopback.address = "127.0.0.1";
  std::vector<OwnedFd> sockets = bind_sockets(0, loopback);
  const std::uint16_t port = Address::local_of(sockets.front().get()).port();
  const pid_t clients = ::fork();
  if (clients == 0) {
    run_clients(port, options, authority.pem());
    return 0;
  }
  IOLoop loop;
  Server server(loop);
  if (options.tls) {
    TLSServerOptions tls;
    tls.certificates.push_back(authority.issue());
    tls.max_version = options.version;
    server.use_tls(TLSContext::server(tls));
  }
  server.add_sockets(std::move(sockets));
  while (server.answered < 10) loop.run_once(std::chrono::seconds(1));
  const std::size_t resident = resident_bytes();
  const std::size_t allocated = ::mallinfo2().uordblks;
  while (server.answered < options.connections) loop.run_once(std::chrono::seconds(1));
  const auto each = [&](std::size_t before, std::size_t after) {
    return (static_cast<double>(after) - static_cast<double>(before)) / (options.connections - 10);
  };
  std::printf("%d idle connections: %.0f bytes each allocated, %.0f resident\n", options.connections,
              each(allocated, ::mallinfo2().uordblks), each(resident, resident_bytes()));
  ::kill(clients, SIGTERM);
  ::waitpid(clients, nullptr, 0);
  return 0;
}

#include <squall/iostream/process/subprocess.h>
#include <squall/iostream/tcp/tcp_server.h>
#include <stdlib.h>
#include <unistd.h>

#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "support/temporary_folder.h"
#include "support/tls_pair.h"

// TLS with other implementations: curl, openssl's s_client and s_server, and Python.
namespace squall::tls_interop_test {
namespace {

using testing::CertificateWishes;
using testing::secure;
using testing::TemporaryFolder;
using testing::TestLoop;
using testing::TLSSides;

// Skips the test if the program is not installed.
bool is_missing(const char* program) {
  const char* const path = ::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (::access((folder + "/" + program).c_str(), X_OK) == 0) return false;
  WARN("skipped: there is no " << program << " here");
  return true;
}

// Echoes lines, and answers an HTTP request.
class Server : public TCPServer {
 public:
  Server(TestLoop& loop, const TLSContext& context) : TCPServer(loop) {
    use_tls(context);
    ListenOptions options;
    options.address = "127.0.0.1";
    listen(0, options);
  }
  ~Server() override { destroy_all_connections(); }
  std::string version;
  std::string protocol;
  std::string client;

 protected:
  Task<> handle_stream(IOStream stream, Address) override {
    version = stream.tls()->version();
    protocol = stream.tls()->alpn();
    if (const auto certificate = stream.tls()->peer_certificate()) client = certificate->subject;
    for (;;) {
      const std::string line = co_await stream.read_until("\n");
      if (line.starts_with("GET ")) {
        co_await stream.read_until("\r\n\r\n");
        co_await stream.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
      } else {
        co_await stream.write(line);
      }
    }
  }
};

struct Ended {
  int status = 0;
  std::string out;
};

// Runs a program to its end, with `input` on its standard input.
Task<Ended> run_program(IOLoop& loop, std::vector<std::string> command, std::string input) {
  Subprocess::Options options;
  options.std_in = Subprocess::kStream;
  options.std_out = Subprocess::kStream;
  options.std_err = Subprocess::kNull;
  Subprocess child(command, options, loop);
  Ended ended;
  if (!input.empty()) {
    co_await child.std_in().write(input);
    ended.out = co_await child.std_out().read_until("\n");
  }
  child.std_in().close();
  const std::string rest = co_await child.std_out().read_until_close();
  ended.out += rest;
  ended.status = co_await child.wait_for_exit(std::nothrow);
  co_return ended;
}

Ended run(TestLoop& loop, std::vector<std::string> command, const std::string& input = {}) {
  return loop.run(run_program(loop, std::move(command), input));
}

TEST_CASE("curl fetches over TLS, and refuses an untrusted certificate", "[tls][interop]") {
  if (is_missing("curl")) return;
  TestLoop loop;
  TLSSides sides;
  TemporaryFolder folder;
  sides.server_options.alpn = {"http/1.1"};
  Server server(loop, sides.server());
  const std::string port = std::to_string(server.port());
  const std::string url = "https://localhost:" + port + "/";
  const std::string ca = folder.file("ca.pem", sides.authority.pem());
  std::vector<std::string> command = {"curl", "-sS",       "--noproxy",
                                      "*",    "--resolve", "localhost:" + port + ":127.0.0.1"};
  SECTION("TLS 1.3") {
    command.insert(command.end(), {"--cacert", ca, url});
    const Ended ended = run(loop, command);
    CHECK(ended.status == 0);
    CHECK(ended.out == "hello");
    CHECK(server.version == "TLSv1.3");
    CHECK(server.protocol == "http/1.1");
  }
  SECTION("TLS 1.2") {
    command.insert(command.end(), {"--tls-max", "1.2", "--cacert", ca, url});
    CHECK(run(loop, command).out == "hello");
    CHECK(server.version == "TLSv1.2");
  }
  SECTION("an unknown authority") {
    command.push_back(url);
    CHECK(run(loop, command).status == 60);
    loop.log.expect("the peer sent the alert \"unknown CA\"");
  }
}

TEST_CASE("openssl s_client talks to Squall's server, with a client certificate", "[tls][interop]") {
  if (is_missing("openssl")) return;
  TestLoop loop;
  TLSSides sides;
  TemporaryFolder folder;
  sides.server_options.cert_reqs = CertReqs::required;
  sides.server_options.ca_pem = sides.authority.pem();
  Server server(loop, sides.server());
  const TLSCertificate alice = sides.authority.issue({.common_name = "alice", .names = {}});
  const std::string version = GENERATE("-tls1_2", "-tls1_3");
  const Ended ended =
      run(loop,
          {"openssl", "s_client", "-connect", "127.0.0.1:" + std::to_string(server.port()), "-servername",
           "localhost", "-CAfile", folder.file("ca.pem", sides.authority.pem()), "-verify_return_error",
           "-verify_hostname", "localhost", "-cert", folder.file("cert.pem", alice.cert_pem), "-key",
           folder.file("key.pem", alice.key_pem), "-quiet", "-no_ign_eof", version},
          "hello\n");
  CHECK(ended.out == "hello\n");
  CHECK(ended.status == 0);
  CHECK(server.client == "CN=alice");
  CHECK(server.version == (version == "-tls1_2" ? "TLSv1.2" : "TLSv1.3"));
}

OwnedFd connect_to(std::uint16_t port) {
  testing::RawPeer raw(port);
  return OwnedFd(::dup(raw.fd()));
}

// Starts a server program that prints `before` and its port, and sends it `question`.
Task<std::string> ask_program(IOLoop& loop, std::vector<std::string> command, std::string before,
                              TLSContext context, std::string question) {
  Subprocess::Options options;
  options.std_in = Subprocess::kStream;
  options.std_out = Subprocess::kStream;
  options.std_err = Subprocess::kNull;
  Subprocess child(command, options, loop);
  std::string line;
  do {
    line = co_await child.std_out().read_until("\n");
  } while (!line.starts_with(before));
  const auto port = static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)));
  IOStream stream(connect_to(port), loop);
  co_await stream.start_tls(context, "localhost");
  co_await stream.write(question);
  std::string answer = co_await stream.read_until("\n");
  stream.shutdown_write();
  const std::string rest = co_await stream.read_until_close();
  co_return answer + rest;
}

TEST_CASE("Squall's client talks to openssl s_server", "[tls][interop]") {
  if (is_missing("openssl")) return;
  TestLoop loop;
  TLSSides sides;
  TemporaryFolder folder;
  const TLSCertificate certificate = sides.authority.issue();
  const std::string version = GENERATE("-tls1_2", "-tls1_3");
  const std::vector<std::string> command = {"openssl", "s_server",
                                            "-accept", "127.0.0.1:0",
                                            "-cert",   folder.file("cert.pem", certificate.cert_pem),
                                            "-key",    folder.file("key.pem", certificate.key_pem),
                                            "-rev",    version};
  CHECK(loop.run(ask_program(loop, command, "ACCEPT", sides.client(), "hello\n")) == "olleh\n");
}

constexpr const char* kPythonServer = R"(
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
listening = socket.create_server(("127.0.0.1", 0))
print("port:%d" % listening.getsockname()[1], flush=True)
raw, _ = listening.accept()
with context.wrap_socket(raw, server_side=True) as connection:
    text = b""
    while not text.endswith(b"\n"):
        text += connection.recv(1000)
    connection.sendall(text.upper())
    assert connection.recv(1) == b"", "no close_notify"
    connection.unwrap()
)";

constexpr const char* kPythonClient = R"(
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
context.set_alpn_protocols(["x", "echo"])
with socket.create_connection(("127.0.0.1", int(sys.argv[2]))) as raw:
    with context.wrap_socket(raw, server_hostname="localhost") as connection:
        data = b"0123456789abcde\n" * 1000
        connection.sendall(data)
        got = b""
        while len(got) < len(data):
            got += connection.recv(1 << 16)
        print(got == data, connection.selected_alpn_protocol(), connection.version())
        connection.unwrap()
)";

TEST_CASE("Squall's client talks to Python's server, and the end is orderly", "[tls][interop]") {
  if (is_missing("python3")) return;
  TestLoop loop;
  TLSSides sides;
  TemporaryFolder folder;
  const TLSCertificate certificate = sides.authority.issue();
  const std::vector<std::string> command = {"python3", "-c", kPythonServer,
                                            folder.file("cert.pem", certificate.cert_pem),
                                            folder.file("key.pem", certificate.key_pem)};
  CHECK(loop.run(ask_program(loop, command, "port:", sides.client(), "hello\n")) == "HELLO\n");
}

TEST_CASE("Python's client talks to Squall's server", "[tls][interop]") {
  if (is_missing("python3")) return;
  TestLoop loop;
  TLSSides sides;
  TemporaryFolder folder;
  sides.server_options.alpn = {"echo"};
  Server server(loop, sides.server());
  const Ended ended = run(loop, {"python3", "-c", kPythonClient, folder.file("ca.pem", sides.authority.pem()),
                                 std::to_string(server.port())});
  CHECK(ended.out == "True echo TLSv1.3\n");
  CHECK(ended.status == 0);
}

}  // namespace
}  // namespace squall::tls_interop_test

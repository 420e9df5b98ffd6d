// bench/streams/squall_server.cc -- the server with IOStream, written as docs/streams.md shows it.
#include <squall/iostream.h>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "line_counter.h"
#include "options.h"

using namespace squall;

namespace {

class BenchServer : public TCPServer {
 public:
  BenchServer(IOLoop& loop, bench::Mode mode) : TCPServer(loop), mode_(mode) {}

 protected:
  Task<> handle_stream(IOStream stream, Address) override {
    switch (mode_) {
      case bench::Mode::echo: return echo(std::move(stream));
      case bench::Mode::sink: return sink(std::move(stream));
      case bench::Mode::lines: return lines(std::move(stream));
      case bench::Mode::accept: break;
    }
    return close(std::move(stream));
  }

 private:
  static Task<> echo(IOStream stream) {
    for (;;) {
      const std::string_view bytes = co_await stream.read_some(bench::kBufferSize);
      if (bytes.empty()) co_return;
      co_await stream.write(bytes);
    }
  }

  static Task<> sink(IOStream stream) {
    for (std::size_t size = 1; size > 0;) {
      const std::string_view bytes = co_await stream.read_some(bench::kBufferSize);
      size = bytes.size();
    }
  }

  static Task<> lines(IOStream stream) {
    bench::LineCounter counter;
    for (;;) {
      const std::string_view line = co_await stream.read_until("\n", 4096);
      counter.add(line);
      if (const std::size_t answers = counter.take_answers()) stream.write(std::string(answers, '.'));
    }
  }

  static Task<> close(IOStream) { co_return; }

  const bench::Mode mode_;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::parse_options(argc, argv, "squall_server", bench::Tls::known);
  try {
    IOLoop loop;
    loop.stop_on_signals();
    BenchServer server(loop, options.mode);
    if (!options.certificate.empty()) {
      TLSCertificate certificate;
      certificate.certfile = options.certificate;
      certificate.keyfile = options.key;
      TLSServerOptions tls;
      tls.certificates.push_back(std::move(certificate));
      server.use_tls(TLSContext::server(std::move(tls)));
    }
    std::vector<OwnedFd> sockets;
    sockets.emplace_back(bench::listening_socket(options, "squall_server"));
    server.add_sockets(std::move(sockets));
    loop.start();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "squall_server: %s\n", error.what());
    return 1;
  }
  return 0;
}

// bench/streams/asio_server.cc -- the server with Asio: one io_context with a concurrency hint of one, its
// concrete executor type, plain handlers, and a buffer for each connection, as in Asio's own examples.
#include <asio.hpp>
#ifdef SQUALL_BENCH_OPENSSL
#include <asio/ssl.hpp>
#endif

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "line_counter.h"
#include "options.h"

namespace {

using bench::Mode;
using Executor = asio::io_context::executor_type;

template <class Protocol>
using Socket = asio::basic_stream_socket<Protocol, Executor>;

// One connection. The handlers of its pending operations keep it alive.
template <class Stream>
class Session : public std::enable_shared_from_this<Session<Stream>> {
 public:
  Session(Stream stream, Mode mode) : stream_(std::move(stream)), mode_(mode) {}

  void start() {
    if (mode_ == Mode::lines) {
      read_lines();
    } else {
      read();
    }
  }

  void start_tls() {
    stream_.async_handshake(Stream::server, [self = this->shared_from_this()](asio::error_code error) {
      if (!error) self->start();
    });
  }

 private:
  void read() {
    stream_.async_read_some(asio::buffer(buffer_.get(), bench::kBufferSize),
                            [self = this->shared_from_this()](asio::error_code error, std::size_t count) {
                              if (error) return;
                              if (self->mode_ == Mode::echo) {
                                self->write(count);
                              } else {
                                self->read();
                              }
                            });
  }

  void write(std::size_t count) {
    asio::async_write(stream_, asio::buffer(buffer_.get(), count),
                      [self = this->shared_from_this()](asio::error_code error, std::size_t) {
                        if (!error) self->read();
                      });
  }

  // One read serves all lines that arrived together with the first one.
  void read_lines() {
    asio::async_read_until(stream_, asio::dynamic_buffer(text_), '\n',
                           [self = this->shared_from_this()](asio::error_code error, std::size_t) {
                             if (error) return;
                             self->count_lines();
                             self->answer();
                           });
  }

  void count_lines() {
    std::string_view rest = text_;
    while (const void* newline = std::memchr(rest.data(), '\n', rest.size())) {
      const auto length = static_cast<std::size_t>(static_cast<const char*>(newline) - rest.data()) + 1;
      lines_.add(rest.substr(0, length));
      rest.remove_prefix(length);
    }
    text_.erase(0, text_.size() - rest.size());
  }

  void answer() {
    const std::size_t answers = lines_.take_answers();
    if (answers == 0) return read_lines();
    answers_.assign(answers, '.');
    asio::async_write(stream_, asio::buffer(answers_),
                      [self = this->shared_from_this()](asio::error_code error, std::size_t) {
                        if (!error) self->read_lines();
                      });
  }

  Stream stream_;
  const Mode mode_;
  const std::unique_ptr<char[]> buffer_ = std::make_unique_for_overwrite<char[]>(bench::kBufferSize);
  std::string text_;
  std::string answers_;
  bench::LineCounter lines_;
};

template <class Protocol, class Accepted>
void accept(asio::basic_socket_acceptor<Protocol, Executor>& acceptor, Accepted accepted) {
  acceptor.async_accept([&acceptor, accepted](asio::error_code error, Socket<Protocol> socket) {
    if (!error) accepted(std::move(socket));
    accept<Protocol>(acceptor, accepted);
  });
}

template <class Protocol>
void serve(const bench::Options& options, Protocol protocol) {
  asio::io_context context(1);
  asio::basic_socket_acceptor<Protocol, Executor> acceptor(context.get_executor(), protocol,
                                                           bench::listening_socket(options, "asio_server"));
  const Mode mode = options.mode;
#ifdef SQUALL_BENCH_OPENSSL
  asio::ssl::context tls(asio::ssl::context::tls_server);
  if (!options.certificate.empty()) {
    tls.use_certificate_chain_file(options.certificate);
    tls.use_private_key_file(options.key, asio::ssl::context::pem);
    SSL_CTX_set_mode(tls.native_handle(), SSL_MODE_RELEASE_BUFFERS);
    accept(acceptor, [&tls, mode](Socket<Protocol> socket) {
      using Stream = asio::ssl::stream<Socket<Protocol>>;
      std::make_shared<Session<Stream>>(Stream(std::move(socket), tls), mode)->start_tls();
    });
    context.run();
    return;
  }
#endif
  accept(acceptor, [mode](Socket<Protocol> socket) {
    if (mode != Mode::accept) std::make_shared<Session<Socket<Protocol>>>(std::move(socket), mode)->start();
  });
  context.run();
}

}  // namespace

int main(int argc, char** argv) {
#ifdef SQUALL_BENCH_OPENSSL
  const bench::Options options = bench::parse_options(argc, argv, "asio_server", bench::Tls::known);
#else
  const bench::Options options = bench::parse_options(argc, argv, "asio_server");
#endif
  try {
    if (options.unix_path.empty()) {
      serve(options, asio::ip::tcp::v4());
    } else {
      serve(options, asio::local::stream_protocol());
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "asio_server: %s\n", error.what());
    return 1;
  }
  return 0;
}

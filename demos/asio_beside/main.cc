// demos/asio_beside/main.cc -- an Asio echo server beside a Squall web server, on one thread that Squall
// drives.
#include <squall/ioloop/base/log.h>
#include <squall/web.h>

#include <algorithm>
#include <array>
#include <asio.hpp>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>

using namespace squall;
using namespace std::chrono_literals;

namespace {

// Polls an io_context from an IOLoop, because Asio does not show the descriptor that it waits with. The
// context is polled in every turn while it has work, and less and less often while it is idle. A peer waits
// kLongest at most, and an idle context costs a hundred short calls a second.
class AsioBeside {
 public:
  AsioBeside(IOLoop& loop, asio::io_context& context) : loop_(loop), context_(context) { ask_after(0ms); }
  ~AsioBeside() { loop_.remove_timeout(timer_); }
  AsioBeside(const AsioBeside&) = delete;
  AsioBeside& operator=(const AsioBeside&) = delete;

 private:
  static constexpr IOLoop::Duration kShortest = 100us;
  static constexpr IOLoop::Duration kLongest = 10ms;

  void ask_after(IOLoop::Duration delay) {
    delay_ = delay;
    timer_ = loop_.call_later(delay, [this] { ask(); });
  }
  void ask() {
    try {
      context_.restart();
      const bool is_busy = context_.poll() > 0;
      ask_after(is_busy ? 0ms : std::clamp(delay_ * 2, kShortest, kLongest));
    } catch (...) {
      ask_after(0ms);
      throw;  // an exception of a handler: the loop logs it
    }
  }

  IOLoop& loop_;
  asio::io_context& context_;
  IOLoop::Duration delay_{0};
  Timeout timer_;
};

int echoed = 0;

class Echo : public std::enable_shared_from_this<Echo> {
 public:
  explicit Echo(asio::ip::tcp::socket socket) : socket_(std::move(socket)) {}
  void read() {
    socket_.async_read_some(asio::buffer(bytes_),
                            [self = shared_from_this()](asio::error_code error, std::size_t count) {
                              if (!error) self->write(count);
                            });
  }

 private:
  void write(std::size_t count) {
    asio::async_write(socket_, asio::buffer(bytes_.data(), count),
                      [self = shared_from_this()](asio::error_code error, std::size_t) {
                        if (error) return;
                        ++echoed;
                        self->read();
                      });
  }

  asio::ip::tcp::socket socket_;
  std::array<char, 4096> bytes_;
};

void serve(asio::ip::tcp::acceptor& acceptor) {
  acceptor.async_accept([&acceptor](asio::error_code error, asio::ip::tcp::socket socket) {
    if (!error) std::make_shared<Echo>(std::move(socket))->read();
    serve(acceptor);
  });
}

class EchoedHandler : public web::RequestHandler {
 public:
  void get() { write(fmt::format("Asio has echoed {} times\n", echoed)); }
};

}  // namespace

int main(int argc, char** argv) {
  log::enable_pretty_logging();
  const auto port = [&](int index) {
    return static_cast<std::uint16_t>(argc > index ? std::atoi(argv[index]) : 8887 + index);
  };
  try {
    IOLoop loop;
    web::Application app({web::url<EchoedHandler>("/")});
    auto& server = app.listen(port(1));
    asio::io_context context;
    asio::ip::tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), port(2)});
    log::general().info("Echoing on port {}", acceptor.local_endpoint().port());
    serve(acceptor);
    const AsioBeside beside(loop, context);
    log::general().info("Serving on port {}", server.port());
    loop.spawn(drain_on_signals(server, std::chrono::seconds(5)));
    loop.start();
  } catch (const std::exception& error) {
    fmt::print(stderr, "asio_beside: {}\n", error.what());
    return 1;
  }
  return 0;
}

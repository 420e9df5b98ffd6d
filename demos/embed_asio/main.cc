// demos/embed_asio/main.cc -- a Squall web server inside a program whose main loop is Asio's: both count.
#include <squall/ioloop/base/log.h>
#include <squall/web.h>

#include <asio.hpp>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>

using namespace squall;

namespace {

// Drives an IOLoop from an io_context, on one thread. Asio waits for the loop's descriptor and its next
// timer. When either is due, Asio runs one turn of the loop and waits again.
class SquallInAsio {
 public:
  SquallInAsio(asio::io_context& context, IOLoop& loop)
      : context_(context), loop_(loop), descriptor_(context, loop.fd()), timer_(context) {
    wait_for_descriptor();
    wait_for_timer();
  }
  ~SquallInAsio() { descriptor_.release(); }  // the loop owns the descriptor

  // Call it after giving work to the loop from outside its turns.
  void wait_for_timer() {
    const auto timeout = loop_.next_timeout();
    if (!timeout) return static_cast<void>(timer_.cancel());
    timer_.expires_after(*timeout);
    timer_.async_wait([this](asio::error_code error) {
      if (!error) run();
    });
  }

 private:
  void wait_for_descriptor() {
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, [this](asio::error_code error) {
      if (error) return;
      wait_for_descriptor();
      run();
    });
  }
  void run() {
    if (!loop_.run_once(IOLoop::Duration::zero())) return context_.stop();
    wait_for_timer();
  }

  asio::io_context& context_;
  IOLoop& loop_;
  asio::posix::stream_descriptor descriptor_;
  asio::steady_timer timer_;
};

int ticks = 0;

void tick(asio::steady_timer& timer) {
  timer.expires_after(std::chrono::milliseconds(100));
  timer.async_wait([&timer](asio::error_code error) {
    if (error) return;
    ++ticks;
    tick(timer);
  });
}

class TicksHandler : public web::RequestHandler {
 public:
  Task<> get() {
    co_await sleep(std::chrono::milliseconds(10));  // Squall's timer, kept by Asio
    write(fmt::format("Asio has ticked {} times\n", ticks));
  }
};

}  // namespace

int main(int argc, char** argv) {
  log::enable_pretty_logging();
  try {
    IOLoop loop;
    web::Application app({web::url<TicksHandler>("/")});
    auto& server = app.listen(static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 8888));
    log::general().info("Serving on port {}", server.port());
    loop.spawn(drain_on_signals(server, std::chrono::seconds(5)));

    asio::io_context context;
    const SquallInAsio embedded(context, loop);
    asio::steady_timer ticker(context);
    tick(ticker);
    context.run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "embed_asio: {}\n", error.what());
    return 1;
  }
  return 0;
}

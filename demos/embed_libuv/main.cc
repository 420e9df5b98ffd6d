// demos/embed_libuv/main.cc -- a Squall web server inside a program whose main loop is libuv's: both count.
#include <squall/ioloop/base/log.h>
#include <squall/web.h>

#include <uv.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>

using namespace squall;

namespace {

// Drives an IOLoop from a uv_loop_t, on one thread. libuv waits for the loop's descriptor and its next timer,
// and runs one turn when either is due. Before libuv sleeps, the next timer is read again.
class SquallInLibuv {
 public:
  SquallInLibuv(uv_loop_t* uv, IOLoop& loop) : loop_(loop) {
    uv_poll_init(uv, &poll_, loop.fd());
    uv_timer_init(uv, &timer_);
    uv_prepare_init(uv, &prepare_);
    poll_.data = timer_.data = prepare_.data = this;
    uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* handle, int, int) { run(handle->data); });
    uv_prepare_start(&prepare_, [](uv_prepare_t* handle) { arm(handle->data); });
  }

 private:
  static void run(void* self) {
    auto& embedded = *static_cast<SquallInLibuv*>(self);
    if (!embedded.loop_.run_once(IOLoop::Duration::zero())) uv_stop(embedded.poll_.loop);
  }
  static void arm(void* self) {
    auto& embedded = *static_cast<SquallInLibuv*>(self);
    const auto timeout = embedded.loop_.next_timeout();
    if (!timeout) {
      uv_timer_stop(&embedded.timer_);
      return;
    }
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(*timeout).count();
    uv_timer_start(
        &embedded.timer_, [](uv_timer_t* handle) { run(handle->data); },
        static_cast<std::uint64_t>(milliseconds), 0);
  }

  IOLoop& loop_;
  uv_poll_t poll_;
  uv_timer_t timer_;
  uv_prepare_t prepare_;
};

int ticks = 0;

class TicksHandler : public web::RequestHandler {
 public:
  Task<> get() {
    co_await sleep(std::chrono::milliseconds(10));  // Squall's timer, kept by libuv
    write(fmt::format("libuv has ticked {} times\n", ticks));
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

    uv_loop_t* const uv = uv_default_loop();
    SquallInLibuv embedded(uv, loop);
    uv_timer_t ticker;
    uv_timer_init(uv, &ticker);
    uv_timer_start(&ticker, [](uv_timer_t*) { ++ticks; }, 100, 100);
    uv_run(uv, UV_RUN_DEFAULT);
  } catch (const std::exception& error) {
    fmt::print(stderr, "embed_libuv: {}\n", error.what());
    return 1;
  }
  return 0;
}

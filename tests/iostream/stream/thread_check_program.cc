// Uses objects of a running loop on another thread, for thread_check_test.py: the first argument selects the
// object. Without arguments it prints all of them.
#include <squall/ioloop.h>
#include <squall/iostream.h>

#include <fmt/format.h>
#include <sys/socket.h>

#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

using namespace squall;
using namespace std::chrono_literals;

namespace {

struct Objects {
  IOLoop loop;
  std::optional<IOStream> stream;
  std::optional<IOStream> peer;
  Promise<int> promise;
  Event event;
  TaskGroup tasks{loop};
  Timeout timer = loop.call_later(1h, [] {});
  LoopHook hook{[](void*) {}, nullptr};
};

Task<> get(Future<int> future) { co_await std::move(future); }
Task<> wait(Event& event) { co_await event.wait(); }
Task<> nap() { co_await sleep(1h); }
Task<> read(IOStream& stream) { co_await stream.read_some(); }

using Use = void (*)(Objects& objects);
const std::map<std::string_view, Use> kUses = {
    {"call_later", [](Objects& objects) { objects.loop.call_later(1s, [] {}); }},
    {"call_at", [](Objects& objects) { objects.loop.call_at(objects.loop.time(), [] {}); }},
    {"remove_timeout", [](Objects& objects) { objects.loop.remove_timeout(objects.timer); }},
    {"spawn", [](Objects& objects) { objects.loop.spawn(nap()); }},
    {"call_soon", [](Objects& objects) { objects.loop.call_soon([] {}); }},
    {"call_soon_hook", [](Objects& objects) { objects.loop.call_soon(objects.hook); }},
    {"at_turn_end", [](Objects& objects) { objects.loop.at_turn_end(objects.hook); }},
    {"add_handler", [](Objects& objects) { objects.loop.add_handler(0, Events::read, [](int, Events) {}); }},
    {"update_handler", [](Objects& objects) { objects.loop.update_handler(0, Events::read); }},
    {"remove_handler", [](Objects& objects) { objects.loop.remove_handler(0); }},
    {"add_signal_handler", [](Objects& objects) { objects.loop.add_signal_handler(SIGUSR1, [] {}); }},
    {"default_executor", [](Objects& objects) { objects.loop.default_executor(); }},
    {"stream_write",
     [](Objects& objects) { [[maybe_unused]] const auto dropped = objects.stream->write("bytes"); }},
    {"stream_read", [](Objects& objects) { objects.tasks.add(read(*objects.stream)); }},
    {"stream_close", [](Objects& objects) { objects.peer->close(); }},
    {"promise", [](Objects& objects) { objects.promise.set_value(1); }},
    {"event", [](Objects& objects) { objects.event.set(); }},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    for (const auto& [name, use] : kUses) fmt::print("{}\n", name);
    return 0;
  }
  Objects objects;
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) return 1;
  objects.stream.emplace(OwnedFd(fds[0]), objects.loop);
  objects.peer.emplace(OwnedFd(fds[1]), objects.loop);
  objects.tasks.add(get(objects.promise.get_future()));
  objects.tasks.add(wait(objects.event));
  objects.tasks.add(read(*objects.peer));
  // Functions for other threads are allowed: they end the program with status 0.
  const bool allowed = std::string_view(argv[1]) == "allowed";
  const Use use = allowed ? nullptr : kUses.at(argv[1]);
  std::thread other;
  objects.loop.add_callback([&] {
    other = std::thread([&] {
      if (use) use(objects);
      objects.loop.handle().add_callback([] {});
      objects.loop.add_callback([&] { objects.loop.stop(); });
    });
  });
  objects.loop.start();
  other.join();
  return 0;
}

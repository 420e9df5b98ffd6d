// A program that forks, for fork_processes_test.py: its first argument selects the scenario.
#include <squall/ioloop.h>

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <latch>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace squall;

namespace {

template <class... Arguments>
void say(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  fmt::print(text, std::forward<Arguments>(arguments)...);
  std::fflush(stdout);
}

// Counts in memory that all processes share.
std::atomic<int>& shared_counter() {
  void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("mmap");
  return *::new (memory) std::atomic<int>(0);
}

[[noreturn]] void stay() {
  for (;;) ::pause();
}

void ids(std::optional<int> count) {
  std::atexit([] { say("exit of {}\n", task_id() ? std::to_string(*task_id()) : "the parent"); });
  const int id = fork_processes(count);
  say("child {} of {}\n", id, task_id() == id ? "itself" : "nobody");
}

void restarts() {
  std::atomic<int>& tries = shared_counter();
  const int id = fork_processes(2);
  if (id == 1) return;
  const int mine = tries.fetch_add(1);
  say("try {} of child {}\n", mine, id);
  if (mine == 0) std::exit(3);
  if (mine == 1) ::raise(SIGKILL);
}

int give_up() {
  ForkOptions options;
  options.max_restarts = 2;
  try {
    const int id = fork_processes(2, options);
    if (id == 1) {
      say("stays {}\n", ::getpid());
      stay();
    }
    // Gives the other child time to print.
    ::usleep(300'000);
    std::_Exit(1);
  } catch (const std::runtime_error& error) {
    say("parent: {}\n", error.what());
    return 7;
  }
}

void serve() {
  fork_processes(2);
  IOLoop loop;
  loop.stop_on_signals();
  loop.add_callback([] { say("ready {}\n", ::getpid()); });
  loop.start();
  say("stopped {}\n", ::getpid());
}

void stay_raw() {
  fork_processes(2);
  say("ready {}\n", ::getpid());
  stay();
}

template <class Prepare>
int refused(Prepare&& prepare) {
  [[maybe_unused]] const auto prepared = prepare();
  try {
    fork_processes(2);
  } catch (const std::logic_error& error) {
    say("{}\n", error.what());
    return 0;
  }
  return 1;
}

void seeds() {
  std::srand(1);
  ::srand48(1);
  fork_processes(3);
  const int first = std::rand();
  say("numbers {} {}\n", first, ::lrand48());
}

void inherited() {
  ::signal(SIGUSR1, SIG_IGN);
  sigset_t usr2;
  ::sigemptyset(&usr2);
  ::sigaddset(&usr2, SIGUSR2);
  ::sigprocmask(SIG_BLOCK, &usr2, nullptr);
  fork_processes(1);
  sigset_t mask;
  ::sigprocmask(SIG_BLOCK, nullptr, &mask);
  struct sigaction usr1{};
  struct sigaction term{};
  ::sigaction(SIGUSR1, nullptr, &usr1);
  ::sigaction(SIGTERM, nullptr, &term);
  say("{} {} {:d} {:d}\n", ::sigismember(&mask, SIGUSR2), ::sigismember(&mask, SIGTERM),
      usr1.sa_handler == SIG_IGN, term.sa_handler == SIG_DFL);
}

int run(std::string_view what) {
  if (what == "ids") ids(3);
  if (what == "default") ids(std::nullopt);
  if (what == "restarts") restarts();
  if (what == "give_up") return give_up();
  if (what == "serve") serve();
  if (what == "stay") stay_raw();
  if (what == "seeds") seeds();
  if (what == "inherited") inherited();
  if (what == "buffered") {
    fmt::print("written before\n");
    fork_processes(3);
  }
  if (what == "twice") {
    fork_processes(1);
    return refused([] { return 0; });
  }
  if (what == "loop") return refused([] { return std::make_unique<IOLoop>(); });
  if (what == "pool") {
    return refused([] {
      auto pool = std::make_unique<ThreadPool>();
      pool->submit([] {});
      return pool;
    });
  }
  if (what == "after_loop") {
    {
      IOLoop gone;
    }
    ids(1);
  }
  return 0;
}

}  // namespace

int main(int, char** argv) {
  log::enable_pretty_logging();
  return run(argv[1]);
}

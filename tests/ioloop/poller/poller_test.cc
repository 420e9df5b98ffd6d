#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/poller/poller.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include "support/catch.h"
#include "support/descriptor_limit.h"
#include "support/environment_variable.h"

// Runs a test with every poller: those of the system, and those of other systems over the shims.
namespace squall::poller_test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using testing::DescriptorLimit;

constexpr Events kBoth = Events::read | Events::write;

// A test case that has one runs once for each poller, and says which if it fails.
class EveryPoller {
 public:
  EveryPoller()
      : name_(GENERATE(from_range(poller_names()))),
        message_(Catch::MessageBuilder("INFO", CATCH_INTERNAL_LINEINFO, Catch::ResultWas::Info)
                 << "poller: " << name_),
        poller_(make_poller(name_)) {
    CHECK(poller_->name() == name_);
  }
  Poller& operator*() const noexcept { return *poller_; }
  Poller* operator->() const noexcept { return poller_.get(); }

 private:
  std::string name_;
  Catch::ScopedMessage message_;
  std::unique_ptr<Poller> poller_;
};

using Pair = std::array<OwnedFd, 2>;
Pair socket_pair() {
  int fds[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
  return {OwnedFd(fds[0]), OwnedFd(fds[1])};
}
// The read end and the write end.
Pair make_pipe() {
  int fds[2];
  REQUIRE(::pipe(fds) == 0);
  return {OwnedFd(fds[0]), OwnedFd(fds[1])};
}
// Over TCP, where an end can be reset.
Pair tcp_pair() {
  const OwnedFd listening(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(listening.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(listening.get(), 1) == 0);
  REQUIRE(::getsockname(listening.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  OwnedFd near(::socket(AF_INET, SOCK_STREAM, 0));
  REQUIRE(::connect(near.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
  return {std::move(near), OwnedFd(::accept(listening.get(), nullptr, nullptr))};
}
void reset(OwnedFd& fd) {
  const linger now{1, 0};
  REQUIRE(::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
  fd.reset();
}

void put(const OwnedFd& fd) { REQUIRE(::write(fd.get(), "x", 1) == 1); }
void get(const OwnedFd& fd) {
  char byte;
  REQUIRE(::read(fd.get(), &byte, 1) == 1);
}
void fill(const OwnedFd& fd) {
  const std::string bytes(64 * 1024, 'x');
  while (::write(fd.get(), bytes.data(), bytes.size()) > 0) {
  }
  REQUIRE(errno == EAGAIN);
}
void empty(const OwnedFd& fd) {
  std::string bytes(64 * 1024, 'x');
  while (::read(fd.get(), bytes.data(), bytes.size()) > 0) {
  }
}

// The events that a poller reports for one descriptor without waiting: its entries combined, of which there
// may be two (IOL-35).
struct Said {
  Events events = Events::none;
  std::set<std::uint32_t> generations;
};
Said of(Poller& poller, const OwnedFd& fd, std::chrono::nanoseconds timeout = 0ns) {
  Said said;
  for (const Ready& ready : poller.wait(timeout)) {
    if (ready.fd != fd.get()) continue;
    said.events = said.events | ready.events;
    said.generations.insert(ready.generation);
  }
  return said;
}
Events events_of(Poller& poller, const OwnedFd& fd) { return of(poller, fd).events; }

// The errno that update() throws; 0 if it does not.
int error_of(Poller& poller, int fd, Events before, Events after, std::uint32_t generation = 1) {
  try {
    poller.update(fd, generation, before, after);
  } catch (const std::system_error& error) {
    return error.code().value();
  }
  return 0;
}

// SQUALL_POLLER, set or unset for a while.
struct PollerVariable : testing::EnvironmentVariable {
  explicit PollerVariable(const char* value) : EnvironmentVariable("SQUALL_POLLER", value) {}
};

TEST_CASE("a descriptor is reported for as long as it is ready, and no longer (IOL-37)", "[poller]") {
  const EveryPoller poller;
  const Pair pair = socket_pair();
  poller->update(pair[0].get(), 7, Events::none, Events::read);
  CHECK(events_of(*poller, pair[0]) == Events::none);
  put(pair[1]);
  for (int i = 0; i < 3; ++i) {
    const Said said = of(*poller, pair[0]);
    CHECK(said.events == Events::read);
    CHECK(said.generations == std::set<std::uint32_t>{7});
  }
  get(pair[0]);
  CHECK(poller->wait(0ns).empty());
}

TEST_CASE("each direction is reported if it is ready and asked for", "[poller]") {
  const EveryPoller poller;
  const Pair pair = socket_pair();
  const int fd = pair[0].get();
  poller->update(fd, 1, Events::none, kBoth);
  CHECK(events_of(*poller, pair[0]) == Events::write);
  put(pair[1]);
  CHECK(events_of(*poller, pair[0]) == kBoth);
  fill(pair[0]);
  CHECK(events_of(*poller, pair[0]) == Events::read);
  get(pair[0]);
  CHECK(poller->wait(0ns).empty());
  empty(pair[1]);
  put(pair[1]);
  poller->update(fd, 1, kBoth, Events::read);
  CHECK(events_of(*poller, pair[0]) == Events::read);
  poller->update(fd, 1, Events::read, Events::write);
  CHECK(events_of(*poller, pair[0]) == Events::write);
  poller->update(fd, 1, Events::write, kBoth);
  CHECK(events_of(*poller, pair[0]) == kBoth);
  poller->update(fd, 1, kBoth, Events::none);
  CHECK(poller->wait(0ns).empty());
  poller->update(fd, 2, Events::none, Events::read);
  const Said said = of(*poller, pair[0]);
  CHECK(said.events == Events::read);
  CHECK(said.generations == std::set<std::uint32_t>{2});
}

TEST_CASE("a change while a descriptor is ready counts from the next wait", "[poller]") {
  const EveryPoller poller;
  const Pair pair = socket_pair();
  poller->update(pair[0].get(), 1, Events::none, Events::write);
  CHECK(events_of(*poller, pair[0]) == Events::write);
  poller->update(pair[0].get(), 1, Events::write, Events::read);
  CHECK(poller->wait(0ns).empty());
  poller->update(pair[0].get(), 1, Events::read, Events::none);
  put(pair[1]);
  CHECK(poller->wait(0ns).empty());
}

TEST_CASE("end of file is readable", "[poller]") {
  const EveryPoller poller;
  const bool tcp = GENERATE(false, true);
  Pair pair = tcp ? tcp_pair() : socket_pair();
  poller->update(pair[0].get(), 1, Events::none, Events::read);
  CHECK(events_of(*poller, pair[0]) == Events::none);
  SECTION("once the peer has shut down one direction") {
    ::shutdown(pair[1].get(), SHUT_WR);
    CHECK(has(of(*poller, pair[0], 5s).events, Events::read));
  }
  SECTION("once the peer has closed, also with bytes left to read") {
    put(pair[1]);
    pair[1].reset();
    CHECK(has(of(*poller, pair[0], 5s).events, Events::read));
    get(pair[0]);
    CHECK(has(of(*poller, pair[0], 5s).events, Events::read));
  }
  SECTION("of a pipe as well") {
    Pair pipe = make_pipe();
    poller->update(pipe[0].get(), 1, Events::none, Events::read);
    pipe[1].reset();
    CHECK(has(of(*poller, pipe[0], 5s).events, Events::read));
  }
}

TEST_CASE("a reset arrives as the readiness that was asked for (IOL-34)", "[poller]") {
  const EveryPoller poller;
  const Events asked = GENERATE(Events::read, Events::write, kBoth);
  Pair pair = tcp_pair();
  SECTION("that came before") {
    reset(pair[1]);
    poller->update(pair[0].get(), 1, Events::none, asked);
  }
  SECTION("that comes later") {
    poller->update(pair[0].get(), 1, Events::none, asked);
    reset(pair[1]);
  }
  const auto deadline = Clock::now() + 5s;
  while ((of(*poller, pair[0], 5s).events & asked) != asked) REQUIRE(Clock::now() < deadline);
  // And it stays so: level-triggered.
  CHECK((events_of(*poller, pair[0]) & asked) == asked);
}

TEST_CASE("hang-up of a peer that is gone arrives as the readiness that was asked for (IOL-34)", "[poller]") {
  const EveryPoller poller;
  const Events asked = GENERATE(Events::read, Events::write, kBoth);
  Pair pair = socket_pair();
  fill(pair[0]);
  poller->update(pair[0].get(), 1, Events::none, asked);
  CHECK(poller->wait(0ns).empty());
  pair[1].reset();
  CHECK((events_of(*poller, pair[0]) & asked) == asked);
}

TEST_CASE("a pipe that has lost its reader is writable, whenever that was (IOL-34)", "[poller]") {
  const EveryPoller poller;
  Pair pipe = make_pipe();
  const int fd = pipe[1].get();
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  fill(pipe[1]);
  SECTION("before it was registered") {
    pipe[0].reset();
    // kqueue refuses to watch it: EPIPE.
    poller->update(fd, 3, Events::none, Events::write);
  }
  SECTION("after") {
    poller->update(fd, 3, Events::none, Events::write);
    CHECK(poller->wait(0ns).empty());
    pipe[0].reset();
  }
  for (int i = 0; i < 2; ++i) {
    const Said said = of(*poller, pipe[1], 5s);
    CHECK(has(said.events, Events::write));
    CHECK(said.generations == std::set<std::uint32_t>{3});
  }
  poller->update(fd, 3, Events::write, Events::none);
  CHECK(poller->wait(0ns).empty());
  // Nothing is left of it.
  poller->update(fd, 4, Events::none, Events::write);
  const Said said = of(*poller, pipe[1]);
  CHECK(said.generations == std::set<std::uint32_t>{4});
}

TEST_CASE("a descriptor that cannot be watched is an error with its reason, and changes nothing",
          "[poller]") {
  const EveryPoller poller;
  const Pair pair = socket_pair();
  put(pair[1]);
  int closed;
  {
    const OwnedFd gone(::dup(pair[0].get()));
    closed = gone.get();
  }
  SECTION("a closed descriptor") {
    for (const Events events : {Events::read, Events::write, kBoth}) {
      CHECK(error_of(*poller, closed, Events::none, events) == EBADF);
      CHECK(error_of(*poller, -1, Events::none, events) == EBADF);
      CHECK(error_of(*poller, 1 << 20, Events::none, events) == EBADF);
    }
    CHECK(poller->wait(0ns).empty());
    // Not even once there is one of that number.
    const OwnedFd back(::dup(pair[0].get()));
    REQUIRE(back.get() == closed);
    CHECK(poller->wait(0ns).empty());
    poller->update(closed, 5, Events::none, Events::read);
    const Said said = of(*poller, back);
    CHECK(said.events == Events::read);
    CHECK(said.generations == std::set<std::uint32_t>{5});
  }
  SECTION("one closed since") {
    OwnedFd lost(::dup(pair[0].get()));
    poller->update(lost.get(), 1, Events::none, Events::read);
    const int number = lost.release();
    ::close(number);
    CHECK(error_of(*poller, number, Events::read, kBoth) == EBADF);
  }
  SECTION("forgetting or changing what is not registered") {
    for (const Events events : {Events::read, Events::write, kBoth})
      CHECK(error_of(*poller, pair[0].get(), events, Events::none) == ENOENT);
    CHECK(error_of(*poller, pair[0].get(), kBoth, Events::read) == ENOENT);
    CHECK(poller->wait(0ns).empty());
  }
  SECTION("what is registered stays as it was") {
    poller->update(pair[0].get(), 1, Events::none, Events::read);
    CHECK(error_of(*poller, closed, Events::none, Events::read) == EBADF);
    CHECK(of(*poller, pair[0]).events == Events::read);
  }
}

TEST_CASE("a number's next owner is reported under its own generation", "[poller]") {
  const EveryPoller poller;
  Pair first = socket_pair();
  const int number = first[0].get();
  put(first[1]);
  poller->update(number, 1, Events::none, kBoth);
  CHECK(of(*poller, first[0]).generations == std::set<std::uint32_t>{1});
  SECTION("if it was removed before it was closed") {
    poller->update(number, 1, kBoth, Events::none);
    first[0].reset();
  }
  SECTION("if it was closed before it was removed, as if that were allowed") {
    first[0].reset();
    error_of(*poller, number, kBoth, Events::none);
  }
  SECTION("if it was closed and never removed") { first[0].reset(); }
  Pair second = socket_pair();
  OwnedFd& taker = second[0].get() == number ? second[0] : second[1];
  OwnedFd& peer = second[0].get() == number ? second[1] : second[0];
  REQUIRE(taker.get() == number);
  poller->update(number, 2, Events::none, Events::read);
  // It is writable, and its predecessor asked for that.
  CHECK(poller->wait(0ns).empty());
  put(peer);
  const Said said = of(*poller, taker);
  CHECK(said.events == Events::read);
  CHECK(said.generations == std::set<std::uint32_t>{2});
  poller->update(number, 2, Events::read, Events::none);
  CHECK(poller->wait(0ns).empty());
}

TEST_CASE("all bits of a generation are kept", "[poller]") {
  const EveryPoller poller;
  const Pair pair = socket_pair();
  const std::uint32_t generation = 0xfedc'ba98;
  poller->update(pair[0].get(), generation, Events::none, kBoth);
  put(pair[1]);
  CHECK(of(*poller, pair[0]).generations == std::set<std::uint32_t>{generation});
}

TEST_CASE("if more descriptors are ready than fit into a batch, all are reported", "[poller]") {
  const EveryPoller poller;
  constexpr std::size_t kCount = 1000;
  const DescriptorLimit room(kCount + 100);
  const Pair pair = socket_pair();
  put(pair[1]);
  std::vector<OwnedFd> many;
  for (std::size_t i = 0; i < kCount; ++i) {
    many.emplace_back(::dup(pair[0].get()));
    REQUIRE(many.back());
    poller->update(many.back().get(), static_cast<std::uint32_t>(i), Events::none, Events::read);
  }
  std::set<std::uint32_t> seen;
  std::size_t last = 0;
  for (int turn = 0; turn < 20 && last < kCount; ++turn) {
    const auto batch = poller->wait(0ns);
    REQUIRE_FALSE(batch.empty());
    last = batch.size();
    std::set<std::uint32_t> once;
    for (const Ready& ready : batch) {
      CHECK(ready.fd == many[ready.generation].get());
      once.insert(ready.generation);
      seen.insert(ready.generation);
    }
    CHECK(once.size() == batch.size());
  }
  CHECK(seen.size() == kCount);
  CHECK(last == kCount);  // the batch has grown to have room for all

  // Every other descriptor is removed; the others stay registered.
  for (std::size_t i = 0; i < kCount; i += 2)
    poller->update(many[i].get(), static_cast<std::uint32_t>(i), Events::read, Events::none);
  const auto rest = poller->wait(0ns);
  CHECK(rest.size() == kCount / 2);
  CHECK(std::all_of(rest.begin(), rest.end(), [&](const Ready& ready) {
    return ready.generation % 2 == 1 && ready.fd == many[ready.generation].get();
  }));
  get(pair[0]);
  CHECK(poller->wait(0ns).empty());
}

TEST_CASE("the result of wait() stays valid while descriptors are registered", "[poller]") {
  const EveryPoller poller;
  const DescriptorLimit room(1100);
  const Pair pair = socket_pair();
  put(pair[1]);
  poller->update(pair[0].get(), 7, Events::none, Events::read);
  const auto batch = poller->wait(0ns);
  REQUIRE(batch.size() == 1);
  std::vector<OwnedFd> many;
  for (int i = 0; i < 1000; ++i) {
    many.emplace_back(::dup(pair[0].get()));
    poller->update(many.back().get(), 8, Events::none, kBoth);
  }
  Pair pipe = make_pipe();
  pipe[0].reset();
  poller->update(pipe[1].get(), 9, Events::none, Events::write);
  CHECK(batch[0].fd == pair[0].get());
  CHECK(batch[0].generation == 7);
  CHECK(batch[0].events == Events::read);
}

TEST_CASE("a process that may open few descriptors can wait for all of them", "[poller]") {
  // The soft limit of Solaris, where /dev/poll refuses a batch of that size.
  const DescriptorLimit few(256);
  const EveryPoller poller;
  CHECK(poller->wait(0ns).empty());
  const Pair pair = socket_pair();
  put(pair[1]);
  std::vector<OwnedFd> many;
  for (;;) {
    OwnedFd next(::dup(pair[0].get()));
    if (!next) break;
    many.push_back(std::move(next));
    poller->update(many.back().get(), 1, Events::none, Events::read);
  }
  REQUIRE(errno == EMFILE);
  CHECK(poller->wait(0ns).size() == many.size());
}

TEST_CASE("wait() returns at once if a descriptor is ready or the timeout is zero", "[poller]") {
  const EveryPoller poller;
  CHECK(poller->wait(0ns).empty());
  const Pair pair = socket_pair();
  put(pair[1]);
  poller->update(pair[0].get(), 1, Events::none, Events::read);
  CHECK(poller->wait(std::nullopt).size() == 1);
  CHECK(poller->wait(1h).size() == 1);
  CHECK(poller->wait(std::chrono::nanoseconds::max()).size() == 1);
}

TEST_CASE("a wait that runs out ends no earlier than was said, with nothing", "[poller]") {
  const EveryPoller poller;
  const Pair pair = socket_pair();
  poller->update(pair[0].get(), 1, Events::none, Events::read);
  for (const auto timeout : {1ns, 999'999ns, 1'000'001ns, 20'000'000ns}) {
    const auto start = Clock::now();
    CHECK(poller->wait(timeout).empty());
    CHECK(Clock::now() - start >= timeout);
  }
}

TEST_CASE("a descriptor that becomes ready ends a wait without a timeout", "[poller][threads]") {
  const EveryPoller poller;
  const Pair pair = socket_pair();
  poller->update(pair[0].get(), 1, Events::none, Events::read);
  ssize_t written = 0;  // Catch's assertions are the main thread's
  std::thread other([&] { written = ::write(pair[1].get(), "x", 1); });
  std::span<const Ready> ready;
  while (ready.empty()) ready = poller->wait(std::nullopt);
  CHECK(ready.size() == 1);
  CHECK(ready[0].fd == pair[0].get());
  other.join();
  CHECK(written == 1);
}

TEST_CASE("a signal ends a wait early, with nothing", "[poller]") {
  const EveryPoller poller;
  const Pair pair = socket_pair();
  poller->update(pair[0].get(), 1, Events::none, Events::read);
  struct sigaction ignored_mostly{};
  ignored_mostly.sa_handler = [](int) {};
  ignored_mostly.sa_flags = SA_RESTART;  // which no poller's wait heeds
  struct sigaction before{};
  REQUIRE(::sigaction(SIGUSR1, &ignored_mostly, &before) == 0);
  const pthread_t self = ::pthread_self();
  std::atomic<bool> over = false;
  // Again and again, as the first may come before the wait has begun.
  std::thread other([&] {
    while (!over) {
      ::pthread_kill(self, SIGUSR1);
      std::this_thread::sleep_for(1ms);
    }
  });
  const auto start = Clock::now();
  CHECK(poller->wait(60s).empty());
  CHECK(Clock::now() - start < 50s);
  over = true;
  other.join();
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST_CASE("a regular file is always ready to poll and /dev/poll, refused by epoll", "[poller]") {
  const EveryPoller poller;
  char path[] = "/tmp/squall-poller-XXXXXX";
  const OwnedFd file(::mkstemp(path));
  REQUIRE(file);
  ::unlink(path);
  if (poller->name() == "epoll") {
    CHECK(error_of(*poller, file.get(), Events::none, Events::read) == EPERM);
    CHECK(poller->wait(0ns).empty());
  } else if (poller->name() == "kqueue") {
    poller->update(file.get(), 1, Events::none, Events::read);
    CHECK(poller->wait(0ns).empty());
    put(file);
    ::lseek(file.get(), 0, SEEK_SET);
    CHECK(events_of(*poller, file) == Events::read);
    // Both directions or neither: the registration for reading stays.
    CHECK(error_of(*poller, file.get(), Events::read, Events::write) == EINVAL);
    CHECK(events_of(*poller, file) == Events::read);
    poller->update(file.get(), 1, Events::read, Events::none);
    CHECK(error_of(*poller, file.get(), Events::none, kBoth) == EINVAL);
    CHECK(poller->wait(0ns).empty());
  } else {
    poller->update(file.get(), 1, Events::none, kBoth);
    CHECK(events_of(*poller, file) == kBoth);
  }
}

// The process's open descriptors and their flags.
std::map<int, int> open_descriptors() {
  std::map<int, int> open;
  for (int fd = 0; fd < 1024; ++fd)
    if (const int flags = ::fcntl(fd, F_GETFD); flags >= 0) open[fd] = flags;
  return open;
}

TEST_CASE("the descriptors of a poller are closed with it, and on exec", "[poller]") {
  const auto before = open_descriptors();
  {
    const EveryPoller poller;
    for (const auto& [fd, flags] : open_descriptors())
      if (!before.contains(fd)) CHECK(flags == FD_CLOEXEC);
  }
  CHECK(open_descriptors() == before);
}

// The errno that make_poller() throws.
std::string complaint(std::string_view name) {
  try {
    make_poller(name);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

std::unique_ptr<Poller> make_own() { return make_poller("poll"); }

TEST_CASE("pollers are known by name; without one SQUALL_POLLER decides, else the system's best",
          "[poller]") {
  const std::vector<std::string> names = poller_names();
  REQUIRE_FALSE(names.empty());
  CHECK(std::count(names.begin(), names.end(), "poll") == 1);
  {
    const PollerVariable unset(nullptr);
    CHECK(make_poller()->name() == names[0]);
    CHECK(make_poller("poll")->name() == "poll");
    CHECK(IOLoop().poller_name() == names[0]);
    CHECK(IOLoop(IOLoop::Options{.poller = "poll"}).poller_name() == "poll");
    CHECK(complaint("select").starts_with("there is no poller 'select'; there are: " + names[0]));
    CHECK(complaint("select").find("poll") != std::string::npos);
    CHECK_THROWS_AS(IOLoop(IOLoop::Options{.poller = "select"}), std::invalid_argument);
  }
  {
    const PollerVariable poll("poll");
    CHECK(make_poller()->name() == "poll");
    CHECK(make_poller(names[0])->name() == names[0]);
    CHECK(IOLoop().poller_name() == "poll");
  }
  {
    const PollerVariable empty("");
    CHECK(make_poller()->name() == names[0]);
  }
  const PollerVariable unknown("select");
  CHECK(complaint("").starts_with("there is no poller 'select', which SQUALL_POLLER asks for; there are: "));
}

TEST_CASE("a poller of one's own is found by its name and never picked unasked", "[poller]") {
  const std::size_t before = poller_names().size();
  CHECK_THROWS_AS(register_poller("", make_own), std::invalid_argument);
  CHECK_THROWS_AS(register_poller("own", nullptr), std::invalid_argument);
  CHECK_THROWS_AS(register_poller("poll", make_own), std::invalid_argument);
  CHECK(poller_names().size() == before);
  register_poller("own", [] {
    // A poller that counts the waits.
    class Own final : public Poller {
     public:
      std::string_view name() const noexcept override { return "own"; }
      void update(int fd, std::uint32_t generation, Events before, Events after) override {
        inner_->update(fd, generation, before, after);
      }
      std::span<const Ready> wait(std::optional<std::chrono::nanoseconds> timeout) override {
        return inner_->wait(timeout);
      }

     private:
      std::unique_ptr<Poller> inner_ = make_own();
    };
    return std::unique_ptr<Poller>(new Own);
  });
  CHECK(poller_names().back() == "own");
  CHECK_THROWS_AS(register_poller("own", make_own), std::invalid_argument);
  IOLoop loop(IOLoop::Options{.poller = "own"});
  CHECK(loop.poller_name() == "own");
  int ran = 0;
  loop.call_later(1ms, [&] {
    ++ran;
    loop.stop();
  });
  loop.start();
  CHECK(ran == 1);
  const PollerVariable unset(nullptr);
  CHECK(make_poller()->name() != "own");
}

}  // namespace
}  // namespace squall::poller_test

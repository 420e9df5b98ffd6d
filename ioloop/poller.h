#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace squall {

// What to wait for on a descriptor, and what happened to it; the values are Tornado's (IOL-30). Errors and
// hang-ups are never asked for and always reported, as the readiness that was asked for: the read or write
// that then fails learns the true errno. Who waits for neither may ask for hangup alone, to hear of them
// where the system tells (not kqueue).
enum class Events : std::uint32_t { none = 0, read = 0x001, write = 0x004, hangup = 0x010 };

constexpr Events operator|(Events a, Events b) noexcept {
  return static_cast<Events>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr Events operator&(Events a, Events b) noexcept {
  return static_cast<Events>(static_cast<std::uint32_t>(a) & static_cast<std::uint32_t>(b));
}
constexpr Events operator~(Events a) noexcept {
  return static_cast<Events>(~static_cast<std::uint32_t>(a) & 0x015);
}
constexpr bool has(Events set, Events wanted) noexcept { return (set & wanted) != Events::none; }

// A descriptor that is ready. `generation` is the one its registration was given, so that an event for a
// descriptor closed and opened anew within the same batch can be told from one for its successor.
struct Ready {
  int fd;
  std::uint32_t generation;
  Events events;
};

// Asks the kernel which descriptors are ready, level-triggered. One file a backend.
//
// Thread:    the loop's thread only.
class Poller {
 public:
  virtual ~Poller() = default;
  virtual std::string_view name() const noexcept = 0;

  // Changes what is waited for on `fd`; `before` is what the last call left. none to something registers,
  // something to none forgets. Throws std::system_error, and then nothing has changed.
  virtual void update(int fd, std::uint32_t generation, Events before, Events after) = 0;

  // Waits until something is ready or `timeout` has passed; negative waits without end. Returns early, with
  // nothing, on a signal. The result is valid until the next call.
  virtual std::span<const Ready> wait(std::chrono::nanoseconds timeout) = 0;
};

// The best poller this system has.
std::unique_ptr<Poller> make_poller();

}  // namespace squall

#include <squall/iostream/stream/pump.h>

#include <squall/ioloop/loop/sleep.h>
#include <squall/iostream/socket/splice_pipe.h>

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>

namespace squall {
namespace {

// From this size on moving pages is cheaper than copying: two splice calls, into the pipe and out of it,
// take some microseconds more than a recv and a send.
constexpr std::size_t kBulk = 32 * 1024;
// The size of a copied piece when `to` takes no more bytes, so that the pump can await a write().
constexpr std::size_t kCopied = 16 * 1024;

bool is_plain_socket(const IOStream& stream) noexcept {
  if (stream.transport() || stream.closed()) return false;
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(stream.fd(), SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

// A kernel pipe between two sockets. Destruction queues the bytes that are still in the pipe at `to`.
class Bypass {
 public:
  Bypass(IOStream& from, IOStream& to) noexcept
      : from_(from), to_(to), possible_(is_plain_socket(from) && is_plain_socket(to)) {}
  ~Bypass() {
    while (!pipe_.empty() && !to_.closed()) {
      try {
        const std::string bytes = take(pipe_.size());
        if (bytes.empty()) return;
        static_cast<void>(to_.write(bytes));
      } catch (const std::exception&) {
        // The bytes are lost, so the stream must not continue.
        to_.close(std::make_error_code(std::errc::not_enough_memory));
      }
    }
  }
  Bypass(const Bypass&) = delete;
  Bypass& operator=(const Bypass&) = delete;

  bool is_possible() const noexcept { return possible_ && !from_.closed() && !to_.closed(); }
  bool empty() const noexcept { return pipe_.empty(); }

  // Moves received bytes into the pipe. Returns their count. If it is 0, a read finds the reason: no bytes,
  // or an error.
  std::size_t fill() noexcept {
    if (!is_possible()) return 0;
    const ssize_t count = pipe_.fill_from(from_.fd());
    // A read reports an error of the connection again. Other errors mean that splice() does not work here.
    if (count < 0 && errno != EAGAIN) possible_ = false;
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  // Moves the bytes that `to` takes without a wait.
  void drain() noexcept {
    while (possible_ && !pipe_.empty()) {
      const ssize_t count = pipe_.drain_to(to_.fd());
      if (count > 0) continue;
      if (count == 0 || errno != EAGAIN) possible_ = false;
      return;
    }
  }
  // The first bytes, `most` at most.
  std::string take(std::size_t most) {
    std::string bytes(std::min(most, pipe_.size()), '\0');
    const ssize_t count = pipe_.take(bytes);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }

 private:
  IOStream& from_;
  IOStream& to_;
  SplicePipe pipe_;
  bool possible_;
};

// For fairness: after some 4 MiB the loop serves other descriptors.
constexpr int kSpliceCost = IOLoop::kBudget / 16;

// Moves bytes until a piece is smaller than kBulk.
Task<std::uint64_t> move_bulk(Bypass& bypass, IOStream& to) {
  std::uint64_t moved = 0;
  for (;;) {
    const std::size_t count = bypass.fill();
    moved += count;
    for (bypass.drain(); !bypass.empty(); bypass.drain()) {
      // `to` takes no more bytes, or has failed: the write waits, or closes the stream.
      const std::string bytes = bypass.take(kCopied);
      if (bytes.empty()) throw std::system_error(EIO, std::generic_category(), "splice");
      co_await to.write(bytes);
    }
    if (count < kBulk) co_return moved;
    const bool may_go_on = to.loop().spend(kSpliceCost);
    if (!may_go_on) co_await moment();
  }
}

}  // namespace

Task<std::uint64_t> pump(IOStream& from, IOStream& to) {
  std::uint64_t pumped = 0;
  Bypass bypass(from, to);
  for (;;) {
    const std::string_view chunk = co_await from.read_some();
    const std::size_t size = chunk.size();
    if (size == 0) co_return pumped;
    co_await to.write(chunk);
    pumped += size;
    if (size < kBulk || !bypass.is_possible()) continue;
    const std::uint64_t moved = co_await move_bulk(bypass, to);
    pumped += moved;
  }
}

}  // namespace squall

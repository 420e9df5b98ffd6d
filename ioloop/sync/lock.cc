#include <squall/ioloop/sync/lock.h>

#include <fmt/format.h>

#include <stdexcept>

namespace squall {

void Lock::release() {
  if (!semaphore_.try_release()) throw std::logic_error("release unlocked lock");
}

std::string Lock::to_string() const {
  if (!locked()) return "<Lock [unlocked]>";
  if (waiters() == 0) return "<Lock [locked]>";
  return fmt::format("<Lock [locked,waiters:{}]>", waiters());
}

}  // namespace squall

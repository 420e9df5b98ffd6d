#include <squall/ioloop/sync/semaphore.h>

#include <squall/ioloop/base/log.h>

#include <fmt/format.h>

#include <stdexcept>

namespace squall {
namespace {

constexpr const char* kTooMany = "Semaphore released too many times";

}  // namespace

Semaphore::Semaphore(std::ptrdiff_t value, std::ptrdiff_t bound) : value_(value), bound_(bound) {
  if (value < 0) throw std::invalid_argument("semaphore initial value must be >= 0");
}

Semaphore::~Semaphore() {
  promised_.withdraw_all();
  while (!permits_.empty()) permits_.front().detach();
}

void Semaphore::release() {
  if (!try_release()) throw std::logic_error(kTooMany);
}

bool Semaphore::try_release() noexcept {
  if (complete()) return false;
  give_back();
  return true;
}

Permit::Permit(Semaphore& semaphore) noexcept : semaphore_(&semaphore) {
  semaphore.permits_.push_back(*this);
}

void Permit::take(Permit& other) noexcept {
  semaphore_ = std::exchange(other.semaphore_, nullptr);
  take_place_of(other);
}

void Permit::release() noexcept {
  Semaphore* semaphore = semaphore_;
  if (!semaphore) return;
  detach();
  // False if the program called Semaphore::release() for a permit that was not detached. A destructor cannot
  // throw.
  if (!semaphore->try_release()) log::application().error(kTooMany);
}

std::string Semaphore::describe(std::string_view name) const {
  std::string text = fmt::format("<{} [{}", name, locked() ? "locked" : "unlocked");
  if (!locked()) text += fmt::format(",value:{}", value_);
  if (!waiting_.empty()) text += fmt::format(",waiters:{}", waiting_.size());
  return text + "]>";
}

}  // namespace squall

#include <squall/ioloop/sync/event.h>

#include <fmt/format.h>

namespace squall {

std::string Event::to_string() const {
  const char* state = set_ ? "set" : "clear";
  if (waiting_.empty()) return fmt::format("<Event {}>", state);
  return fmt::format("<Event {} waiters[{}]>", state, waiting_.size());
}

}  // namespace squall

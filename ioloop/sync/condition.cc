#include <squall/ioloop/sync/condition.h>

#include <fmt/format.h>

namespace squall {

std::string Condition::to_string() const {
  if (waiting_.empty()) return "<Condition>";
  return fmt::format("<Condition waiters[{}]>", waiting_.size());
}

}  // namespace squall

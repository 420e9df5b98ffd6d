#include <squall/ioloop/sync/queue.h>

#include <fmt/format.h>

namespace squall::detail {

std::string to_string(const QueueState& state) {
  std::string text = fmt::format("<{} maxsize={}", state.name, state.maxsize);
  if (state.size > 0) text += fmt::format(" queue[{}]", state.size);
  if (state.getters > 0) text += fmt::format(" getters[{}]", state.getters);
  if (state.putters > 0) text += fmt::format(" putters[{}]", state.putters);
  if (state.unfinished > 0) text += fmt::format(" tasks={}", state.unfinished);
  if (state.closed) text += " closed";
  return text + ">";
}

}  // namespace squall::detail

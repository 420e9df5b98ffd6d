#include <squall/web/output/server_sent_event.h>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace squall::web {
namespace {

void check_field(std::string_view name, std::string_view value) {
  constexpr std::string_view kRefused("\r\n\0", 3);
  if (value.find_first_of(kRefused) != value.npos)
    throw std::invalid_argument(fmt::format("A line break or NUL in the {} of an event", name));
}

// Removes the first line from `rest`, and returns it without its end.
std::string_view next_line(std::string_view& rest) noexcept {
  const std::size_t end = std::min(rest.find_first_of("\r\n"), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end);
  rest.remove_prefix(rest.starts_with("\r\n") ? 2 : rest.empty() ? 0 : 1);
  return line;
}

void append_line(std::string& out, std::string_view field, std::string_view value) {
  out.append(field).append(": ").append(value).append("\n");
}

void append_lines(std::string& out, std::string_view field, std::string_view text) {
  const bool ends_in_break = text.ends_with('\n') || text.ends_with('\r');
  do {
    append_line(out, field, next_line(text));
  } while (!text.empty());
  if (ends_in_break) append_line(out, field, {});
}

}  // namespace

void append_event(std::string& out, const ServerSentEvent& event) {
  check_field("name", event.event);
  check_field("id", event.id);
  if (!event.event.empty()) append_line(out, "event", event.event);
  if (!event.id.empty()) append_line(out, "id", event.id);
  if (event.retry) out += fmt::format("retry: {}\n", event.retry->count());
  append_lines(out, "data", event.data);
  out += '\n';
}

void append_comment(std::string& out, std::string_view text) {
  append_lines(out, "", text);
  out += '\n';
}

}  // namespace squall::web

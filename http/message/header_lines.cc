#include <squall/http/message/header_lines.h>

#include <squall/ioloop/base/ascii.h>

#include <algorithm>

namespace squall::http {

std::string_view parse_header_line(std::string_view line, Headers& headers) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) return {};
  const bool goes_on = line[0] == ' ' || line[0] == '\t';
  const std::size_t colon = goes_on ? 0 : line.find(':');
  if (colon == line.npos) return "no colon in header line";
  const std::string_view value = trim(goes_on ? line : line.substr(colon + 1));
  if (!is_field_text(value)) return "Invalid header value";
  if (goes_on) return headers.extend_last(value) ? "" : "first header line cannot start with whitespace";
  const std::string_view name = line.substr(0, colon);
  if (!is_token(name)) return "Invalid header name";
  headers.add(name, value);
  return {};
}

std::string_view parse_header_lines(std::string_view block, Headers& headers) {
  while (!block.empty()) {
    const std::size_t size = std::min(block.find('\n'), block.size() - 1) + 1;
    const std::string_view fault = parse_header_line(block.substr(0, size), headers);
    if (!fault.empty()) return fault;
    block.remove_prefix(size);
  }
  return {};
}

}  // namespace squall::http

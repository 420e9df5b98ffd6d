#include "support/obvious_reader.h"

#include <cstdint>
#include <optional>

namespace squall::testing {
namespace {

using End = ObviousReading::End;

// Thrown where the bytes end, or are malformed.
struct Stop {
  End end;
};

[[noreturn]] void incomplete() { throw Stop{End::incomplete}; }
[[noreturn]] void wrong() { throw Stop{End::error}; }

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_figure(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string text) {
  for (char& c : text) c = lower(c);
  return text;
}

// RFC 9110, 5.6.2.
bool is_token(const std::string& text) {
  for (const char c : text)
    if (!is_letter(c) && !is_figure(c) &&
        (c == '\0' || std::string("!#$%&'*+-.^_`|~").find(c) == std::string::npos))
      return false;
  return !text.empty();
}

// Text without control characters, apart from the tab.
bool is_text(const std::string& text) {
  for (const char c : text)
    if ((c >= 0 && c < ' ' && c != '\t') || c == 0x7f) return false;
  return true;
}

// Without the blanks at both ends.
std::string stripped(std::string text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.erase(0, 1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.pop_back();
  return text;
}

// Reads up to and including the next CRLF. A single CR or LF is an error (RFC 9112, 2.2).
std::string take_line(std::string_view& bytes) {
  std::string line;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\n') wrong();
    if (bytes[i] == '\r') {
      if (i + 1 == bytes.size()) incomplete();
      if (bytes[i + 1] != '\n') wrong();
      bytes.remove_prefix(i + 2);
      return line;
    }
    line += bytes[i];
  }
  incomplete();
}

// Lines up to an empty one (RFC 9112, 5; folded lines are wrong, 5.2).
ObviousRequest::Fields take_fields(std::string_view& bytes) {
  ObviousRequest::Fields fields;
  for (;;) {
    const std::string line = take_line(bytes);
    if (line.empty()) return fields;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || !is_token(line.substr(0, colon))) wrong();
    const std::string value = stripped(line.substr(colon + 1));
    if (!is_text(value)) wrong();
    fields.emplace_back(line.substr(0, colon), value);
  }
}

std::vector<std::string> values_of(const ObviousRequest& request, const std::string& name) {
  std::vector<std::string> values;
  for (const auto& [key, value] : request.headers)
    if (lower(key) == name) values.push_back(lower(value));
  return values;
}

// Whether the list in a field's value has this member.
bool lists(const ObviousRequest& request, const std::string& name, const std::string& member) {
  for (const std::string& value : values_of(request, name)) {
    std::string item;
    for (const char c : value + ",") {
      if (c != ',') {
        item += c;
      } else {
        if (stripped(item) == member) return true;
        item.clear();
      }
    }
  }
  return false;
}

// Removes the characters at the front of `text` that `is_part` accepts, and returns their number.
template <class IsPart>
std::size_t skip(std::string& text, IsPart is_part) {
  std::size_t count = 0;
  while (count < text.size() && is_part(text[count])) ++count;
  text.erase(0, count);
  return count;
}
void skip_blanks(std::string& text) {
  skip(text, [](char c) { return c == ' ' || c == '\t'; });
}
bool skip_token(std::string& text) {
  return skip(text, [](char c) { return is_token(std::string(1, c)); }) > 0;
}
bool skip_quoted(std::string& text) {
  std::size_t end = 1;
  while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
  if (end >= text.size()) return false;
  text.erase(0, end + 1);
  return true;
}

// chunk-ext of RFC 9112, 7.1.1.
bool are_extensions(std::string text) {
  while (!text.empty()) {
    skip_blanks(text);
    if (!text.starts_with(';')) return false;
    text.erase(0, 1);
    skip_blanks(text);
    if (!skip_token(text)) return false;
    std::string value = text;
    skip_blanks(value);
    if (!value.starts_with('=')) continue;
    text = value.substr(1);
    skip_blanks(text);
    if (text.starts_with('"') ? !skip_quoted(text) : !skip_token(text)) return false;
  }
  return true;
}

// RFC 9112, 7.1.
void take_chunks(std::string_view& bytes, ObviousRequest& request) {
  for (;;) {
    const std::string line = take_line(bytes);
    const std::string digits = line.substr(0, line.find_first_of("; \t"));
    if (digits.empty() || !is_text(line) || !are_extensions(line.substr(digits.size()))) wrong();
    std::uint64_t size = 0;
    for (const char c : digits) {
      const std::size_t digit = std::string("0123456789abcdef").find(lower(c));
      if (digit == std::string::npos || size > (~std::uint64_t{0} >> 4)) wrong();
      size = size * 16 + digit;
    }
    if (size == 0) break;
    if (bytes.size() < size) incomplete();
    request.body += bytes.substr(0, size);
    bytes.remove_prefix(size);
    if (bytes.empty() || bytes == "\r") incomplete();
    if (!bytes.starts_with("\r\n")) wrong();
    bytes.remove_prefix(2);
  }
  request.trailers = take_fields(bytes);
}

// RFC 9112, 6.3.
void take_body(std::string_view& bytes, ObviousRequest& request) {
  const std::vector<std::string> codings = values_of(request, "transfer-encoding");
  const std::vector<std::string> lengths = values_of(request, "content-length");
  if (!codings.empty()) {
    if (codings.size() != 1 || codings[0] != "chunked" || !lengths.empty() || request.version == "HTTP/1.0")
      wrong();
    return take_chunks(bytes, request);
  }
  if (lengths.empty()) return;
  if (lengths.size() != 1 || lengths[0].empty()) wrong();
  std::uint64_t length = 0;
  for (const char c : lengths[0]) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (!is_figure(c) || length > (~std::uint64_t{0} - digit) / 10) wrong();
    length = length * 10 + digit;
  }
  if (bytes.size() < length) incomplete();
  request.body = bytes.substr(0, length);
  bytes.remove_prefix(length);
}

ObviousRequest take_request(std::string_view& bytes) {
  ObviousRequest request;
  const std::string line = take_line(bytes);
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string::npos || first == last) wrong();
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, last - first - 1);
  request.version = line.substr(last + 1);
  if (!is_token(request.method)) wrong();
  if (request.target.empty() || !is_text(request.target)) wrong();
  if (request.target.find_first_of(" \t") != std::string::npos) wrong();
  if (request.version.size() != 8 || !request.version.starts_with("HTTP/1.") ||
      !is_figure(request.version[7]))
    wrong();
  // A later version is processed as HTTP/1.1 (RFC 9110, 2.5).
  if (request.version != "HTTP/1.0") request.version = "HTTP/1.1";
  request.headers = take_fields(bytes);
  const std::size_t hosts = values_of(request, "host").size();
  if (hosts > 1 || (hosts == 0 && request.version == "HTTP/1.1")) wrong();
  take_body(bytes, request);
  request.closes = lists(request, "connection", "close") || request.method == "CONNECT";
  if (request.version == "HTTP/1.0") {
    // In HTTP/1.0 a body without a length ends with the connection.
    const bool ends =
        request.method == "GET" || request.method == "HEAD" || !values_of(request, "content-length").empty();
    if (!lists(request, "connection", "keep-alive") || !ends) request.closes = true;
  }
  return request;
}

}  // namespace

ObviousReading read_obviously(std::string_view bytes) {
  ObviousReading reading;
  try {
    for (;;) {
      while (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
      if (bytes.empty() || bytes == "\r") return reading;
      reading.requests.push_back(take_request(bytes));
      if (reading.requests.back().closes) throw Stop{End::closed};
    }
  } catch (const Stop& stop) {
    reading.end = stop.end;
  }
  return reading;
}

}  // namespace squall::testing

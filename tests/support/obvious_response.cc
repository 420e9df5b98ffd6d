#include "support/obvious_response.h"

#include <cstdint>
#include <optional>

namespace squall::testing {
// A namespace of its own, as the reader of requests has functions with the same names but other rules.
namespace obvious_response {
namespace {

using Fields = ObviousResponse::Fields;
using Reading = ObviousResponseReading;

struct Incomplete {};
struct Wrong {};

// A longer part may be refused.
constexpr std::size_t kUsual = 500;
// More informational responses may be refused.
constexpr int kUsualInformational = 10;

bool is_figure(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
std::string lower(std::string text) {
  for (char& c : text) c = lower(c);
  return text;
}

// RFC 9110, 5.6.2.
bool is_token(const std::string& text) {
  for (const char c : text) {
    const bool is_letter = lower(c) >= 'a' && lower(c) <= 'z';
    const bool is_other = c != '\0' && std::string("!#$%&'*+-.^_`|~").find(c) != std::string::npos;
    if (!is_letter && !is_figure(c) && !is_other) return false;
  }
  return !text.empty();
}

std::string stripped(std::string text) {
  while (!text.empty() && is_blank(text.front())) text.erase(0, 1);
  while (!text.empty() && is_blank(text.back())) text.pop_back();
  return text;
}

std::vector<std::string> items_of(const std::string& list) {
  std::vector<std::string> items(1);
  for (const char c : list) {
    if (c == ',') {
      items.emplace_back();
    } else {
      items.back() += c;
    }
  }
  for (std::string& item : items) item = stripped(item);
  return items;
}

// The items of all fields of this name, in lower case.
std::vector<std::string> items_of(const Fields& fields, const std::string& name) {
  std::vector<std::string> items;
  for (const auto& [key, value] : fields)
    if (lower(key) == name)
      for (const std::string& item : items_of(lower(value))) items.push_back(item);
  return items;
}

bool lists(const Fields& fields, const std::string& name, const std::string& member) {
  for (const std::string& item : items_of(fields, name))
    if (item == member) return true;
  return false;
}

std::optional<std::uint64_t> number_of(const std::string& digits, unsigned base) {
  std::uint64_t number = 0;
  for (const char c : digits) {
    const std::size_t digit = std::string("0123456789abcdef").substr(0, base).find(lower(c));
    if (digit == std::string::npos || number > (~std::uint64_t{0} - digit) / base) return std::nullopt;
    number = number * base + digit;
  }
  if (digits.empty()) return std::nullopt;
  return number;
}

struct Reader {
  std::string_view bytes;
  Reading& reading;
  bool is_old = false;  // HTTP/1.0

  void may_refuse() { reading.may_be_refused = true; }

  // Reads up to and including the next line end. A single LF may be taken for one (RFC 9112, 2.2).
  std::string take_line() {
    std::string line;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (bytes[i] == '\n') {
        bytes.remove_prefix(i + 1);
        if (!line.ends_with('\r')) {
          may_refuse();
        } else {
          line.pop_back();
        }
        if (line.find('\r') != std::string::npos) throw Wrong();
        if (line.size() > kUsual) may_refuse();
        return line;
      }
      line += bytes[i];
    }
    throw Incomplete();
  }

  // A client may keep control characters (RFC 9110, 5.5).
  void check_text(const std::string& text) {
    for (const char c : text) {
      if (c == '\0') throw Wrong();
      if ((c > 0 && c < ' ' && c != '\t') || c == 0x7f) may_refuse();
    }
  }

  // Lines up to an empty one. A line that begins with a blank continues the one before it (RFC 9112, 5.2).
  Fields take_fields() {
    Fields fields;
    std::size_t size = 0;
    for (;;) {
      const std::string line = take_line();
      size += line.size() + 2;
      if (size > kUsual) may_refuse();
      if (line.empty()) break;
      check_text(line);
      if (is_blank(line[0])) {
        if (fields.empty()) throw Wrong();
        // llhttp reads the lines of these fields one by one.
        const std::string name = lower(fields.back().first);
        if (name == "content-length" || name == "transfer-encoding" || name == "connection") may_refuse();
        fields.back().second += " " + line;
        continue;
      }
      const std::size_t colon = line.find(':');
      if (colon == std::string::npos) throw Wrong();
      std::string name = line.substr(0, colon);
      while (!name.empty() && is_blank(name.back())) {
        may_refuse();
        name.pop_back();
      }
      if (!is_token(name)) throw Wrong();
      fields.emplace_back(name, line.substr(colon + 1));
      // llhttp takes no tab behind the digits, which RFC 9110, 5.5 allows.
      if (lower(name) == "content-length" && line.ends_with('\t')) may_refuse();
    }
    for (auto& [name, value] : fields) value = with_single_blanks(value);
    return fields;
  }

  // RFC 9112, 4. True for the final response.
  bool take_head() {
    while (bytes.starts_with("\r\n")) {
      may_refuse();
      bytes.remove_prefix(2);
    }
    const std::string line = take_line();
    if (!line.starts_with("HTTP/1.") || line.size() < 12 || !is_figure(line[7]) || line[8] != ' ')
      throw Wrong();
    if (line[7] > '1') may_refuse();
    const std::optional<std::uint64_t> status = number_of(line.substr(9, 3), 10);
    if (!status || *status < 100) throw Wrong();
    if (line.size() == 12) may_refuse();
    if (line.size() > 12 && line[12] != ' ') throw Wrong();
    ObviousResponse& response = reading.response;
    response.status = static_cast<int>(*status);
    response.reason = line.size() > 13 ? line.substr(13) : std::string();
    check_text(response.reason);
    response.headers = take_fields();
    // The client has asked for no other protocol.
    if (response.status == 101) throw Wrong();
    if (response.status >= 600) may_refuse();
    reading.closes = lists(response.headers, "connection", "close");
    if (line[7] == '0' && !lists(response.headers, "connection", "keep-alive")) reading.closes = true;
    is_old = line[7] == '0';
    return response.status >= 200;
  }

  // RFC 9112, 7.1, with blanks where RFC 9110, 5.6.3 makes a recipient accept them.
  void take_chunks() {
    std::size_t framing = 0;
    for (;;) {
      const std::string line = take_line();
      framing += line.size() + 4;
      if (framing > kUsual) may_refuse();
      check_text(line);
      const std::size_t semicolon = line.find(';');
      if (semicolon != std::string::npos) check_extensions(line.substr(semicolon + 1));
      std::string digits = line.substr(0, semicolon);
      while (!digits.empty() && is_blank(digits.back())) {
        may_refuse();
        digits.pop_back();
      }
      const std::optional<std::uint64_t> size = number_of(digits, 16);
      if (!size) throw Wrong();
      if (*size == 0) break;
      if (bytes.size() < *size) throw Incomplete();
      reading.response.body += bytes.substr(0, *size);
      bytes.remove_prefix(*size);
      if (bytes.empty() || bytes == "\r") throw Incomplete();
      if (bytes.starts_with('\n')) {
        may_refuse();
        bytes.remove_prefix(1);
      } else {
        if (!bytes.starts_with("\r\n")) throw Wrong();
        bytes.remove_prefix(2);
      }
    }
    reading.response.trailers = take_fields();
  }

  // A name, or a name and a token; other forms may be refused.
  void check_extensions(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (!is_token(text.substr(0, equals))) may_refuse();
    if (equals != std::string::npos && !is_token(text.substr(equals + 1))) may_refuse();
  }

  // RFC 9112, 6.3.
  void take_body(std::string_view method) {
    ObviousResponse& response = reading.response;
    const std::vector<std::string> codings = items_of(response.headers, "transfer-encoding");
    const std::vector<std::string> lengths = items_of(response.headers, "content-length");
    std::optional<std::uint64_t> length;
    bool is_valid = true;
    for (const std::string& each : lengths) {
      const std::optional<std::uint64_t> number = number_of(each, 10);
      if (!number || (length && *number != *length)) is_valid = false;
      length = number;
    }
    // Rule 1: without a body its framing means nothing. If it contradicts itself or a 204, a body may follow.
    if (method == "HEAD" || response.status == 204 || response.status == 304) {
      const bool has_body = response.status == 204 && (!codings.empty() || length.value_or(0) > 0);
      if (!is_valid || has_body || (!codings.empty() && !lengths.empty())) reading.closes = true;
      return;
    }
    if (!is_valid) throw Wrong();
    // Both framings, or a length that is repeated.
    if (lengths.size() > 1 || (!codings.empty() && length)) may_refuse();
    if (!codings.empty()) {
      // The request named no coding that the server may use beside chunks.
      if (codings.size() != 1 || codings[0] != "chunked") throw Wrong();
      if (is_old || length) {
        may_refuse();
        reading.closes = true;
      }
      return take_chunks();
    }
    if (!length) {
      reading.closes = true;
      length = bytes.size();
    }
    if (bytes.size() < *length) throw Incomplete();
    response.body = bytes.substr(0, *length);
    bytes.remove_prefix(*length);
  }
};

}  // namespace
}  // namespace obvious_response

ObviousResponseReading read_response_obviously(std::string_view bytes, std::string_view method) {
  using namespace obvious_response;
  ObviousResponseReading reading;
  Reader reader{bytes, reading};
  try {
    for (int informational = 0; !reader.take_head(); ++informational)
      if (informational > kUsualInformational) reader.may_refuse();
    reader.take_body(method);
    reading.end = Reading::End::complete;
    reading.used = bytes.size() - reader.bytes.size();
  } catch (const Incomplete&) {
    reading.end = Reading::End::incomplete;
  } catch (const Wrong&) {
    reading.end = Reading::End::error;
  }
  return reading;
}

std::string with_single_blanks(std::string_view value) {
  std::string result;
  for (const char c : value) {
    const bool is_blank = c == ' ' || c == '\t';
    if (!is_blank) result += c;
    if (is_blank && !result.empty() && result.back() != ' ') result += ' ';
  }
  if (result.ends_with(' ')) result.pop_back();
  return result;
}

}  // namespace squall::testing

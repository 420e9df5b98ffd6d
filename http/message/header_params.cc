#include <squall/http/message/header_params.h>

#include <squall/http/message/latin1.h>
#include <squall/http/message/percent_encoding.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/utf8.h>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <unordered_map>

namespace squall::http {
namespace {

// RFC 8187, 3.2.1.
constexpr bool is_attr_char(char c) {
  return is_alpha(c) || is_digit(c) || (c != '\0' && detail::is_one_of(c, "!#$&+-.^_`|~"));
}
constexpr auto kAttrTable = detail::table(is_attr_char);

// Decodes `UTF-8''%e2%82%ac%20rates`; nullopt for malformed text.
std::optional<std::string> decode_extended(std::string_view text) {
  const std::size_t first = text.find('\'');
  if (first == text.npos) return std::nullopt;
  const std::size_t second = text.find('\'', first + 1);
  if (second == text.npos) return std::nullopt;
  const std::string_view charset = text.substr(0, first);
  const std::string_view escaped = text.substr(second + 1);
  for (std::size_t i = 0; i < escaped.size(); ++i)
    if (escaped[i] == '%' && !is_percent_escape(escaped, i)) return std::nullopt;
  std::string bytes = percent_decode(escaped);
  if (equals_ignoring_case(charset, "utf-8")) {
    if (!is_utf8(bytes)) return std::nullopt;
    return bytes;
  }
  if (!equals_ignoring_case(charset, "iso-8859-1")) return std::nullopt;
  std::string text_bytes;
  for (const char c : bytes) append_latin1(text_bytes, static_cast<unsigned char>(c));
  return text_bytes;
}

std::string encode_extended(std::string_view value) {
  std::string text = "UTF-8''";
  append_percent_encoded(text, value, kAttrTable);
  return text;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

void check_text(std::string_view text) {
  for (const char c : text)
    if (is_control(c)) throw std::invalid_argument("A control character in a parameter of a header");
  if (!is_utf8(text)) throw std::invalid_argument("A header's parameter is not UTF-8");
}

void append_quoted(std::string& to, std::string_view value) {
  to += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') to += '\\';
    to += c;
  }
  to += '"';
}

void append_param(std::string& to, std::string_view name, std::string_view value) {
  if (!is_token(name)) throw std::invalid_argument(fmt::format("Invalid parameter name '{}'", name));
  check_text(value);
  to.append("; ").append(name);
  if (value.empty()) return;
  if (!is_ascii(value)) {
    to.append("*=").append(encode_extended(value));
  } else if (is_token(value)) {
    to.append("=").append(value);
  } else {
    to += '=';
    append_quoted(to, value);
  }
}

}  // namespace

const std::string* HeaderParams::find(std::string_view name) const noexcept {
  for (const auto& [key, text] : params)
    if (equals_ignoring_case(key, name)) return &text;
  return nullptr;
}

std::string_view next_quoted_piece(std::string_view& rest, char separator) noexcept {
  bool quoted = false;
  std::size_t i = 0;
  for (; i < rest.size(); ++i) {
    const char c = rest[i];
    if (quoted && c == '\\') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && c == separator) {
      break;
    }
  }
  i = std::min(i, rest.size());  // a backslash at the end skips beyond it
  const std::string_view piece = trim(rest.substr(0, i));
  rest = i == rest.size() ? std::string_view() : rest.substr(i + 1);
  return piece;
}

std::optional<std::string_view> next_list_element(std::string_view& rest) noexcept {
  while (!rest.empty()) {
    const std::string_view element = next_quoted_piece(rest, ',');
    if (!element.empty()) return element;
  }
  return std::nullopt;
}

[[gnu::cold]] std::string unquote_string(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  std::string result;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '\\' && i + 2 < text.size()) ++i;
    result += text[i];
  }
  return result;
}

HeaderParams parse_header(std::string_view text) {
  HeaderParams header;
  header.value = next_quoted_piece(text, ';');
  std::unordered_map<std::string, std::string> extended;
  while (!text.empty()) {
    const std::string_view piece = next_quoted_piece(text, ';');
    const std::size_t equals = std::min(piece.find('='), piece.size());
    std::string name(trim(piece.substr(0, equals)));
    if (name.empty()) continue;
    make_lower(name);
    const std::string_view value = trim(piece.substr(std::min(equals + 1, piece.size())));
    if (name.size() > 1 && name.back() == '*') {
      name.pop_back();
      // Some clients send the value in quotes, which RFC 8187 does not allow.
      if (std::optional<std::string> decoded = decode_extended(unquote_string(value)))
        extended.emplace(std::move(name), std::move(*decoded));
    } else {
      header.params.emplace_back(std::move(name), unquote_string(value));
    }
  }
  if (extended.empty()) return header;
  for (auto& [name, value] : header.params) {
    const auto better = extended.find(name);
    if (better == extended.end()) continue;
    value = std::move(better->second);
    extended.erase(better);
  }
  for (auto& [name, value] : extended) header.params.emplace_back(name, std::move(value));
  return header;
}

std::string format_header(std::string_view value, const HeaderParams::List& params) {
  std::string text(value);
  check_text(value);
  for (const auto& [name, param] : params) append_param(text, name, param);
  return text;
}

std::string content_disposition(std::string_view type, std::string_view filename) {
  if (!is_token(type)) throw std::invalid_argument("A disposition type must be a token");
  check_text(filename);
  std::string text(type);
  if (filename.empty()) return text;
  std::string plain;
  for (const char c : filename) {
    if (static_cast<unsigned char>(c) >= 0xC0 || c == '"' || c == '\\' || c == '%') {
      plain += '_';
    } else if (static_cast<unsigned char>(c) < 0x80) {
      plain += c;
    }
  }
  text += "; filename=";
  append_quoted(text, plain);
  if (plain != filename) text.append("; filename*=").append(encode_extended(filename));
  return text;
}

}  // namespace squall::http

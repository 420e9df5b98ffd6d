#include <squall/http/codec/check_head.h>

#include <squall/ioloop/base/ascii.h>

#include <algorithm>

namespace squall::http {
namespace {

constexpr Refusal kBadTarget{400, "Malformed request target"};
constexpr Refusal kMalformed{400, "Malformed HTTP request line"};

bool is_version(std::string_view text) {
  return text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' &&
         is_digit(text[7]);
}

bool is_target_text(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return false;
  return !text.empty();
}

// Whether `text`, the part between brackets, is an IPv6 address or an address of a future version (RFC
// 3986, 3.2.2).
bool is_ip_literal(std::string_view text) {
  for (const char c : text)
    if (hex_value(c) < 0 && c != ':' && c != '.' && c != 'v' && c != 'V') return false;
  return text.find(':') != text.npos;
}

// A registered name (RFC 3986, 3.2.2): no colon, no bracket, and each `%` begins an escape.
bool is_reg_name(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ':' || text[i] == '[' || text[i] == ']') return false;
    if (text[i] == '%' && (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0))
      return false;
  }
  return is_host_text(text);
}

// Cuts `text` at the first of `separators`, and returns what comes before it.
std::string_view cut_before(std::string_view& text, std::string_view separators) {
  std::size_t end = 0;
  while (end < text.size() && separators.find(text[end]) == separators.npos) ++end;
  const std::string_view head = text.substr(0, end);
  text.remove_prefix(end);
  return head;
}

}  // namespace

bool is_host(std::string_view text, Port port) noexcept {
  // A name of only these characters, as almost all are, needs no further check.
  static constexpr auto kPlain =
      detail::table([](char c) { return is_alpha(c) || is_digit(c) || c == '.' || c == '-'; });
  std::size_t plain = 0;
  while (plain < text.size() && kPlain[static_cast<unsigned char>(text[plain])]) ++plain;
  if (plain == text.size()) return port == Port::optional;
  std::string_view host = text.substr(0, plain);
  std::string_view rest = text.substr(plain);
  if (!rest.empty() && rest.front() != ':') {
    const std::size_t end =
        text.starts_with('[') ? text.find(']') + 1 : std::min(text.find(':'), text.size());
    host = text.substr(0, end);
    rest = text.substr(end);
    if (text.starts_with('[') ? end == 0 || !is_ip_literal(host.substr(1, end - 2)) : !is_reg_name(host))
      return false;
  }
  if (rest.empty()) return port == Port::optional;
  if (rest.front() != ':' || host.empty()) return false;
  rest.remove_prefix(1);
  if (rest.empty()) return port == Port::optional;  // `h:` is `h` (RFC 3986, 3.2.3)
  unsigned number = 0;
  for (const char c : rest) {
    if (!is_digit(c)) return false;
    number = std::min(number * 10 + static_cast<unsigned>(c - '0'), 65536u);
  }
  return number < 65536;
}

Refusal split_target(std::string_view method, std::string_view target, Target& parts) {
  parts = {};
  std::string_view rest = target;
  if (method == "CONNECT") {
    parts.authority = target;
    return is_host(target, Port::required) ? Refusal() : kBadTarget;
  }
  if (target == "*") {
    parts.path = target;
    return method == "OPTIONS" ? Refusal() : kBadTarget;
  }
  if (!target.starts_with('/')) {
    const std::size_t scheme = target.find("://");
    if (scheme == target.npos) return kBadTarget;
    const std::string_view name = target.substr(0, scheme);
    if (!equals_ignoring_case(name, "http") && !equals_ignoring_case(name, "https")) return kBadTarget;
    rest.remove_prefix(scheme + 3);
    parts.authority = cut_before(rest, "/?");
    // User information in a target is refused: it can mislead software that logs or routes by it (RFC 9110,
    // 4.2.4).
    if (parts.authority.empty() || !is_host(parts.authority)) return kBadTarget;
  }
  parts.path = cut_before(rest, "?#");
  if (rest.empty()) return {};
  parts.query = rest.substr(1);
  return rest.find('#') == rest.npos ? Refusal() : kBadTarget;  // a client must not send a fragment
}

Refusal check_host(const Headers& headers, int minor_version) {
  const auto host = headers.find(HeaderId::host);
  if (!host) return minor_version == 0 ? Refusal() : Refusal{400, "Missing Host header"};
  if (headers.count(HeaderId::host) > 1) return {400, "Multiple host headers not allowed"};
  return is_host(*host) ? Refusal() : Refusal{400, "Invalid Host header"};
}

Refusal check_transfer_encoding(const Headers& headers, int minor_version) {
  const auto encoding = headers.find(HeaderId::transfer_encoding);
  if (!encoding) return {};
  if (minor_version == 0) return {400, "Transfer-Encoding in an HTTP/1.0 request"};
  const std::string_view value = *encoding;
  const std::size_t count = headers.count(HeaderId::transfer_encoding);
  if (count == 1 && equals_ignoring_case(value, "chunked")) return {};
  // Unknown codings, and then `chunked`: 501 (RFC 9112, 6.1). If the last coding is not `chunked`, the end
  // of the body cannot be found: 400 (RFC 9112, 6.3).
  const std::size_t comma = value.find(',');
  const bool ends_chunked = count == 1 && comma != value.npos && comma == value.rfind(',') &&
                            equals_ignoring_case(trim(value.substr(comma + 1)), "chunked");
  const std::string_view first = trim(value.substr(0, std::min(comma, value.size())));
  if (ends_chunked && is_token(first) && !equals_ignoring_case(first, "chunked"))
    return {501, "Unsupported Transfer-Encoding"};
  return {400, "Invalid Transfer-Encoding"};
}

bool has_token(const Headers& headers, HeaderId id, std::string_view token) noexcept {
  for (const auto [name, value] : headers) {
    if (header_id(name) != id) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      if (equals_ignoring_case(trim(rest.substr(0, comma)), token)) return true;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return false;
}

Refusal check_expect(const Headers& headers, int minor_version) {
  const auto expected = headers.find(HeaderId::expect);
  if (!expected || minor_version == 0) return {};
  if (headers.count(HeaderId::expect) == 1 && equals_ignoring_case(*expected, "100-continue")) return {};
  return {417, "Unknown expectation"};
}

Refusal judge_request_line(std::string_view line) {
  const std::string_view method = cut_before(line, " ");
  if (!is_token(method) || line.empty()) return kMalformed;
  line.remove_prefix(1);
  const std::string_view target = cut_before(line, " ");
  if (!is_target_text(target) || line.empty()) return kMalformed;
  line.remove_prefix(1);
  if (!is_version(line)) return kMalformed;
  if (line != "HTTP/1.1" && line != "HTTP/1.0") return {505, "Unsupported HTTP version"};
  return {501, "Unknown method"};
}

}  // namespace squall::http

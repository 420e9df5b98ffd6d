#include <squall/http/codec/check_head.h>

#include <squall/http/message/percent_encoding.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/iostream/address/address.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

namespace squall::http {
namespace {

constexpr Refusal kBadTarget{400, "Malformed request target"};
constexpr Refusal kMalformed{400, "Malformed HTTP request line"};

bool is_version(std::string_view text) {
  return text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' &&
         is_digit(text[7]);
}

using CharTable = std::array<bool, 256>;

// A character of a path (RFC 3986, 3.3), but for the `%`, which must begin an escape.
constexpr bool is_rfc_path_char(char c) noexcept {
  return is_alpha(c) || is_digit(c) || detail::is_one_of(c, "-._~!$&'()*+,;=:@/");
}
// Browsers do not escape `[`, `]` and `|` in a path (URL Standard, path percent-encode set); older ones also
// leave `^`.
constexpr CharTable kPathChars =
    detail::table([](char c) { return is_rfc_path_char(c) || detail::is_one_of(c, "[]^|"); });
// In a query browsers also leave the backslash, the backtick, braces, and a `%` that begins no escape (URL
// Standard, query percent-encode set).
constexpr CharTable kQueryChars =
    detail::table([](char c) { return is_rfc_path_char(c) || detail::is_one_of(c, "?%[]^|\\`{}"); });

// The number of characters at the front of `text` that are in `legal`.
std::size_t count_legal(std::string_view text, const CharTable& legal) noexcept {
  const auto is_legal = [&](std::size_t at) { return unsigned{legal[static_cast<unsigned char>(text[at])]}; };
  std::size_t count = 0;
  // Four at a time: a query of 67 characters costs 134 instructions less (callgrind).
  while (text.size() - count >= 4 &&
         (is_legal(count) & is_legal(count + 1) & is_legal(count + 2) & is_legal(count + 3)))
    count += 4;
  while (count < text.size() && is_legal(count)) ++count;
  return count;
}

// Cuts the path off `target`.
std::string_view cut_path(std::string_view& target) noexcept {
  std::size_t end = count_legal(target, kPathChars);
  while (is_percent_escape(target, end)) end += 3 + count_legal(target.substr(end + 3), kPathChars);
  const std::string_view path = target.substr(0, end);
  target.remove_prefix(end);
  return path;
}

// An address of a version later than IPv6: `v1.x` (RFC 3986, 3.2.2, IPvFuture).
bool is_future_address(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == text.npos || dot < 2 || dot + 1 == text.size()) return false;
  for (const char c : text.substr(1, dot - 1))
    if (hex_value(c) < 0) return false;
  for (const char c : text.substr(dot + 1))
    if (!is_rfc_path_char(c) || c == '/' || c == '@') return false;
  return true;
}

// Whether `text`, the part between brackets, is an address (RFC 3986, 3.2.2).
bool is_ip_literal(std::string_view text) {
  if (text.starts_with('v') || text.starts_with('V')) return is_future_address(text);
  // RFC 3986 has no zones; parse_ip() reads them.
  if (text.find('%') != text.npos) return false;
  const std::optional<Address> address = Address::parse_ip(text);
  return address && address->family() == AF_INET6;
}

// A registered name (RFC 3986, 3.2.2): no colon, no bracket, and each `%` begins an escape.
bool is_reg_name(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ':' || text[i] == '[' || text[i] == ']') return false;
    if (text[i] == '%' && !is_percent_escape(text, i)) return false;
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
    parts.authority = parts.path = target;
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
  parts.path = cut_path(rest);
  if (rest.empty()) return {};
  if (rest.front() != '?') return kBadTarget;
  parts.query = rest.substr(1);
  return count_legal(parts.query, kQueryChars) == parts.query.size() ? Refusal() : kBadTarget;
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
  if (target.empty() || line.empty()) return kMalformed;
  line.remove_prefix(1);
  if (!is_version(line)) return kMalformed;
  if (!line.starts_with("HTTP/1.")) return {505, "Unsupported HTTP version"};
  Target parts;
  if (const Refusal refusal = split_target(method, target, parts)) return refusal;
  return {501, "Unknown method"};
}

}  // namespace squall::http

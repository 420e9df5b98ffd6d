#include <squall/http/message/url_reader.h>

#include <squall/http/message/percent_encoding.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/parse_decimal.h>
#include <squall/iostream/address/address.h>

#include <fmt/format.h>

#include <algorithm>

namespace squall::http {
namespace {

std::string_view reason_for(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (is_control(c)) return "a control character";
  if (byte >= 0x80) return "a character outside ASCII";
  if (c == ' ') return "a space";
  if (c == '\\') return "a backslash";
  return "a character that must be escaped";
}

}  // namespace

std::string_view URLReader::cut(std::size_t size) {
  const std::string_view part = rest_.substr(0, size);
  rest_.remove_prefix(part.size());
  return part;
}

bool URLReader::check(std::string_view part, const URLChars& legal) {
  for (std::size_t i = 0; i < part.size(); ++i) {
    const char c = part[i];
    if (!legal[static_cast<unsigned char>(c)]) return fail(offset(part) + i, reason_for(c));
    if (c == '%' && !is_percent_escape(part, i)) return fail(offset(part) + i, "a broken percent escape");
  }
  return true;
}

bool URLReader::read() {
  if (text_.size() > URL::kMaxSize) return fail(URL::kMaxSize, "longer than a URL may be");
  if (!read_scheme()) return false;
  if (rest_.starts_with("//")) {
    has_authority = true;
    cut(2);
    if (!read_authority(cut(rest_.find_first_of("/?#")))) return false;
  } else if (has_scheme) {
    return fail(offset(rest_), "no `//` behind the scheme");
  }
  pieces.path = cut(rest_.find_first_of("?#"));
  if (!check(pieces.path, kPathChars)) return false;
  if (rest_.starts_with('?')) {
    pieces.query = cut(rest_.find('#')).substr(1);
    if (!check(*pieces.query, kQueryChars)) return false;
  }
  if (rest_.starts_with('#')) pieces.fragment = rest_.substr(1);
  return !pieces.fragment || check(*pieces.fragment, kQueryChars);
}

bool URLReader::read_scheme() {
  const std::size_t end = rest_.find_first_of(":/?#");
  if (end == rest_.npos || rest_[end] != ':') return true;
  const std::string_view scheme = cut(end);
  cut(1);
  has_scheme = true;
  if (equals_ignoring_case(scheme, "http")) {
    pieces.scheme = "http";
  } else if (equals_ignoring_case(scheme, "https")) {
    pieces.scheme = "https";
  } else {
    return fail(0, "the scheme is neither http nor https");
  }
  return true;
}

bool URLReader::read_authority(std::string_view authority) {
  const std::size_t at = authority.find('@');
  if (at != authority.npos) {
    pieces.userinfo = authority.substr(0, at);
    if (!check(*pieces.userinfo, kUserinfoChars)) return false;
    authority.remove_prefix(at + 1);
  }
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == authority.npos) return fail(offset(authority), "an IPv6 address without its `]`");
    if (!read_ipv6(authority.substr(1, end - 1))) return false;
    port = authority.substr(end + 1);
    if (!port.empty() && port[0] != ':') return fail(offset(port), "a character behind an IPv6 address");
  } else {
    const std::size_t end = std::min(authority.find(':'), authority.size());
    pieces.host = authority.substr(0, end);
    if (!check_name(pieces.host)) return false;
    port = authority.substr(end);
  }
  return port.empty() || read_port(port.substr(1));
}

bool URLReader::read_ipv6(std::string_view address) {
  if (address.find('%') != address.npos) return fail(offset(address), "a zone in an IPv6 address");
  const std::optional<Address> parsed = Address::parse_ip(address);
  if (!parsed || parsed->family() != AF_INET6) return fail(offset(address), "not an IPv6 address");
  ipv6_ = fmt::format("[{}]", parsed->ip());
  pieces.host = ipv6_;
  return true;
}

bool URLReader::check_name(std::string_view name) {
  if (name.empty()) return fail(offset(name), "no host");
  if (const std::size_t escape = name.find('%'); escape != name.npos)
    return fail(offset(name) + escape, "a percent escape in the host");
  if (!check(name, kHostChars)) return false;
  // Resolvers read `0x7f.1`, `127.1` and `2130706433` as 127.0.0.1, and WHATWG's URLs convert them. Here they
  // are refused; no top-level domain is a number.
  if (ends_in_number(name) && !is_valid_ip(name))
    return fail(offset(name), "a host that ends in a number and is not an IPv4 address");
  return true;
}

bool URLReader::read_port(std::string_view digits) {
  if (digits.empty()) return true;
  if (!std::all_of(digits.begin(), digits.end(), is_digit))
    return fail(offset(digits), "a port that is not a number");
  pieces.port = parse_decimal<std::uint16_t>(digits);
  if (!pieces.port) return fail(offset(digits), "a port above 65535");
  return *pieces.port != 0 || fail(offset(digits), "port 0");
}

}  // namespace squall::http

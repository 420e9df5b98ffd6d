#include <squall/http/message/url.h>

#include <squall/ioloop/base/ascii.h>

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace squall::http {
namespace {

constexpr bool is_unreserved_or_delimiter(char c) {
  return is_alpha(c) || is_digit(c) || (c != '\0' && detail::is_one_of(c, "-._~!$&'()*+,;="));
}
// An escape's `%` is in all but the host's.
constexpr auto kRegNameTable = detail::table(is_unreserved_or_delimiter);
constexpr auto kUserinfoTable =
    detail::table([](char c) { return is_unreserved_or_delimiter(c) || c == ':' || c == '%'; });
constexpr auto kPathTable = detail::table(
    [](char c) { return is_unreserved_or_delimiter(c) || c == ':' || c == '%' || c == '@' || c == '/'; });
constexpr auto kQueryTable =
    detail::table([](char c) { return kPathTable[static_cast<unsigned char>(c)] || c == '?'; });
// What may stand somewhere in a URI.
constexpr auto kURITable = detail::table(
    [](char c) { return kQueryTable[static_cast<unsigned char>(c)] || c == '#' || c == '[' || c == ']'; });

std::uint16_t default_port(std::string_view scheme) { return scheme.size() == 5 ? 443 : 80; }

std::string_view reason_for(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x20 || byte == 0x7f) return "a control character";
  if (byte >= 0x80) return "a character outside ASCII";
  if (c == ' ') return "a space";
  if (c == '\\') return "a backslash";
  return "a character that must be escaped";
}

void append_escaped(std::string& to, std::string_view text, const std::array<bool, 256>& legal) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (legal[byte]) {
      to += c;
    } else {
      to.append({'%', kUpperHex[byte >> 4], kUpperHex[byte & 15]});
    }
  }
}

std::string escaped(std::string_view text, std::array<bool, 256> legal, std::string_view but = "%") {
  for (const char c : but) legal[static_cast<unsigned char>(c)] = false;
  std::string result;
  append_escaped(result, text, legal);
  return result;
}

// RFC 3986, 5.2.4, of a path that begins with a slash.
std::string without_dots(std::string_view path) {
  std::string result;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(0, end);  // with the slash before it
    path.remove_prefix(end);
    const bool up = segment == "/..";
    if (!up && segment != "/.") {
      result += segment;
      continue;
    }
    if (up) result.resize(std::min(result.rfind('/'), result.size()));
    if (path.empty()) result += '/';
  }
  return result;
}

// Of what may be a URL, or a reference without one: 0.
std::size_t end_of_authority(std::string_view text) {
  const std::size_t slashes = text.find("//");
  if (slashes == text.npos) return 0;
  if (slashes > 0) {
    const std::string_view scheme = text.substr(0, slashes - 1);
    const auto is_scheme = [](char c) {
      return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
    };
    if (text[slashes - 1] != ':' || !std::all_of(scheme.begin(), scheme.end(), is_scheme)) return 0;
  }
  return std::min(text.find_first_of("/?#", slashes + 2), text.size());
}

}  // namespace

URLError::URLError(const URLFault& fault)
    : std::invalid_argument(fmt::format("Invalid URL: {} (at byte {})", fault.reason, fault.offset)),
      fault_(fault) {}

// A URL's parts, valid and normalised but for case.
struct URL::Pieces {
  std::string_view scheme;
  std::optional<std::string_view> userinfo;
  std::string_view host;  // with brackets
  std::uint16_t port = 0;
  std::string_view path;
  std::optional<std::string_view> query;
  std::optional<std::string_view> fragment;
};

// Takes a reference apart and checks every part (RFC 3986, 4.1).
class URL::Reader {
 public:
  Reader(std::string_view text, URLFault& fault) noexcept : text_(text), rest_(text), fault_(fault) {}

  bool read();

  Pieces pieces;
  bool has_scheme = false;
  bool has_authority = false;

 private:
  bool fail(std::size_t offset, std::string_view reason) {
    fault_ = {offset, reason};
    return false;
  }
  // Of a view into the text.
  std::size_t offset(std::string_view part) const {
    return static_cast<std::size_t>(part.data() - text_.data());
  }
  std::string_view cut(std::size_t size);
  bool check(std::string_view part, const std::array<bool, 256>& legal);
  bool read_scheme();
  bool read_authority(std::string_view authority);
  bool read_ipv6(std::string_view address);
  bool check_name(std::string_view name);
  bool read_port(std::string_view digits);

  std::string_view text_;
  std::string_view rest_;
  URLFault& fault_;
  std::string ipv6_;
};

// The next `size` bytes of the rest, or all of it.
std::string_view URL::Reader::cut(std::size_t size) {
  const std::string_view part = rest_.substr(0, size);
  rest_.remove_prefix(part.size());
  return part;
}

bool URL::Reader::check(std::string_view part, const std::array<bool, 256>& legal) {
  for (std::size_t i = 0; i < part.size(); ++i) {
    const char c = part[i];
    if (!legal[static_cast<unsigned char>(c)]) return fail(offset(part) + i, reason_for(c));
    if (c == '%' && (part.size() - i < 3 || hex_value(part[i + 1]) < 0 || hex_value(part[i + 2]) < 0))
      return fail(offset(part) + i, "a broken percent escape");
  }
  return true;
}

bool URL::Reader::read() {
  if (text_.size() > kMaxSize) return fail(kMaxSize, "longer than a URL may be");
  if (!read_scheme()) return false;
  if (rest_.starts_with("//")) {
    has_authority = true;
    cut(2);
    if (!read_authority(cut(rest_.find_first_of("/?#")))) return false;
  } else if (has_scheme) {
    return fail(offset(rest_), "no `//` behind the scheme");
  }
  pieces.path = cut(rest_.find_first_of("?#"));
  if (!check(pieces.path, kPathTable)) return false;
  if (rest_.starts_with('?')) {
    pieces.query = cut(rest_.find('#')).substr(1);
    if (!check(*pieces.query, kQueryTable)) return false;
  }
  if (rest_.starts_with('#')) pieces.fragment = rest_.substr(1);
  return !pieces.fragment || check(*pieces.fragment, kQueryTable);
}

bool URL::Reader::read_scheme() {
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

bool URL::Reader::read_authority(std::string_view authority) {
  const std::size_t at = authority.find('@');
  if (at != authority.npos) {
    pieces.userinfo = authority.substr(0, at);
    if (!check(*pieces.userinfo, kUserinfoTable)) return false;
    authority.remove_prefix(at + 1);
  }
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == authority.npos) return fail(offset(authority), "an IPv6 address without its `]`");
    if (!read_ipv6(authority.substr(1, end - 1))) return false;
    port = authority.substr(end + 1);
    if (!port.empty() && port[0] != ':') return fail(offset(port), "something behind an IPv6 address");
  } else {
    const std::size_t end = std::min(authority.find(':'), authority.size());
    pieces.host = authority.substr(0, end);
    if (!check_name(pieces.host)) return false;
    port = authority.substr(end);
  }
  return port.empty() || read_port(port.substr(1));
}

bool URL::Reader::read_ipv6(std::string_view address) {
  if (address.find('%') != address.npos) return fail(offset(address), "a zone in an IPv6 address");
  in6_addr bytes{};
  char text[INET6_ADDRSTRLEN];
  if (address.size() >= sizeof(text) || ::inet_pton(AF_INET6, std::string(address).c_str(), &bytes) != 1 ||
      address.find('\0') != address.npos)
    return fail(offset(address), "not an IPv6 address");
  ::inet_ntop(AF_INET6, &bytes, text, sizeof(text));
  ipv6_ = fmt::format("[{}]", text);
  pieces.host = ipv6_;
  return true;
}

bool URL::Reader::check_name(std::string_view name) {
  if (name.empty()) return fail(offset(name), "no host");
  if (const std::size_t escape = name.find('%'); escape != name.npos)
    return fail(offset(name) + escape, "a percent escape in the host");
  if (!check(name, kRegNameTable)) return false;
  // Resolvers read `0x7f.1`, `127.1` and `2130706433` as 127.0.0.1. None is an address here (WHATWG's URLs
  // convert them), and no top-level domain is a number.
  std::string_view last = name.substr(0, name.size() - (name.ends_with('.') ? 1 : 0));
  last.remove_prefix(last.rfind('.') + 1);
  const auto is_hex = [](char c) { return hex_value(c) >= 0; };
  const bool is_number = !last.empty() && (std::all_of(last.begin(), last.end(), is_digit) ||
                                           (last.size() >= 2 && last[0] == '0' && to_lower(last[1]) == 'x' &&
                                            std::all_of(last.begin() + 2, last.end(), is_hex)));
  in_addr bytes{};
  if (is_number && ::inet_pton(AF_INET, std::string(name).c_str(), &bytes) != 1)
    return fail(offset(name), "a host that ends in a number and is no IPv4 address");
  return true;
}

bool URL::Reader::read_port(std::string_view digits) {
  unsigned port = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return fail(offset(digits), "a port that is no number");
    port = port * 10 + static_cast<unsigned>(c - '0');
    if (port > 65535) return fail(offset(digits), "a port above 65535");
  }
  if (port == 0 && !digits.empty()) return fail(offset(digits), "port 0");
  pieces.port = static_cast<std::uint16_t>(port);
  return true;
}

URL URL::assemble(const Pieces& pieces) {
  URL url;
  std::string& text = url.text_;
  const auto here = [&text] { return static_cast<std::uint32_t>(text.size()); };
  text.reserve(pieces.path.size() + pieces.host.size() + 32);
  text = pieces.scheme;
  url.scheme_end_ = here();
  text += "://";
  if (pieces.userinfo) text.append(*pieces.userinfo).append("@");
  url.host_ = here();
  std::transform(pieces.host.begin(), pieces.host.end(), std::back_inserter(text), to_lower);
  url.host_end_ = here();
  url.port_ = pieces.port != 0 ? pieces.port : default_port(pieces.scheme);
  if (url.port_ != default_port(pieces.scheme)) text.append(":").append(std::to_string(url.port_));
  url.path_ = here();
  text += pieces.path.empty() ? "/" : pieces.path;
  url.path_end_ = here();
  if (pieces.query) text.append("?").append(*pieces.query);
  url.target_end_ = here();
  if (pieces.fragment) text.append("#").append(*pieces.fragment);
  return url;
}

URL::Pieces URL::pieces() const noexcept {
  return {scheme(), userinfo(), part(host_, host_end_), port_, path(), query(), fragment()};
}

std::optional<URL> URL::parse(std::string_view text, URLFault& fault) {
  Reader reader(text, fault);
  if (!reader.read()) return std::nullopt;
  if (!reader.has_scheme) {
    fault = {0, "no scheme"};
    return std::nullopt;
  }
  return assemble(reader.pieces);
}

std::optional<URL> URL::parse(std::string_view text) {
  URLFault fault;
  return parse(text, fault);
}

URL::URL(std::string_view text) {
  URLFault fault;
  std::optional<URL> url = parse(text, fault);
  if (!url) throw URLError(fault);
  *this = std::move(*url);
}

URL URL::build(const URLParts& parts) {
  std::string text(parts.scheme);
  text += "://";
  if (!parts.username.empty()) {
    text += escaped(parts.username, kUserinfoTable, "%:");
    if (!parts.password.empty()) text.append(":").append(escaped(parts.password, kUserinfoTable));
    text += '@';
  }
  const bool bare_ipv6 = parts.host.find(':') != parts.host.npos && !parts.host.starts_with('[');
  // What ends a host would make parts of it parts of something else.
  if (parts.host.find_first_of("/?#@") != parts.host.npos) throw URLError({0, "a delimiter in the host"});
  if (parts.host.starts_with('[') && !parts.host.ends_with(']')) throw URLError({0, "a port in the host"});
  text += bare_ipv6 ? fmt::format("[{}]", parts.host) : std::string(parts.host);
  if (parts.port != 0) text += fmt::format(":{}", parts.port);
  if (!parts.path.empty() && parts.path[0] != '/') throw URLError({0, "a path without its first slash"});
  text += escaped(parts.path, kPathTable);
  if (!parts.query.empty()) text.append("?").append(urlencode(parts.query));
  if (!parts.fragment.empty()) text.append("#").append(escaped(parts.fragment, kQueryTable));
  return URL(text);
}

std::optional<URL> URL::resolve(std::string_view reference, URLFault& fault) const {
  Reader reader(reference, fault);
  if (!reader.read()) return std::nullopt;
  Pieces& to = reader.pieces;
  std::string path;
  if (reader.has_scheme || reader.has_authority) {
    if (!reader.has_scheme) to.scheme = scheme();
    path = without_dots(to.path);
  } else {
    const Pieces base = pieces();
    to.scheme = base.scheme;
    to.userinfo = base.userinfo;
    to.host = base.host;
    to.port = base.port;
    if (to.path.empty()) {
      path = base.path;
      if (!to.query) to.query = base.query;
    } else if (to.path.starts_with('/')) {
      path = without_dots(to.path);
    } else {
      path = base.path.substr(0, base.path.rfind('/') + 1);
      path = without_dots(path.append(to.path));
    }
  }
  to.path = path;
  URL url = assemble(to);
  if (url.text_.size() <= kMaxSize) return url;
  fault = {0, "longer than a URL may be"};
  return std::nullopt;
}

URL URL::resolve(std::string_view reference) const {
  URLFault fault;
  std::optional<URL> url = resolve(reference, fault);
  if (!url) throw URLError(fault);
  return std::move(*url);
}

std::optional<std::string_view> URL::userinfo() const noexcept {
  const std::size_t begin = scheme_end_ + 3;
  if (host_ == begin) return std::nullopt;
  return part(begin, host_ - 1);
}

std::string URL::username() const {
  const std::string_view both = userinfo().value_or("");
  return percent_decode(both.substr(0, both.find(':')));
}

std::string URL::password() const {
  const std::string_view both = userinfo().value_or("");
  const std::size_t colon = both.find(':');
  return colon == both.npos ? std::string() : percent_decode(both.substr(colon + 1));
}

std::string_view URL::host() const noexcept {
  return is_ipv6() ? part(host_ + 1, host_end_ - 1) : part(host_, host_end_);
}

std::string URL::origin() const { return fmt::format("{}://{}", scheme(), authority()); }

std::optional<std::string_view> URL::query() const noexcept {
  if (path_end_ == target_end_) return std::nullopt;
  return part(path_end_ + 1, target_end_);
}

std::optional<std::string_view> URL::fragment() const noexcept {
  if (target_end_ == text_.size()) return std::nullopt;
  return part(target_end_ + 1, text_.size());
}

URL URL::without_userinfo() const {
  Pieces changed = pieces();
  changed.userinfo.reset();
  return assemble(changed);
}

URL URL::without_fragment() const {
  Pieces changed = pieces();
  changed.fragment.reset();
  return assemble(changed);
}

URL URL::with_fragment(std::string_view fragment) const {
  return URL(fmt::format("{}#{}", part(0, target_end_), fragment));
}

std::string percent_encode_stray(std::string_view text) {
  std::string result;
  const std::size_t end = end_of_authority(text);
  append_escaped(result, text.substr(0, end), kURITable);
  text.remove_prefix(end);
  bool in_fragment = false;
  while (!text.empty()) {
    const bool is_escape = text.size() >= 3 && hex_value(text[1]) >= 0 && hex_value(text[2]) >= 0;
    if ((text[0] == '%' && !is_escape) || (text[0] == '#' && in_fragment)) {
      append_escaped(result, text.substr(0, 1), {});
    } else if (text[0] == '#') {
      in_fragment = true;
      result += '#';
    } else {
      append_escaped(result, text.substr(0, 1), kQueryTable);
    }
    text.remove_prefix(1);
  }
  return result;
}

std::string url_concat(std::string_view url, const QueryArguments& arguments) {
  if (arguments.empty()) return std::string(url);
  const std::size_t hash = std::min(url.find('#'), url.size());
  const std::size_t question = std::min(url.find('?'), hash);
  const std::string_view query = url.substr(question, hash - question);
  // No more pieces than bytes: as the URL is the program's own, its size is bound enough.
  QueryArguments all = *parse_query(query.substr(query.empty() ? 0 : 1), query.size());
  all.insert(all.end(), arguments.begin(), arguments.end());
  return fmt::format("{}?{}{}", url.substr(0, question), urlencode(all), url.substr(hash));
}

std::pair<std::string_view, std::optional<std::uint16_t>> split_host_and_port(
    std::string_view netloc) noexcept {
  const std::size_t colon = netloc.rfind(':');
  if (colon == netloc.npos || colon == 0 || colon + 1 == netloc.size()) return {netloc, std::nullopt};
  if (netloc.find(':') != colon && (!netloc.starts_with('[') || netloc[colon - 1] != ']'))
    return {netloc, std::nullopt};
  unsigned port = 0;
  for (const char c : netloc.substr(colon + 1)) {
    if (!is_digit(c)) return {netloc, std::nullopt};
    port = port * 10 + static_cast<unsigned>(c - '0');
    if (port > 65535) return {netloc, std::nullopt};
  }
  return {netloc.substr(0, colon), static_cast<std::uint16_t>(port)};
}

}  // namespace squall::http

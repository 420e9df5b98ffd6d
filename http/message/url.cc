#include <squall/http/message/url.h>

#include <squall/http/message/percent_encoding.h>
#include <squall/http/message/url_chars.h>
#include <squall/http/message/url_reader.h>
#include <squall/ioloop/base/ascii.h>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace squall::http {
namespace {

std::uint16_t default_port(std::string_view scheme) { return scheme.size() == 5 ? 443 : 80; }

std::string escaped(std::string_view text, URLChars legal, std::string_view but = "%") {
  for (const char c : but) legal[static_cast<unsigned char>(c)] = false;
  std::string result;
  append_percent_encoded(result, text, legal);
  return result;
}

// Removes dot segments (RFC 3986, 5.2.4) of a path that begins with a slash.
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

// The text of a malformed URL for a message. Everything between the scheme and the last `@` may be a
// password.
std::string quoted(std::string_view text) {
  constexpr std::size_t kMost = 200;
  if (text.empty()) return std::string();
  std::string shown;
  if (const std::size_t at = text.rfind('@'); at != text.npos) {
    const std::size_t scheme = text.substr(0, at).find("://");
    shown = text.substr(0, scheme == text.npos ? 0 : scheme + 3);
    shown += "...";
    text.remove_prefix(at);
  }
  shown += text;
  if (shown.size() > kMost) shown.replace(kMost, shown.npos, "...");
  return fmt::format(" '{}'", escape_controls(shown));
}

}  // namespace

URLError::URLError(const URLFault& fault, std::string_view text)
    : std::invalid_argument(
          fmt::format("Invalid URL{}: {} (at byte {})", quoted(text), fault.reason, fault.offset)),
      fault_(fault) {}

URL URL::assemble(const URLPieces& pieces) {
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
  url.port_ = pieces.port.value_or(default_port(pieces.scheme));
  if (url.port_ != default_port(pieces.scheme)) text.append(":").append(std::to_string(url.port_));
  url.path_ = here();
  text += pieces.path.empty() ? "/" : pieces.path;
  url.path_end_ = here();
  if (pieces.query) text.append("?").append(*pieces.query);
  url.target_end_ = here();
  if (pieces.fragment) text.append("#").append(*pieces.fragment);
  return url;
}

URLPieces URL::pieces() const noexcept {
  return {scheme(), userinfo(), part(host_, host_end_), port_, path(), query(), fragment()};
}

std::optional<URL> URL::parse(std::string_view text, URLFault& fault) {
  URLReader reader(text, fault);
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
  if (!url) throw URLError(fault, text);
  *this = std::move(*url);
}

URL URL::build(const URLParts& parts) {
  std::string text(parts.scheme);
  text += "://";
  if (!parts.username.empty()) {
    text += escaped(parts.username, kUserinfoChars, "%:");
    if (!parts.password.empty()) text.append(":").append(escaped(parts.password, kUserinfoChars));
    text += '@';
  }
  const bool bare_ipv6 = parts.host.find(':') != parts.host.npos && !parts.host.starts_with('[');
  // A delimiter would end the host, and the rest of the host would become another part.
  if (parts.host.find_first_of("/?#@") != parts.host.npos) throw URLError({0, "a delimiter in the host"});
  if (parts.host.starts_with('[') && !parts.host.ends_with(']')) throw URLError({0, "a port in the host"});
  text += bare_ipv6 ? fmt::format("[{}]", parts.host) : std::string(parts.host);
  if (parts.port) text += fmt::format(":{}", *parts.port);
  if (!parts.path.empty() && parts.path[0] != '/') throw URLError({0, "a path without its first slash"});
  text += escaped(parts.path, kPathChars);
  if (!parts.query.empty()) text.append("?").append(urlencode(parts.query));
  if (!parts.fragment.empty()) text.append("#").append(escaped(parts.fragment, kQueryChars));
  return URL(text);
}

std::optional<URL> URL::resolve(std::string_view reference, URLFault& fault) const {
  URLReader reader(reference, fault);
  if (!reader.read()) return std::nullopt;
  URLPieces& to = reader.pieces;
  std::string path;
  if (reader.has_scheme || reader.has_authority) {
    if (!reader.has_scheme) to.scheme = scheme();
    path = without_dots(to.path);
  } else {
    const URLPieces base = pieces();
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
  if (!url) throw URLError(fault, reference);
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
  URLPieces changed = pieces();
  changed.userinfo.reset();
  return assemble(changed);
}

URL URL::without_fragment() const {
  URLPieces changed = pieces();
  changed.fragment.reset();
  return assemble(changed);
}

URL URL::with_fragment(std::string_view fragment) const {
  return URL(fmt::format("{}#{}", part(0, target_end_), fragment));
}

}  // namespace squall::http

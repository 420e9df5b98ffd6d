#include <squall/http/fetch_url.h>

#include <squall/http/ascii.h>
#include <squall/http/query.h>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace squall::http {
namespace {

[[noreturn]] void malformed(std::string_view text) {
  throw std::invalid_argument(fmt::format("Malformed URL: {}", text));
}

std::string cleaned(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f) malformed("with a blank or a control character");
    if (byte >= 0x80) {
      result += fmt::format("%{:02X}", byte);
    } else {
      result += c;
    }
  }
  return result;
}

std::string without_dots(std::string_view path) {
  std::vector<std::string_view> kept;
  bool ends_open = false;
  path.remove_prefix(1);
  for (;;) {
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    ends_open = segment == "." || segment == "..";
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (segment != ".") {
      kept.push_back(segment);
    }
    if (slash == path.npos) break;
    path.remove_prefix(slash + 1);
  }
  std::string result;
  for (const std::string_view segment : kept) result.append("/").append(segment);
  if (ends_open || result.empty()) result += '/';
  return result;
}

}  // namespace

std::string FetchURL::to_string() const {
  return fmt::format("{}://{}{}{}", scheme(), authority, target, fragment);
}

std::string FetchURL::host_and_port() const {
  return host.find(':') == host.npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

FetchURL parse_fetch_url(std::string_view original) {
  FetchURL url;
  const std::string text = cleaned(original);
  std::string_view rest = text;
  const std::size_t colon = rest.find("://");
  const std::string_view scheme = rest.substr(0, colon == rest.npos ? 0 : colon);
  if (equals_ignoring_case(scheme, "https")) {
    url.https = true;
    url.port = 443;
  } else if (!equals_ignoring_case(scheme, "http")) {
    throw std::invalid_argument(fmt::format("Unsupported url scheme: {}", original));
  }
  rest.remove_prefix(colon + 3);
  if (const std::size_t mark = rest.find('#'); mark != rest.npos) {
    url.fragment = rest.substr(mark);
    rest = rest.substr(0, mark);
  }
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, end);
  url.target = rest.substr(end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  if (const std::size_t at = authority.rfind('@'); at != authority.npos) {
    const std::string_view user = authority.substr(0, at);
    authority.remove_prefix(at + 1);
    const std::size_t split = std::min(user.find(':'), user.size());
    url.username = percent_decode(user.substr(0, split));
    if (split < user.size()) url.password = percent_decode(user.substr(split + 1));
  }
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == authority.npos) malformed(original);
    url.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
  } else {
    const std::size_t mark = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, mark);
    port = authority.substr(mark);
  }
  std::transform(url.host.begin(), url.host.end(), url.host.begin(), to_lower);
  if (url.host.empty() || !is_host_text(url.host)) malformed(original);
  const std::uint16_t standard = url.port;
  if (port.size() > 1) {
    unsigned number = 0;
    for (const char c : port.substr(1)) {
      if (!is_digit(c) || number > 65535) malformed(original);
      number = number * 10 + static_cast<unsigned>(c - '0');
    }
    if (number == 0 || number > 65535 || port[0] != ':') malformed(original);
    url.port = static_cast<std::uint16_t>(number);
  } else if (!port.empty() && port != ":") {
    malformed(original);
  }
  url.authority = authority.starts_with('[') ? fmt::format("[{}]", url.host) : url.host;
  if (url.port != standard) url.authority += fmt::format(":{}", url.port);
  return url;
}

FetchURL resolve_fetch_url(const FetchURL& base, std::string_view location) {
  std::string_view reference = location.substr(0, location.find('#'));
  std::string absolute;
  const std::size_t colon = location.find_first_of(":/?#");
  if (colon != location.npos && location[colon] == ':' && colon > 0) {
    absolute = location;
  } else {
    const std::string fragment(location.substr(reference.size()));
    const std::string site = fmt::format("{}://{}", base.scheme(), base.authority);
    const std::string_view path = std::string_view(base.target).substr(0, base.target.find('?'));
    if (reference.starts_with("//")) {
      absolute = fmt::format("{}:{}", base.scheme(), reference);
    } else if (reference.empty()) {
      absolute = site + base.target;
    } else if (reference.starts_with('?')) {
      absolute = fmt::format("{}{}{}", site, path, reference);
    } else {
      const std::string merged = reference.starts_with('/')
                                     ? std::string(reference)
                                     : fmt::format("{}{}", path.substr(0, path.rfind('/') + 1), reference);
      const std::size_t query = std::min(merged.find('?'), merged.size());
      absolute = site + without_dots(std::string_view(merged).substr(0, query)) + merged.substr(query);
    }
    absolute += fragment;
  }
  FetchURL url = parse_fetch_url(absolute);
  if (url.fragment.empty()) url.fragment = base.fragment;
  return url;
}

}  // namespace squall::http

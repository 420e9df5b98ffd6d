#include <squall/http/message/url_text.h>

#include <squall/http/message/percent_encoding.h>
#include <squall/http/message/url_chars.h>
#include <squall/ioloop/base/parse_decimal.h>

#include <fmt/format.h>

#include <algorithm>

namespace squall::http {
namespace {

// The end of the authority of a URL or a reference; 0 without an authority.
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

std::string percent_encode_stray(std::string_view text) {
  std::string result;
  const std::size_t end = end_of_authority(text);
  append_percent_encoded(result, text.substr(0, end), kURIChars);
  text.remove_prefix(end);
  bool in_fragment = false;
  while (!text.empty()) {
    if ((text[0] == '%' && !is_percent_escape(text, 0)) || (text[0] == '#' && in_fragment)) {
      append_percent_escape(result, static_cast<unsigned char>(text[0]));
    } else if (text[0] == '#') {
      in_fragment = true;
      result += '#';
    } else {
      append_percent_encoded(result, text.substr(0, 1), kQueryChars);
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
  // A query has no more pieces than bytes. The URL is the program's own, so no smaller limit is needed.
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
  const auto port = parse_decimal<std::uint16_t>(netloc.substr(colon + 1));
  if (!port) return {netloc, std::nullopt};
  return {netloc.substr(0, colon), port};
}

std::string_view without_port(std::string_view netloc) noexcept {
  std::string_view host = split_host_and_port(netloc).first;
  if (host.ends_with(':')) host.remove_suffix(1);
  return host;
}

}  // namespace squall::http

#include <squall/web/escape/linkify.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/web/escape/url_scanner.h>
#include <squall/web/escape/xhtml.h>

#include <algorithm>
#include <cstddef>

namespace squall::web {
namespace {

constexpr std::size_t kMaxLinkText = 30;  // approximately: see shortened_size()
constexpr std::size_t kMaxPathText = 8;

bool continues_character(char c) noexcept { return (c & 0xC0) == 0x80; }

std::size_t count_characters(std::string_view text) noexcept {
  return text.size() - static_cast<std::size_t>(std::ranges::count_if(text, continues_character));
}

std::string_view first_characters(std::string_view text, std::size_t count) noexcept {
  std::size_t size = 0;
  for (; size < text.size(); ++size)
    if (!continues_character(text[size]) && count-- == 0) break;
  return text.substr(0, size);
}

std::string_view before(std::string_view text, char c) noexcept { return text.substr(0, text.find(c)); }

// The bytes of `url`, which is escaped, that the text of its link has before `...`; all of them if it is not
// shortened (ESC-10). `prefix` is the length of protocol, colon and slashes.
std::size_t shortened_size(std::string_view url, std::size_t prefix) noexcept {
  if (count_characters(url) <= kMaxLinkText) return url.size();
  std::string_view text = url;
  if (const std::size_t slash = url.find('/', prefix); slash != url.npos) {
    const std::string_view path = first_characters(before(url.substr(slash + 1), '/'), kMaxPathText);
    text = url.substr(0, slash + 1 + before(before(path, '?'), '.').size());
  }
  if (count_characters(text) > kMaxLinkText * 3 / 2) text = first_characters(text, kMaxLinkText);
  if (text.size() == url.size()) return url.size();
  // A reference such as `&amp;` is not split. From the 26th character on, a whole one is removed too.
  if (const std::size_t ampersand = text.rfind('&'); ampersand != text.npos) {
    const std::string_view rest = text.substr(ampersand);
    text.remove_suffix(rest.size());
    if (count_characters(text) <= kMaxLinkText - 5 && rest.find(';') != rest.npos)
      text = url.substr(0, ampersand + rest.size());
  }
  constexpr std::size_t kDots = 3;
  return count_characters(text) + kDots >= count_characters(url) ? url.size() : text.size();
}

bool is_link(const detail::FoundURL& found, const LinkifyOptions& options) {
  if (found.has_foreign_protocol) return false;
  if (found.protocol.empty()) return !options.require_protocol;
  return std::ranges::find(options.permitted_protocols, found.protocol) != options.permitted_protocols.end();
}

void append_link(std::string& html, const detail::FoundURL& found, std::string_view text,
                 const LinkifyOptions& options) {
  const std::string url = xhtml_escape(text);
  const std::string href = found.protocol.empty() ? "http://" + url : url;
  const std::string computed = options.extra_params_for ? options.extra_params_for(href) : std::string();
  const std::string_view params = strip(options.extra_params_for ? computed : options.extra_params);
  html.append("<a href=\"").append(href).append("\"");
  if (!params.empty()) html.append(" ").append(params);
  const std::size_t size = options.shorten ? shortened_size(url, found.prefix) : url.size();
  if (size < url.size()) {
    html.append(" title=\"").append(href).append("\">").append(url, 0, size).append("...</a>");
  } else {
    html.append(">").append(url).append("</a>");
  }
}

}  // namespace

std::string linkify(std::string_view text, const LinkifyOptions& options) {
  std::string html;
  html.reserve(text.size() + text.size() / 8);
  detail::URLScanner scanner(text);
  std::size_t written = 0;
  while (const auto found = scanner.next()) {
    if (!is_link(*found, options)) continue;
    append_xhtml_escaped(html, text.substr(written, found->begin - written));
    append_link(html, *found, text.substr(found->begin, found->end - found->begin), options);
    written = found->end;
  }
  append_xhtml_escaped(html, text.substr(written));
  return html;
}

}  // namespace squall::web

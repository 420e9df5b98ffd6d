#include "links.h"

#include <squall/http/message/url_text.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/web/escape/xhtml.h>

#include <algorithm>
#include <cstddef>
#include <optional>

namespace squall::spider {
namespace {

constexpr std::string_view kBlanks = " \t\n\f\r";

// The start tags of a page. attribute() must be called once for each: it reads the tag to its end.
class TagReader {
 public:
  explicit TagReader(std::string_view html) : rest_(html) {}

  // Goes to the next start tag; false at the end of the page.
  bool next() {
    for (;;) {
      if (is_raw_text()) skip_to_end_tag();
      if (!skip_past("<")) return false;
      name_.clear();
      if (rest_.starts_with("!--")) {
        rest_.remove_prefix(3);
        // `<!-->` is a whole comment.
        if (!rest_.starts_with('>')) skip_past("-->");
      } else if (!rest_.empty() && is_alpha(rest_.front())) {
        name_ = take_until(" \t\n\f\r/>");
        make_lower(name_);
        return true;
      } else if (rest_.starts_with('!') || rest_.starts_with('?') || rest_.starts_with('/')) {
        skip_past(">");
      }
    }
  }
  // In lower case.
  const std::string& name() const noexcept { return name_; }
  // The value of the attribute, as written; nullopt without it.
  std::optional<std::string_view> attribute(std::string_view wanted) {
    std::optional<std::string_view> found;
    for (;;) {
      skip_any(" \t\n\f\r/");
      if (rest_.empty()) return std::nullopt;  // a tag without an end is text
      if (rest_.front() == '>') return found;
      const std::string_view name = take_name();
      const std::string_view value = take_value();
      if (!found && equals_ignoring_case(name, wanted)) found = value;
    }
  }

 private:
  bool is_raw_text() const noexcept {
    return name_ == "script" || name_ == "style" || name_ == "textarea" || name_ == "title" || name_ == "xmp";
  }
  void skip_to_end_tag() {
    while (skip_past("</"))
      if (starts_with_ignoring_case(rest_, name_)) return;
  }
  bool skip_past(std::string_view text) {
    const std::size_t at = rest_.find(text);
    rest_.remove_prefix(at == rest_.npos ? rest_.size() : at + text.size());
    return at != rest_.npos;
  }
  void skip_any(std::string_view characters) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(characters), rest_.size()));
  }
  std::string_view take(std::size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view take_until(std::string_view characters) {
    return take(std::min(rest_.find_first_of(characters), rest_.size()));
  }
  // A name that begins with `=` has that character.
  std::string_view take_name() {
    return take(std::min(rest_.find_first_of(" \t\n\f\r/>=", 1), rest_.size()));
  }
  std::string_view take_value() {
    skip_any(kBlanks);
    if (!rest_.starts_with('=')) return std::string_view();
    rest_.remove_prefix(1);
    skip_any(kBlanks);
    if (!rest_.starts_with('"') && !rest_.starts_with('\'')) return take_until(" \t\n\f\r>");
    const char quote[] = {rest_.front()};
    rest_.remove_prefix(1);
    const std::string_view value = take_until({quote, 1});
    take(1);
    return value;
  }

  std::string_view rest_;
  std::string name_;  // empty before the first tag, and behind a comment
};

// Replaces `&amp;` and its like. A text such as `&copy=1` is a part of a query, and stays.
std::string unescape(std::string_view value) {
  std::string to;
  while (!value.empty()) {
    std::size_t size = std::min(value.find('&', 1), value.size());
    const std::size_t end = value.substr(0, size).find(';');
    if (value.front() == '&' && end != value.npos) {
      to += web::xhtml_unescape(value.substr(0, end + 1));
      value.remove_prefix(end + 1);
    } else {
      to += value.substr(0, size);
      value.remove_prefix(size);
    }
  }
  return to;
}

// The text of a URL as browsers read it: without the blanks around it, and without line breaks and tabs.
std::string clean(std::string_view value) {
  const std::string unescaped = unescape(value);
  std::string_view inner = unescaped;
  inner.remove_prefix(std::min(inner.find_first_not_of(kBlanks), inner.size()));
  inner = inner.substr(0, inner.find_last_not_of(kBlanks) + 1);
  std::string to;
  for (const char c : inner)
    if (c != '\t' && c != '\n' && c != '\r') to += c;
  return http::percent_encode_stray(to);
}

}  // namespace

std::vector<http::URL> find_links(const http::URL& page, std::string_view html) {
  std::vector<http::URL> links;
  http::URL base = page;
  bool has_base = false;
  TagReader tag(html);
  while (tag.next()) {
    const std::optional<std::string_view> href = tag.attribute("href");
    const bool is_base = tag.name() == "base" && !has_base;
    if (!href || (!is_base && tag.name() != "a" && tag.name() != "area")) continue;
    http::URLFault fault;
    const std::optional<http::URL> url = base.resolve(clean(*href), fault);
    if (!url) continue;
    if (is_base) {
      base = *url;
      has_base = true;
    } else {
      links.push_back(url->without_fragment());
    }
  }
  return links;
}

}  // namespace squall::spider

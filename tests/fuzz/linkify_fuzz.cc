// Text as HTML: links, escaping, references, and JSON for scripts.

#include <squall/web/escape/json_script.h>
#include <squall/web/escape/linkify.h>
#include <squall/web/escape/squeeze.h>
#include <squall/web/escape/unicode.h>
#include <squall/web/escape/xhtml.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"

namespace squall::web {
namespace {

// The HTML without its tags. Fails if it has other tags than links.
std::string without_links(std::string_view html) {
  std::string bare;
  while (!html.empty()) {
    const std::size_t tag = html.find('<');
    bare += html.substr(0, tag);
    if (tag == html.npos) break;
    html.remove_prefix(tag);
    FUZZ_CHECK(html.starts_with("<a href=\"http") || html.starts_with("</a>"));
    FUZZ_CHECK(html.find('>') != html.npos);
    html.remove_prefix(html.find('>') + 1);
  }
  return bare;
}

// Fails for a quote or an angle bracket, or for an ampersand without the rest of its reference.
void check_escaped(std::string_view html) {
  FUZZ_CHECK(html.find_first_of("<>\"'") == html.npos);
  for (std::size_t at = 0; (at = html.find('&', at)) != html.npos; ++at) {
    const std::string_view rest = html.substr(at);
    FUZZ_CHECK(rest.starts_with("&amp;") || rest.starts_with("&lt;") || rest.starts_with("&gt;") ||
               rest.starts_with("&quot;") || rest.starts_with("&#x27;"));
  }
}

void check_links(std::string_view text) {
  FUZZ_CHECK(without_links(linkify(text)) == xhtml_escape(text));
  LinkifyOptions options;
  options.shorten = true;
  options.require_protocol = true;
  options.extra_params_for = [](std::string_view href) {
    check_escaped(href);
    return std::string();
  };
  const std::string shortened = linkify(text, options);
  check_escaped(without_links(shortened));
  if (to_unicode(text)) FUZZ_CHECK(to_unicode(shortened));
  options.permitted_protocols = {};
  FUZZ_CHECK(linkify(text, options) == xhtml_escape(text));
}

void check(std::string_view text) {
  check_links(text);
  check_escaped(xhtml_escape(text));
  FUZZ_CHECK(xhtml_unescape(xhtml_escape(text)) == text);
  const std::string plain = xhtml_unescape(text);
  FUZZ_CHECK(plain.size() <= 2 * text.size());
  if (to_unicode(text)) FUZZ_CHECK(to_unicode(plain) && utf8(*to_unicode(text)) == text);
  const std::string squeezed = squeeze(text);
  FUZZ_CHECK(squeeze(squeezed) == squeezed && squeezed.find("  ") == squeezed.npos);
  const std::string json = escape_json_for_script(text);
  FUZZ_CHECK(json.find("</") == json.npos && json.find("<!--") == json.npos &&
             json.find("<script") == json.npos);
}

}  // namespace
}  // namespace squall::web

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly that size, so that AddressSanitizer finds a read beyond it.
  const std::string text(reinterpret_cast<const char*>(data), size);
  squall::web::check(text);
  return 0;
}

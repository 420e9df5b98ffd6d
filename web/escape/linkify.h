#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace squall::web {

struct LinkifyOptions {
  // The text of a link to a long URL has the host and the first characters of the path, and its title has the
  // whole URL (ESC-10).
  bool shorten = false;
  // Attributes of each link, as HTML: `rel="nofollow" class="external"`.
  std::string extra_params{};
  // Returns the attributes of one link, as HTML, in place of extra_params. `href` is the link's target,
  // escaped.
  std::function<std::string(std::string_view href)> extra_params_for{};
  // Only URLs with a protocol become links, and `www.example.com` does not.
  bool require_protocol = false;
  // In lower case or not: protocols are compared byte by byte. Never add `javascript`.
  std::vector<std::string> permitted_protocols{"http", "https"};
};

// Plain text as HTML, with links for its URLs (ESC-09):
//
//     linkify("Hello http://tornadoweb.org!")
//     // Hello <a href="http://tornadoweb.org">http://tornadoweb.org</a>!
//
// A URL begins with a protocol, `:` and one to three slashes, or with `www.`, and not within a word. It ends
// before spaces, quotes, angle brackets and closing punctuation, and has balanced parentheses. All text is
// escaped: see xhtml_escape(). Takes linear time.
std::string linkify(std::string_view text, const LinkifyOptions& options = {});

}  // namespace squall::web

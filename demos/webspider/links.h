#pragma once

#include <squall/http/message/url.h>

#include <string>
#include <string_view>
#include <vector>

namespace squall::spider {

// The URLs of http and https to which the `a` and `area` elements of a page link, in their order and without
// fragments. `page` is the page's own URL; a `base` element replaces it.
//
// Comments, scripts and style sheets have no links. Malformed HTML is read as browsers read it, as far as
// links need it: attributes may be without quotes, tags without an end, names in any case. References in
// attributes, such as `&amp;`, need their semicolon. Targets that are not such URLs, as `mailto:`, are left
// out. Takes linear time.
std::vector<http::URL> find_links(const http::URL& page, std::string_view html);

}  // namespace squall::spider

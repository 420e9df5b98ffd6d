#pragma once

#include <cstddef>
#include <string>

namespace squall::web::detail {

// The HTML that UI modules add to a page, and its places (WEB-233). Each text ends with a newline, or is
// empty.
struct PageAdditions {
  std::string head{};     // before the first </head>
  std::string body{};     // before the first </body>
  std::string scripts{};  // before the last </body>; in front of `body` if that is the first too
};

// Adds them to the page that begins at `start` of `text`. Throws std::logic_error if the page has not the tag
// of a text that is not empty; `text` is then as it was.
void place_resources(std::string& text, std::size_t start, const PageAdditions& additions);

}  // namespace squall::web::detail

#include <squall/web/ui/resource_placement.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace squall::web::detail {
namespace {

constexpr std::string_view kHeadEnd = "</head>";
constexpr std::string_view kBodyEnd = "</body>";

std::size_t found(std::size_t at, std::string_view tag) {
  if (at == std::string_view::npos)
    throw std::logic_error(fmt::format("the page has no {} for the resources of its UI modules", tag));
  return at;
}

}  // namespace

void place_resources(std::string& text, std::size_t start, const PageAdditions& additions) {
  const std::string_view page = std::string_view(text).substr(start);
  const bool has_head = !additions.head.empty();
  const bool has_body = !additions.body.empty();
  const bool has_scripts = !additions.scripts.empty();
  const std::size_t head = has_head ? start + found(page.find(kHeadEnd), kHeadEnd) : 0;
  const std::size_t first = has_body ? start + found(page.find(kBodyEnd), kBodyEnd) : 0;
  const std::size_t last = has_scripts ? start + found(page.rfind(kBodyEnd), kBodyEnd) : 0;
  // From the end of the page to its beginning, so that the positions stay right. Of two texts for one place,
  // the text that is inserted last stands in front.
  std::array<std::pair<std::size_t, const std::string*>, 3> insertions = {
      std::pair{first, &additions.body}, {last, &additions.scripts}, {head, &additions.head}};
  std::stable_sort(insertions.begin(), insertions.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (const auto& [at, html] : insertions) text.insert(at, *html);
}

}  // namespace squall::web::detail

#include <squall/web/locale/named_text.h>

#include <algorithm>
#include <cstddef>
#include <optional>

namespace squall::web {
namespace {

struct Place {
  std::size_t size;
  std::string_view name;  // empty for `%%`
};

// The place for a value that the text begins with. Names have no `%` or newline, so that the search for the
// parenthesis is short.
std::optional<Place> read_place(std::string_view text) noexcept {
  if (text.starts_with("%%")) return Place{2, {}};
  if (!text.starts_with("%(")) return std::nullopt;
  const std::size_t end = text.find_first_of(")%\n", 2);
  if (end == text.npos || end == 2 || text[end] != ')' || end + 1 == text.size()) return std::nullopt;
  if (text[end + 1] != 's' && text[end + 1] != 'd') return std::nullopt;
  return Place{end + 2, text.substr(2, end - 2)};
}

}  // namespace

std::string fill_in(std::string_view text,
                    std::initializer_list<std::pair<std::string_view, std::string_view>> values) {
  std::string filled;
  for (;;) {
    const std::size_t percent = std::min(text.find('%'), text.size());
    filled.append(text.substr(0, percent));
    text.remove_prefix(percent);
    if (text.empty()) return filled;
    const std::optional<Place> place = read_place(text);
    const auto* const value = std::find_if(values.begin(), values.end(), [&](const auto& pair) {
      return place && !place->name.empty() && pair.first == place->name;
    });
    if (value != values.end()) {
      filled.append(value->second);
    } else {
      filled.append(place && place->name.empty() ? "%" : text.substr(0, place ? place->size : 1));
    }
    text.remove_prefix(place ? place->size : 1);
  }
}

}  // namespace squall::web

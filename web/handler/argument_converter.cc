#include <squall/web/handler/argument_converter.h>

#include <squall/ioloop/base/ascii.h>

namespace squall::web {

std::optional<bool> ArgumentConverter<bool>::convert(std::string_view decoded) noexcept {
  for (const std::string_view yes : {"1", "true", "yes", "on"})
    if (equals_ignoring_case(decoded, yes)) return true;
  for (const std::string_view no : {"0", "false", "no", "off"})
    if (equals_ignoring_case(decoded, no)) return false;
  return std::nullopt;
}

}  // namespace squall::web

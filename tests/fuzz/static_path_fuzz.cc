// Paths of static files: a path that is not refused stays beneath the root, component by component.

#include <squall/http/message/percent_encoding.h>
#include <squall/web/static/mime_types.h>
#include <squall/web/static/safe_path.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/fuzz.h"

namespace squall::web {
namespace {

std::vector<std::string_view> components_of(std::string_view path) {
  std::vector<std::string_view> components;
  for (;;) {
    const std::size_t slash = path.find('/');
    components.push_back(path.substr(0, slash));
    if (slash == path.npos) return components;
    path.remove_prefix(slash + 1);
  }
}

// The obvious way: a stack of names. nullopt if the path leaves the root.
std::optional<std::vector<std::string_view>> obvious(std::string_view path) {
  std::vector<std::string_view> names;
  if (path.starts_with('/') || path.find('\0') != path.npos) return std::nullopt;
  for (const std::string_view component : components_of(path)) {
    if (component.empty() || component == ".") continue;
    if (component != "..") {
      names.push_back(component);
    } else if (names.empty()) {
      return std::nullopt;
    } else {
      names.pop_back();
    }
  }
  return names;
}

void check(std::string_view text) {
  const std::optional<std::string> path = safe_path(text);
  const auto names = obvious(text);
  FUZZ_CHECK(path.has_value() == names.has_value());
  if (!path) return;
  FUZZ_CHECK(safe_path(*path) == path);
  const std::string_view last = components_of(text).back();
  FUZZ_CHECK(names_folder(*path) == (last.empty() || last == "." || last == ".."));
  std::vector<std::string_view> found = components_of(*path);
  if (names_folder(*path)) {
    FUZZ_CHECK(found.back().empty());
    found.pop_back();
  }
  FUZZ_CHECK(found == *names);
  FUZZ_CHECK(!static_content_type(*path).empty());
}

}  // namespace
}  // namespace squall::web

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly that size, so that AddressSanitizer finds a read beyond it.
  const std::string text(reinterpret_cast<const char*>(data), size);
  squall::web::check(text);
  squall::web::check(squall::http::percent_decode(text));
  return 0;
}
